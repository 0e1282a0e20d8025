"""A relay in front of a server: by it a link is cut, stands still, or loses what the server answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

CHUNK = 1 << 16

LinkState = Literal["open", "cut", "still", "answers_lost"]


class Relay:
    """Passes bytes on while it is open."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._calls: set[asyncio.StreamWriter] = set()
        self._state: LinkState = "open"
        self._flows = asyncio.Event()
        self._flows.set()
        self.port = 0

    def cut(self) -> None:
        """The server is away: it hangs up, and takes no calls."""
        self._become("cut")
        self._hang_up()

    def stand_still(self) -> None:
        """Connections stay open, new ones are taken, and nothing passes."""
        self._become("still")

    def lose_answers(self) -> None:
        """What is asked arrives and is done, and nothing that is answered comes back."""
        self._become("answers_lost")

    def mend(self) -> None:
        """All is well. Whoever lost something hears that its connection is over; what stood still goes on."""
        if self._state == "answers_lost":
            self._hang_up()
        self._become("open")

    def _become(self, state: LinkState) -> None:
        self._state = state
        if state == "still":
            self._flows.clear()
        else:
            self._flows.set()

    def _hang_up(self) -> None:
        for call in self._calls:
            call.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._state == "cut":
            writer.close()
            return
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        self._calls |= {writer, back}
        try:
            await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer, answers=True))
        finally:
            for call in (writer, back):
                call.close()
                self._calls.discard(call)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                await self._flows.wait()
                if answers and self._state == "answers_lost":
                    continue
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
