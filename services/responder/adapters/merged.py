"""An HTTP client for providers' SDKs whose streamed answers come in fewer and longer pieces."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx2
from typing_extensions import override

from services.responder.decisions.merging import Merging

HELD_S: Final = 0.1
"""Words are shown a few times a second at most: so long some may wait for those behind them."""


class _Merged(httpx2.AsyncByteStream):
    """A body of events. The first words pass at once, and so does whatever is no text."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._reading: asyncio.Task[bytes] | None = None

    @override
    async def __aiter__(self) -> AsyncIterator[bytes]:
        merging, source, clock = Merging(), aiter(self._stream), asyncio.get_running_loop().time
        until = clock()
        """Words that come before it may be held."""
        try:
            while True:
                self._reading = self._reading or asyncio.ensure_future(anext(source))
                left_s = max(0.0, until - clock()) if merging.holds else None
                await asyncio.wait({self._reading}, timeout=left_s)
                if self._reading.done():
                    received, self._reading = self._reading, None
                    if passed := merging.take(await received):
                        yield passed
                if merging.holds and clock() >= until:
                    yield merging.give()
                    until = clock() + HELD_S
        except StopAsyncIteration:
            yield merging.end()
        except httpx2.TransportError:
            yield merging.end()
            raise

    @override
    async def aclose(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._stream.aclose()


async def merge(response: httpx2.Response) -> None:
    """What an HTTP client does with every answer before it is read."""
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        response.stream = _Merged(response.stream)


HOOKS: Final = {"response": [merge]}
