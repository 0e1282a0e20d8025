"""A number of one's own among the processes that share a folder: free again when the process is gone."""

import fcntl
import hashlib
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.kit.fault import Fault

MOST = 1000


class NoSlot(Fault):
    """More processes than numbers."""


@contextmanager
def slot(folder: Path, name: str) -> Iterator[int]:
    """Held within it: the lowest number, from 1 on, that no process of the same name holds."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, MOST + 1):
        with (folder / f"{name}-{number}.lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            yield number
            return
    raise NoSlot(f"{MOST} processes called {name} share {folder}; give this one a folder of its own")


@contextmanager
def member_name(folder: Path, service: str) -> Iterator[str]:
    """A name within a group that no other process has, and that a restart gets again: of the machine and the folder."""
    where = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:6]
    with slot(folder, service) as number:
        yield f"{socket.gethostname()[:40]}-{where}-{number}"
