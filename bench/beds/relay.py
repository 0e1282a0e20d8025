"""A relay in front of a server, by which it can be away without being stopped."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

CHUNK = 1 << 16


class Relay:
    """Passes bytes on while it is open. Cut off, it hangs up and takes no calls."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._calls: set[asyncio.StreamWriter] = set()
        self._is_cut = False
        self.port = 0

    def cut(self) -> None:
        """The server is away."""
        self._is_cut = True
        for call in self._calls:
            call.close()

    def mend(self) -> None:
        """It is back."""
        self._is_cut = False

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.close()
            return
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        self._calls |= {writer, back}
        try:
            await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
        finally:
            for call in (writer, back):
                call.close()
                self._calls.discard(call)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def relay(host: str, port: int) -> AsyncIterator[Relay]:
    """On a free port of this machine."""
    found = Relay(host, port)
    server = await asyncio.start_server(found._take, "127.0.0.1", 0)  # noqa: SLF001 - it is its own
    found.port = server.sockets[0].getsockname()[1]
    try:
        yield found
    finally:
        found.cut()
        server.close()
