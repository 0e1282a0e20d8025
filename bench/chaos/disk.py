"""A small disk of one's own, which can be full: a file system in memory, where this user may mount one."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BALLAST = "ballast"
CHUNK = b"\0" * (1 << 20)


@dataclass(frozen=True)
class Disk:
    """It, and where it is."""

    folder: Path

    def fill(self) -> None:
        """Nothing fits on it any more."""
        with (self.folder / BALLAST).open("ab", buffering=0) as file:
            chunk = CHUNK
            while chunk:
                try:
                    file.write(chunk)
                except OSError:
                    chunk = chunk[: len(chunk) // 2]

    def empty(self) -> None:
        """There is room again."""
        (self.folder / BALLAST).unlink(missing_ok=True)


@contextmanager
def mounted(folder: Path, size_mb: int) -> Iterator[Disk | None]:
    """Stands at a folder; gives None, and leaves the folder as it is, where nothing can be mounted."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or not _does("mount", "-t", "tmpfs", "-o", f"size={size_mb}m,mode=755", "tmpfs", str(folder)):
        yield None
        return
    try:
        yield Disk(folder)
    finally:
        _does("umount", "--lazy", str(folder))


def release(folder: Path) -> None:
    """What a run before left mounted below a folder, since it was killed."""
    mounts = Path("/proc/mounts")
    there = [line.split()[1] for line in mounts.read_text("utf-8").splitlines()] if mounts.exists() else []
    for each in there:
        if Path(each).is_relative_to(folder):
            _does("umount", "--lazy", each)


def _does(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
