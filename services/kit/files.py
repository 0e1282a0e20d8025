"""Files that are whole or not there: a reader, or a power cut, never meets half of one."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Puts a file in place of the one before it, for this user alone, and lasting."""
    write_pieces(path, [content])


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """The same of a content that comes piece by piece. Where one does not come, the file is as it was."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Processes of several containers may share a folder, and each of them has the same number in its own.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    begun = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        begun.replace(path)
    finally:
        begun.unlink(missing_ok=True)
    make_lasting(path.parent)


def make_lasting(folder: Path) -> None:
    """What was renamed or made in a folder stays so, also after a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
