"""The programs at a Unix socket: each gets every line from its connecting on, and none holds up the others."""

import asyncio
import errno
import fcntl
import logging
import os
import select
import socket
import stat
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic_core import to_json

from services.kit.fault import Fault

log = logging.getLogger(__name__)

WAITING_LINES = 1000
"""So many may wait for a client of the socket that reads slowly."""
WAITING_BYTES = 16 << 20
"""And so much, since a line can be a megabyte."""
LAST_WORD_S = 2.0
"""How long a client has to take what is its last line."""

TOO_SLOW = f"too slow: {WAITING_LINES} lines or {WAITING_BYTES >> 20} MiB waited, and they are thrown away"


class NotServed(Fault):
    """The socket cannot be where it was asked for."""


class _Client:
    """One program at the socket, and the lines that wait for it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._waiting: deque[bytes] = deque()
        self._size = 0
        self._more = asyncio.Event()
        self._ends = False
        writer.transport.set_write_buffer_limits(high=0)  # `drain` returns when the system has everything

    def give(self, line: bytes) -> None:
        """Lets a line wait for it; where too much waits already, it gets a last word and is disconnected."""
        if self._ends:
            return
        if len(self._waiting) < WAITING_LINES and self._size + len(line) <= WAITING_BYTES:
            self._waiting.append(line)
            self._size += len(line)
            self._more.set()
            return
        log.warning("a client reads too slowly: %d lines waited for it; it is disconnected", len(self._waiting))
        self._waiting.clear()
        self._waiting.append(to_json({"closed": TOO_SLOW}) + b"\n")
        self.end()

    def end(self) -> None:
        """Nothing comes any more, and what waits must be taken soon."""
        self._ends = True
        self._more.set()
        asyncio.get_running_loop().call_later(LAST_WORD_S, self._writer.transport.abort)

    async def send(self) -> None:
        """Sends what waits, as fast as it is read."""
        while self._waiting or not self._ends:
            while self._waiting:
                line = self._waiting.popleft()
                self._size -= len(line)
                self._writer.write(line)
                await self._writer.drain()
            self._more.clear()
            if not self._ends:
                await self._more.wait()


class Listeners:
    """The programs at the socket. Each gets every line from its connecting on, and none holds up the others."""

    def __init__(self) -> None:
        self._clients: dict[_Client, asyncio.Task[None]] = {}
        self.first = asyncio.Event()
        """Set as soon as somebody listens."""

    async def give(self, line: bytes) -> None:
        """To everybody who listens."""
        for client in self._clients:
            client.give(line)
        await asyncio.sleep(0)  # a long stretch that is read at once must not look like slow clients

    async def finish(self) -> None:
        """Lets everybody have what waits for them."""
        for client in self._clients:
            client.end()
        await asyncio.gather(*self._clients.values(), return_exceptions=True)

    async def serve(self, said: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        client = _Client(writer)
        sending = self._clients[client] = asyncio.create_task(client.send())
        leaving = asyncio.create_task(_until_gone(said, writer))
        self.first.set()
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            del self._clients[client]
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            writer.close()


async def _until_gone(said: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """What a client says is thrown away. One that only says that it has nothing to say listens on."""
    while await said.read(4096):
        pass
    looking = select.poll()
    looking.register(writer.get_extra_info("socket").fileno(), 0)
    if not looking.poll(0):
        await asyncio.Event().wait()


@asynccontextmanager
async def listening(path: Path) -> AsyncIterator[Listeners]:
    """A Unix socket for this user alone. Its file goes when we leave."""
    listeners = Listeners()
    bound, mark = _bound(path)
    server = await asyncio.start_unix_server(listeners.serve, sock=bound)
    try:
        yield listeners
    finally:
        server.close()
        _remove(path, mark)
        await listeners.finish()


def _remove(path: Path, mark: int) -> None:
    if path.exists() and path.lstat().st_ino == mark:
        path.unlink()


def _bound(path: Path) -> tuple[socket.socket, int]:
    """A socket that listens there, and the mark of its file."""
    try:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)  # two that start at once must not both take a dead one's place
            _make_room(path)
            return _made(path), path.lstat().st_ino
        finally:
            os.close(folder)
    except OSError as error:
        what = f"cannot serve at {path}: {error.strerror or error}; nothing was changed"
        raise NotServed(f"{what}. --socket names a file in a folder of yours, in at most 100 characters") from None


def _made(path: Path) -> socket.socket:
    """It has its name as soon as it listens, and not before: whoever waits for the name is let in."""
    unnamed = path.with_name(f"{path.name}.new")
    _make_room(unnamed)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        made.bind(str(unnamed))
        made.listen()
        unnamed.rename(path)
    except OSError:
        made.close()
        raise
    finally:
        os.umask(mask)
    return made


def _make_room(path: Path) -> None:
    """Removes what a dead process left behind."""
    if not os.path.lexists(path):
        return
    if not stat.S_ISSOCK(path.lstat().st_mode):
        raise NotServed(f"{path} is there and is no socket; it was left as it is. Remove it, or name another --socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(0)
        if asking.connect_ex(str(path)) == errno.ECONNREFUSED:
            path.unlink()
            return
    raise NotServed(f"another process serves at {path}, and was left alone; stop it, or name another --socket")
