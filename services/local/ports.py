"""Ports: a chosen one, or a free one that stays the same from start to start."""

import fcntl
import json
import socket
from pathlib import Path
from typing import IO

from services.local.home import LocalFault

HOST = "127.0.0.1"
END = 1 << 16


def choose(name: str, chosen: int, ports_file: Path, taken: set[int]) -> int:
    """The port for a program: the chosen one, else last time's, else a free one, which is remembered."""
    if chosen:
        if chosen in taken or not is_free(chosen):
            raise LocalFault(
                f"port {chosen} for {name} is taken, or not allowed to this user; "
                f"set THREADLINE_LOCAL_{name.upper()}_PORT to a free one, or to 0"
            )
        taken.add(chosen)
        return chosen
    known = remembered(ports_file)
    port = known.get(name, 0)
    while not port or port in taken or not is_free(port):
        port = _free()
    taken.add(port)
    ports_file.write_text(json.dumps({**known, name: port}))
    return port


def is_free(port: int) -> bool:
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def claim(port: int, folder: Path) -> IO[bytes] | None:
    """The right to a port that everybody would like, as long as what this gives is open; none where another has it.

    Whoever only looks whether it is free would share it with another that looks before either listens there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / f"port-{port}.lock").open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _free() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def remembered(ports_file: Path) -> dict[str, int]:
    """The ports of last time, by name."""
    try:
        found = json.loads(ports_file.read_text())
    except (OSError, ValueError):
        return {}
    return (
        {name: port for name, port in found.items() if isinstance(port, int) and 0 < port < END}
        if isinstance(found, dict)
        else {}
    )
