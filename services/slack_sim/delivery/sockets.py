"""Socket Mode: tickets, sockets, envelopes out and acknowledgements in."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from aiohttp import ClientConnectionError, WSMsgType, web
from multidict import MultiMapping

from services.slack_sim.delivery.delivery import Attempt, Delivery
from services.slack_sim.delivery.dispatcher import Dispatcher
from services.slack_sim.faults.links import LinkFaults
from services.slack_sim.given_out import GivenOut
from services.slack_sim.wire import as_json, parsed_json
from services.slack_sim.world.entities import App
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.names import Names
from services.slack_sim.world.world import World

log = logging.getLogger(__name__)

Reason = Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"]

LARGEST_FRAME = 4 * 1024 * 1024
CLOSES_WITHIN_S = 1.0


Frame = tuple[str, tuple[Delivery, Attempt] | None]


@dataclass(eq=False)
class Link:
    """One open socket."""

    number: int
    app_id: str
    socket: web.WebSocketResponse
    opened_at: float
    queue: deque[Frame] = field(default_factory=deque)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    told_to_leave: asyncio.Event = field(default_factory=asyncio.Event)
    sent: int = 0
    received: int = 0
    pings: int = 0
    leaving: bool = False
    """A disconnect was announced."""

    def say(self, text: str, sends: tuple[Delivery, Attempt] | None = None) -> None:
        """Queues a frame, and what it sends."""
        self.queue.append((text, sends))
        self.wake.set()


@dataclass(frozen=True)
class Ticket:
    """What an address for a socket is good for."""

    app_id: str
    until: float


class Sockets:
    """Every open socket, by app."""

    timed_out = "timeout"

    def __init__(  # noqa: PLR0913, PLR0917 - it is where these meet
        self, world: World, names: Names, moments: Moments, dispatcher: Dispatcher, faults: LinkFaults, seed: str
    ) -> None:
        self._world, self._names, self._moments = world, names, moments
        self._dispatcher, self.faults = dispatcher, faults
        self._chance = Random(seed)  # noqa: S311 - it spreads envelopes, and keeps no secret
        self._tickets = GivenOut[Ticket](moments)
        self._links: dict[str, list[Link]] = {}
        self._chosen: dict[str, Link] = {}
        self._number = 0
        self.opened = 0
        self.watchers: list[Callable[[], None]] = []

    def ticket(self, app: App) -> str:
        """Something that opens sockets for an app."""
        text = self._names.uuid("ticket")
        self._tickets.give(text, Ticket(app.id, self._moments.now() + self._dispatcher.policy.ticket_s))
        return text

    def forget_all(self) -> None:
        """Ends every socket. No address that was given out is good any more."""
        for link in self.links():
            self.drop(link)
        self._links = {}
        self._tickets.forget_all()
        self.opened = 0

    def links(self, app_id: str | None = None) -> list[Link]:
        """The open sockets, of one app or of all."""
        if app_id is not None:
            return list(self._links.get(app_id, ()))
        return [link for links in self._links.values() for link in links]

    def ready(self, app: App) -> str | None:
        """Some socket of the app's: which one is left to chance, as with Slack."""
        links = [link for link in self._links.get(app.id, ()) if not link.leaving]
        if not links:
            return None
        link = links[0] if len(links) == 1 else self._chance.choice(links)
        self._chosen[app.id] = link
        return f"socket {link.number}"

    def send(self, delivery: Delivery, attempt: Attempt) -> None:
        """Puts an envelope on the socket that was chosen."""
        again = ""
        if delivery.kind == "events_api":
            again = f',"retry_attempt":{attempt.number},"retry_reason":"{attempt.reason}"'
        answer = "true" if delivery.takes_answer else "false"
        link = self._chosen[delivery.app_id]
        link.sent += 1
        link.say(
            f'{{"envelope_id":"{attempt.id}","type":"{delivery.kind}","accepts_response_payload":{answer}'
            f'{again},"payload":{delivery.body}}}',
            (delivery, attempt),
        )

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """A client opens a socket."""
        await self.faults.admit()
        status = self.faults.refusal(request.query.get("app_id", ""))
        if status is not None:
            return web.Response(status=status, text="the simulator was told to refuse connections")
        ticket = self._tickets.get(request.query.get("ticket", ""))
        if ticket is None or ticket.until <= self._moments.now():
            return web.Response(status=web.HTTPUnauthorized.status_code, text="the ticket is unknown or too old")
        app = self._world.apps[ticket.app_id]
        socket = web.WebSocketResponse(
            autoping=False, compress=False, max_msg_size=LARGEST_FRAME, timeout=CLOSES_WITHIN_S
        )
        await socket.prepare(request)
        if len(self._links.get(app.id, ())) >= self._dispatcher.policy.sockets_per_app:
            await socket.send_str(_disconnect("too_many_websockets"))
            await socket.close()
            return socket
        if not app.socket_mode:
            await socket.send_str(_disconnect("link_disabled"))
            await socket.close()
            return socket
        self._number += 1
        link = Link(self._number, app.id, socket, self._moments.now())
        await self._live(link, app, request.query)
        return socket

    async def _live(self, link: Link, app: App, query: MultiMapping[str]) -> None:
        policy = self._dispatcher.policy
        lasts = policy.debug_connection_s if query.get("debug_reconnects") == "true" else policy.connection_s
        links = self._links.setdefault(app.id, [])
        links.append(link)
        self.opened += 1
        link.say(as_json(_hello(app, len(links), lasts)))
        timers = [self._moments.after(lasts, lambda: self.disconnect(link, "refresh_requested"))]
        if 0 < policy.warning_s < lasts:
            timers.append(self._moments.after(lasts - policy.warning_s, lambda: self.disconnect(link, "warning")))
        work = [asyncio.create_task(self._write(link)), asyncio.create_task(self._ping(link))]
        self._dispatcher.way_opened(app.id)
        self._changed()
        try:
            await self._read_until_it_ends(link)
        finally:
            links.remove(link)
            for timer in timers:
                timer.then = None
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            for _, sends in link.queue:
                if sends is not None:
                    self._dispatcher.unsent(*sends)
            self._changed()

    async def _read_until_it_ends(self, link: Link) -> None:
        """Takes what comes. After a disconnect the client has a while to say what it still has to, and to close."""
        reading = asyncio.create_task(self._read(link))
        told = asyncio.create_task(link.told_to_leave.wait())
        try:
            await asyncio.wait({reading, told}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({reading}, timeout=self._dispatcher.policy.closes_after_s)
        finally:
            told.cancel()
            reading.cancel()
            await asyncio.gather(reading, told, return_exceptions=True)
        await link.socket.close()

    def disconnect(self, link: Link, reason: Reason) -> None:
        """Tells a client to go, and closes its socket; a warning only tells it."""
        link.say(_disconnect(reason))
        if reason != "warning":
            link.leaving = True

    def drop(self, link: Link) -> None:
        """Ends a socket without a word, as a broken network does."""
        transport = link.socket._req.transport if link.socket._req is not None else None  # noqa: SLF001 - aiohttp gives no other way
        if transport is not None:
            transport.abort()

    async def _write(self, link: Link) -> None:
        while True:
            while link.queue:
                if self.faults.any:
                    await self.faults.passable()
                text, sends = link.queue[0]
                link.queue.popleft()
                if sends is not None:
                    self._dispatcher.sent(*sends)
                try:
                    await link.socket.send_str(text)
                except (ClientConnectionError, ConnectionError):
                    link.queue.appendleft((text, sends))
                    return
            if link.leaving:
                link.told_to_leave.set()
                return
            link.wake.clear()
            await link.wake.wait()

    async def _ping(self, link: Link) -> None:
        every = self._dispatcher.policy.server_ping_s
        with suppress(ClientConnectionError, ConnectionError):
            while every:
                await asyncio.sleep(every)
                await self.faults.passable()
                await link.socket.ping(f"Ping from the simulator, {self._moments.now():.3f}".encode())

    async def _read(self, link: Link) -> None:
        while True:
            frame = await link.socket.receive()
            if self.faults.any:
                await self.faults.passable()
            if frame.type is WSMsgType.TEXT:
                link.received += 1
                self._take(link, frame.data)
            elif frame.type is WSMsgType.PING:
                link.pings += 1
                if not self.faults.deaf:
                    with suppress(ClientConnectionError, ConnectionError):
                        await link.socket.pong(frame.data)
            elif frame.type in {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}:
                return

    def _take(self, link: Link, text: str) -> None:
        try:
            ack = parsed_json(text)
        except ValueError:
            log.warning("socket %d of %s said what is no JSON; it is passed over", link.number, link.app_id)
            return
        if not isinstance(ack, dict) or not isinstance(ack.get("envelope_id"), str):
            log.warning("socket %d of %s said something without an envelope_id", link.number, link.app_id)
            return
        payload = ack.get("payload")
        payload = payload if isinstance(payload, dict) and payload else None
        wait = self.faults.ack_delay()
        if wait is None:
            return
        if wait:
            self._moments.after(wait, lambda: self._acknowledged(link, ack["envelope_id"], payload))
        else:
            self._acknowledged(link, ack["envelope_id"], payload)

    def _acknowledged(self, link: Link, envelope_id: str, payload: dict[str, Any] | None) -> None:
        if not self._dispatcher.acknowledged(link.app_id, envelope_id, payload):
            log.warning("%s acknowledged an envelope that it was never sent: %r", link.app_id, envelope_id[:80])

    def _changed(self) -> None:
        for watcher in self.watchers:
            watcher()


def _hello(app: App, open_links: int, lasts: float) -> dict[str, Any]:
    return {
        "type": "hello",
        "num_connections": open_links,
        "connection_info": {"app_id": app.id},
        "debug_info": {
            "host": "threadline-slack-sim",
            "build_number": 1,
            "approximate_connection_time": int(lasts),
        },
    }


def _disconnect(reason: Reason) -> str:
    return as_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "threadline-slack-sim"}})
