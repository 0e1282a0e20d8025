"""The folder of a backup: begun under another name, whole under its own, for its owner alone."""

import gzip
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from schemas.lines import Kept, NoRecord, line_of, record_of
from services.backup.decisions.manifest import NAME, KeptFile, Manifest
from services.kit.fault import Fault
from services.kit.files import make_lasting, write_whole

QUICK: Final = 1
"""How much gzip tries. More makes backups little smaller and much slower."""

Tell = Callable[[int, int], None]


class NoBackup(Fault):
    """The folder is no backup, or no whole one."""


@contextmanager
def begun(folder: Path) -> Iterator[Path]:
    """A folder to fill. It gets its name when it is left without an error; otherwise nothing of it stays."""
    folder = folder.resolve()  # `.` has a name, too
    if folder.exists():  # as `/` does, which has none
        raise Fault(f"{folder} is there already, and nothing was changed; name a folder that is not there yet")
    part = folder.with_name(f".{folder.name}.part")
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.mkdir(mode=0o700)
    except FileExistsError:
        raise Fault(
            f"{part} is there: either another backup into {folder} is being made just now, or one was killed and left "
            "it behind. Delete it if none is, and try again; nothing was changed"
        ) from None
    except OSError as error:
        raise _cannot_write(folder, error) from error
    try:
        yield part
        part.rename(folder)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    make_lasting(folder.parent)


def _cannot_write(folder: Path, error: OSError) -> Fault:
    return Fault(f"{folder} could not be written ({error.strerror}); nothing of it was kept. Mend that, and try again")


class Lines:
    """Records on their way into a compressed file, each a line as `threadline report export` writes it."""

    def __init__(self, path: Path) -> None:
        self._raw = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
        self._file = gzip.GzipFile(filename="", mode="wb", compresslevel=QUICK, fileobj=self._raw, mtime=0)

    def add(self, records: list[Kept]) -> None:
        """Writes them down."""
        self._file.write(b"".join(line_of(record) + b"\n" for record in records))

    def close(self) -> None:
        """All of it is on the disk afterwards."""
        self._file.close()
        self._raw.flush()
        os.fsync(self._raw.fileno())
        self._raw.close()


def lines_in(path: Path) -> Iterator[Kept]:
    """The records of such a file."""
    try:
        with gzip.open(path) as file:
            for line in file:
                yield record_of(line)
    except (OSError, EOFError, NoRecord) as error:
        raise NoBackup(f"{path} is damaged ({error}); the backup cannot be used. Take another one") from error


def summed(folder: Path, name: str) -> KeptFile:
    """A file with its sum."""
    path = folder / name
    with path.open("rb") as file:
        sum_ = hashlib.file_digest(file, "sha256").hexdigest()
    return KeptFile(name=name, bytes=path.stat().st_size, sha256=sum_)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Last of all."""
    write_whole(folder / NAME, manifest.model_dump_json(indent=2).encode() + b"\n")


def manifest_in(folder: Path) -> Manifest:
    """What a backup says of itself."""
    path = folder / NAME
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except OSError as error:
        raise NoBackup(
            f"{folder} is no backup: {NAME} cannot be read ({error.strerror}); nothing was changed"
        ) from None
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "its JSON"
        raise NoBackup(
            f"{path} is damaged, or of a newer version of Threadline ({where}); nothing was changed"
        ) from None


def check(folder: Path, tell: Tell) -> Manifest:
    """Compares every file with its sum."""
    manifest, done = manifest_in(folder), 0
    for kept in manifest.files:
        try:
            found = summed(folder, kept.name)
        except OSError as error:
            raise NoBackup(
                f"{folder / kept.name} cannot be read ({error.strerror}): the backup is not whole, and cannot be used"
            ) from None
        if found != kept:
            raise NoBackup(
                f"{folder / kept.name} is not as it was written ({found.bytes} bytes of {kept.bytes}, another sum): "
                "the backup is damaged, and cannot be used. Take another one"
            )
        done += kept.bytes
        tell(done, manifest.size)
    return manifest
