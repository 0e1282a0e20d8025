"""The broker's program: Apache Kafka's jars, downloaded once, each checked against a sum that is kept here."""

import fcntl
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from services.local.home import LocalFault

AT_ONCE = 6

Progress = Callable[[int, int], None]
"""Told after every jar how many bytes of how many are there."""


@dataclass(frozen=True)
class Jar:
    """One jar, as it must be."""

    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def filename(self) -> str:
        """Its name in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def wanted() -> list[Jar]:
    """Every jar that the broker needs."""
    text = files("services.local").joinpath("kafka_jars.txt").read_text("utf-8")
    return list(_parse(text))


def _parse(text: str) -> Iterator[Jar]:
    for line in text.splitlines():
        if line and not line.startswith("#"):
            coordinate, sha256, size = line.split()
            group, artifact, version = coordinate.split(":")
            yield Jar(group, artifact, version, sha256, int(size))


@dataclass(frozen=True)
class Store:
    """Where jars are kept, and where they come from."""

    folder: Path
    repository: str | None = None
    """A Maven repository's address; the public one otherwise."""


def fetch(jars: list[Jar], store: Store, progress: Progress | None = None) -> list[Path]:
    """The jars' paths, after whatever was missing or damaged has been downloaded."""
    folder = store.folder
    folder.mkdir(parents=True, exist_ok=True)
    if missing(jars, folder):
        with _alone(folder):
            if lacking := missing(jars, folder):  # nothing, if another has just downloaded it
                _download_all(lacking, store, progress)
    return [folder / jar.filename for jar in jars]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process downloads, and others that start at the same time wait for what it gets."""
    with (folder / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def missing(jars: list[Jar], folder: Path) -> list[Jar]:
    """Those that are not there, or damaged."""
    return [jar for jar in jars if not _is_sound(jar, folder / jar.filename)]


def _is_sound(jar: Jar, path: Path) -> bool:
    return path.is_file() and path.stat().st_size == jar.size and _sum(path) == jar.sha256


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download_all(jars: list[Jar], store: Store, progress: Progress | None) -> None:
    total, done = sum(jar.size for jar in jars), 0
    with (
        tempfile.TemporaryDirectory(prefix=".download-", dir=store.folder) as work,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        under_way = {pool.submit(_download, jar, store, Path(work)): jar for jar in jars}
        try:
            for finished in as_completed(under_way):
                finished.result()
                done += under_way[finished].size
                if progress is not None:
                    progress(done, total)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _download(jar: Jar, store: Store, work: Path) -> None:
    # Imported where it is wanted: a machine whose cache is warm never downloads, and its start need not wait for it.
    from jgo.maven import MavenContext  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415

    repositories = {"jars": store.repository} if store.repository else None
    context = MavenContext(repo_cache=work, local_repos=[], remote_repos=repositories)
    try:
        path = context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except (RuntimeError, OSError, RequestException) as error:
        raise LocalFault(
            f"could not download {jar.filename}: {type(error).__name__}; is the network there? "
            "What has arrived is kept: run the command again"
        ) from error
    found = _sum(path)
    if found != jar.sha256:
        raise LocalFault(
            f"{jar.filename} is not what it should be: its SHA-256 is {found}, expected {jar.sha256}. "
            "It was thrown away and nothing was started; if it comes again, something on the way changes it"
        )
    shutil.move(path, store.folder / jar.filename)
