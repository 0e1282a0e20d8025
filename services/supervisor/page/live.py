"""Tells open pages which tasks changed, as Server-Sent Events. What they look like, the pages fetch."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import ClientConnectionError, web

from services.supervisor.adapters.news import Changed, News
from services.supervisor.page.viewer import Viewer

PAUSE_S: Final = 0.25
"""Changes within it are told together."""
BEAT_S: Final = 15.0
MOST_NAMED: Final = 50

StillThere = Callable[[], Awaitable[bool]]


class Live:
    """Every open page."""

    def __init__(self, news: News) -> None:
        self._news = news
        self._open: set[Changed] = set()
        self._is_closing = False

    async def serve(self, request: web.Request, viewer: Viewer, still_there: StillThere) -> web.StreamResponse:
        """A page listens, for as long as its session is good."""
        headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        response = web.StreamResponse(headers=headers)
        with self._news.of_tenant(viewer.tenant_id) as changed:
            self._open.add(changed)
            try:
                await response.prepare(request)
                await response.write(b"retry: 1000\n\n")
                while not self._is_closing and await still_there():
                    await self._tell(response, changed)
            except (ClientConnectionError, ConnectionError):
                return response
            finally:
                self._open.discard(changed)
        return response

    async def close(self, _: web.Application) -> None:
        """Lets go of every page, so that the process can end."""
        self._is_closing = True
        for each in self._open:
            each.woken.set()

    async def _tell(self, response: web.StreamResponse, changed: Changed) -> None:
        try:
            async with asyncio.timeout(BEAT_S):
                await changed.woken.wait()
        except TimeoutError:
            await response.write(b": nothing changed\n\n")
            return
        tasks = changed.taken()
        named = tasks if tasks is not None and len(tasks) <= MOST_NAMED else None
        await response.write(f"event: changed\ndata: {json.dumps(named)}\n\n".encode())
        await asyncio.sleep(PAUSE_S)
