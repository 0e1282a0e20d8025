"""Ports: a chosen one, or a free one that stays the same from start to start."""

import fcntl
import json
import secrets
import socket
from pathlib import Path
from typing import IO

from services.local.home import LocalFault

HOST = "127.0.0.1"
END = 1 << 16
CHOSEN_FROM = range(20_000, 32_768)
"""Systems give their own to whoever connects, or asks for any: from 32768 on, or from 49152 on. One of those may be
somebody's by the time that the program for which it was chosen listens there."""


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
        port = free()
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


def free() -> int:
    """A port where nobody listens, and that the system gives to nobody."""
    first = secrets.randbelow(len(CHOSEN_FROM))
    for step in range(len(CHOSEN_FROM)):
        port = CHOSEN_FROM[(first + step) % len(CHOSEN_FROM)]
        if is_free(port):
            return port
    raise LocalFault(
        f"no port from {CHOSEN_FROM[0]} to {CHOSEN_FROM[-1]} is free at {HOST}, or this user may listen at none; "
        "end what listens there"
    )


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
