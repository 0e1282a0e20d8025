"""Files that are whole or not there: a reader, or a power cut, never meets half of one."""

import os
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Puts a file in place of the one before it, for this user alone, and lasting."""
    write_lines(path, [content])


def write_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Likewise, of what is more than memory should hold."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    begun = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(begun, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())
    begun.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
