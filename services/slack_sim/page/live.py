"""Tells every open page what changes, as it changes: often enough to read along, and never faster than it can draw."""

import asyncio
import json
import logging
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import ClientConnectionError, WSMsgType, web

from services.slack_sim.page.changes import Changes, Fragment, drawn
from services.slack_sim.page.inspector import Record
from services.slack_sim.page.reading import Reading
from services.slack_sim.page.seen import AT_FIRST, Seen, seen_at
from services.slack_sim.simulation import Simulation
from services.slack_sim.world.entities import Entity

log = logging.getLogger(__name__)

PAUSE_S = 0.05
"""Changes within it are told together."""
SHARE = 4.0
"""After drawing it waits so many times as long as that took, so that most of the time is left for apps."""
LARGEST_ASK = 64 * 1024
MOST = 2_000
"""How many messages a page can be asked to show."""
ALIVE_S = 20.0


class Browser:
    """One open page."""

    def __init__(self, slack: Simulation, reading: Reading, socket: web.WebSocketResponse) -> None:
        self._slack, self._reading, self._socket = slack, reading, socket
        self._seen: Seen | None = None
        self._query: dict[str, str] = {}
        self._most = AT_FIRST
        self._changes = Changes()
        self._wake = asyncio.Event()
        self._told: dict[str, str] = {}

    def note(self, entity: Entity, *, there: bool) -> None:
        """Something changed."""
        if self._seen is None:
            self._changes.regions.add("everything")
        else:
            self._changes.note(self._seen, entity, there=there)
        self._wake.set()

    def record(self, record: Record) -> None:
        """An app called, or was told something."""
        if self._seen is not None and self._seen.inspector:
            self._changes.record(record)
            self._wake.set()

    def linked(self) -> None:
        """A socket was opened or closed."""
        self._changes.regions |= {"sidebar", "counts"}
        self._wake.set()

    def take(self, text: str) -> None:
        """What the page says: where it looks now, or that it wants to see more."""
        try:
            asked: Any = json.loads(text)
        except (ValueError, RecursionError):
            log.warning("a page said what is no JSON; it is passed over")
            return
        if not isinstance(asked, dict):
            log.warning("a page said something that is no object; it is passed over")
            return
        go = asked.get("go")
        if isinstance(go, str):
            self._query, self._most = dict(parse_qsl(go.partition("?")[2])), AT_FIRST
        elif asked.get("more") is True:
            self._most = min(self._most + AT_FIRST, MOST)
        else:
            log.warning("a page asked for something unknown; it is passed over")
            return
        self._changes.regions.add("everything")
        self._wake.set()

    async def tell(self) -> None:
        """Draws what changed, again and again."""
        try:
            await self._tell()
        except (ClientConnectionError, ConnectionError):
            return
        except Exception:
            log.exception("a page could not be drawn; it is asked to begin anew")
            await self._socket.close()

    async def _tell(self) -> None:
        loop = asyncio.get_running_loop()
        pause = 0.0
        while True:
            await self._wake.wait()
            await asyncio.sleep(pause)
            self._wake.clear()
            started = loop.time()
            fragments = self._draw()
            took = loop.time() - started
            if fragments:
                await self._socket.send_json(fragments)
            pause = max(PAUSE_S, SHARE * took)

    def _draw(self) -> list[Fragment]:
        changes, self._changes = self._changes, Changes()
        if self._seen is None or "everything" in changes.regions:
            changes.regions.add("everything")
            self._seen = seen_at(self._slack, self._query, self._most)
            self._told.clear()
        if self._seen is None:
            return []
        return [each for each in drawn(changes, self._seen, self._reading) if self._is_news(each)]

    def _is_news(self, fragment: Fragment) -> bool:
        """Whether a region came out other than before. A modal always is news: its button may wait for it."""
        if fragment["into"] or fragment["id"] in {"modal", "app"}:
            return True
        before = self._told.get(fragment["id"])
        self._told[fragment["id"]] = fragment["html"]
        return before != fragment["html"]


class Live:
    """Every open page. While there is none, nothing watches."""

    def __init__(self, slack: Simulation, reading: Reading) -> None:
        self._slack, self._reading = slack, reading
        self._browsers: dict[Browser, web.WebSocketResponse] = {}

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """A page opens its socket."""
        socket = web.WebSocketResponse(heartbeat=ALIVE_S, max_msg_size=LARGEST_ASK, timeout=1.0)
        await socket.prepare(request)
        browser = Browser(self._slack, self._reading, socket)
        self._add(browser, socket)
        telling = asyncio.create_task(browser.tell())
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    browser.take(frame.data)
        finally:
            self._remove(browser)
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        return socket

    async def close(self) -> None:
        """Closes every page's socket."""
        for socket in list(self._browsers.values()):
            await socket.close(code=1001)

    def _add(self, browser: Browser, socket: web.WebSocketResponse) -> None:
        if not self._browsers:
            self._slack.world.watchers.append(self._changed)
            self._slack.calls.watchers.append(self._recorded)
            self._slack.dispatcher.watchers.append(self._recorded)
            self._slack.sockets.watchers.append(self._linked)
        self._browsers[browser] = socket

    def _remove(self, browser: Browser) -> None:
        del self._browsers[browser]
        if self._browsers:
            return
        self._slack.world.watchers.remove(self._changed)
        self._slack.calls.watchers.remove(self._recorded)
        self._slack.dispatcher.watchers.remove(self._recorded)
        self._slack.sockets.watchers.remove(self._linked)

    def _changed(self, entity: Entity, *, there: bool) -> None:
        for browser in self._browsers:
            browser.note(entity, there=there)

    def _recorded(self, record: Record) -> None:
        for browser in self._browsers:
            browser.record(record)

    def _linked(self) -> None:
        for browser in self._browsers:
            browser.linked()
