"""One of an app's places for a socket: keeps one open, and has the next one open before the last one goes."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

import aiohttp
from slack_sdk.errors import SlackApiError

from services.ingress import metrics
from services.ingress.adapters.link import Link
from services.ingress.decisions.link_state import STATES, LinkState, after
from services.ingress.decisions.refusals import advice_for
from services.kit.clock import Clock
from services.kit.fault import Fault
from services.kit.slack_errors import code_of, retry_after
from services.kit.telemetry.emitter import Emitter

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_S = 30.0
"""A socket that lived so long was a good one: the next is opened without a pause."""
APART_S = 0.5
"""The sockets of an app open so far from each other, so that they are not refreshed together."""
REFUSED_PAUSE_S = 60.0
RETIRES_WITHIN_S = 30.0
REPLACED_FIRST = frozenset({"warning", "refresh_requested"})
"""Farewells that leave time to open another socket first."""

TOO_MANY = "too_many_websockets"

Open = Callable[[], Awaitable[Link]]
"""Makes a link that is not open yet, with the token as it is now."""


@dataclass(frozen=True)
class Place:
    """Which slot of which app."""

    app: str
    slot: int

    @property
    def labels(self) -> dict[str, str]:
        """As metrics name it."""
        return {"app": self.app, "slot": str(self.slot)}


@dataclass(frozen=True)
class SlotTools:
    """What a slot works with."""

    clock: Clock
    emitter: Emitter
    chance: Random
    turn: asyncio.Lock
    """The slots of an app begin to open their sockets one after the other."""
    may_overlap: Callable[[], bool]
    """Whether Slack allows the app one socket more, while one is replaced by another."""


class Slot:
    """One of them."""

    def __init__(self, place: Place, make: Open, tools: SlotTools) -> None:
        self.place = place
        self._make, self._tools = make, tools
        self._clock, self._emitter = tools.clock, tools.emitter
        self.state: LinkState = "disconnected"
        self.refusal: str | None = None
        """Why Slack does not want us, in words for operators."""
        self.links: list[Link] = []
        """Every socket that may still carry something, the newest last."""
        self._retiring: set[asyncio.Task[None]] = set()
        self._pause_s = FIRST_PAUSE_S
        self._show()
        self._emitter.count(metrics.RECONNECTS, 0, **place.labels)
        self._emitter.expect(metrics.CONNECTION_SECONDS, **place.labels)

    async def run(self) -> None:
        """Keeps a socket open until it is cancelled."""
        try:
            self._turn("connecting")
            link = await self._opened()
            while True:
                link = await self._replaced(link, await link.over())
        finally:
            await self._leave()

    async def _replaced(self, link: Link, why: str) -> Link:
        await self._rest_after(link)
        if why in REPLACED_FIRST and self._tools.may_overlap():
            log.info("Slack refreshes %s slot %d (%s): another socket opens first", *self.who, why)
            following = await self._opened_beside(link)
            self._retire(link, RETIRES_WITHIN_S)
        else:
            log.warning("the socket of %s slot %d is to be replaced: %s", *self.who, _words_for(why))
            self._turn("reconnecting")
            self._retire(link, 0.0)
            if why == TOO_MANY:
                await asyncio.sleep(LONGEST_PAUSE_S)
            following = await self._opened()
        self._emitter.count(metrics.RECONNECTS, 1, **self.place.labels)
        return following

    async def _rest_after(self, link: Link) -> None:
        """Where sockets go soon after they were opened, the next one is opened later and later."""
        lived = self._clock.monotonic() - (link.greeted_at or 0.0)
        if lived >= STEADY_S:
            self._pause_s = FIRST_PAUSE_S
            return
        rested = asyncio.create_task(asyncio.sleep(self._pause()))
        gone = asyncio.create_task(link.gone())
        try:
            await asyncio.wait({rested, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not rested.done():
                self._turn("reconnecting")
                await rested
        finally:
            for task in (rested, gone):
                task.cancel()
            await asyncio.gather(rested, gone, return_exceptions=True)

    async def _opened_beside(self, link: Link) -> Link:
        """Another socket, while this one is still open. Where it goes before, the slot says that it has none."""
        opening = asyncio.create_task(self._opened())
        gone = asyncio.create_task(link.gone())
        try:
            await asyncio.wait({opening, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not opening.done():
                self._turn("reconnecting")
            return await opening
        finally:
            for task in (opening, gone):
                task.cancel()
            await asyncio.gather(opening, gone, return_exceptions=True)

    async def _opened(self) -> Link:
        """A socket that Slack has greeted. Tries until there is one."""
        while True:
            link = await self._attempt()
            if link is not None:
                return link
            await asyncio.sleep(self._pause() if self.refusal is None else REFUSED_PAUSE_S)

    async def _attempt(self) -> Link | None:
        before = self.state
        link: Link | None = None
        try:
            async with self._tools.turn:
                await asyncio.sleep(APART_S)
            link = await self._make()
            self.links.append(link)
            await link.ask_for_address()
            self._turn_unless_connected("authenticated")
            await link.shake_hands()
        except SlackApiError as error:
            self._denied(code_of(error))
            await asyncio.sleep(retry_after(error))
        except Fault as fault:
            self._refused(str(fault))
        except (aiohttp.ClientError, OSError) as error:  # TimeoutError among them
            self._say_why_not(type(error).__name__)
        except Exception as error:  # whatever the client raises: a slot never ends by itself
            log.exception("opening a socket failed in a way that was not foreseen")
            self._say_why_not(type(error).__name__)
        else:
            if link.farewell is None:
                return self._greeted(link)
            self._denied(link.farewell)
        finally:
            if link is not None and link.greeted_at is None:
                await self._ended(link)
        if self.state == "authenticated":
            self._turn("connecting" if before == "connecting" else "reconnecting")
        return None

    def _greeted(self, link: Link) -> Link:
        link.greeted_at = self._clock.monotonic()
        self.refusal = None
        self._turn_unless_connected("authenticated")
        self._turn("connected")
        return link

    def _denied(self, code: str) -> None:
        advice = advice_for(code)
        if advice is None:
            self._say_why_not(code)
        else:
            self._refused(advice)

    def _refused(self, advice: str) -> None:
        """Trying again at once would help nobody. A socket that is still open goes on."""
        if self.refusal != advice:
            log.error("%s slot %d cannot connect, and tries again every minute: %s", *self.who, advice)
        self.refusal = advice
        self._turn_unless_connected("error")

    def _say_why_not(self, why: str) -> None:
        self.refusal = None if self.state != "error" else self.refusal
        log.warning("%s slot %d could not open a socket (%s), and tries again", *self.who, why)

    def _pause(self) -> float:
        pause, self._pause_s = self._pause_s, min(self._pause_s * 2, LONGEST_PAUSE_S)
        return self._tools.chance.uniform(pause / 2, pause)

    def _retire(self, link: Link, within_s: float) -> None:
        """Lets a socket end by itself: what is on its way by it still arrives."""

        async def ending() -> None:
            await link.closed_by_slack(within_s)
            await self._ended(link)

        task = asyncio.create_task(ending())
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)

    async def _ended(self, link: Link) -> None:
        if link.greeted_at is not None:
            lived, link.greeted_at = self._clock.monotonic() - link.greeted_at, None
            self._emitter.observe(metrics.CONNECTION_SECONDS, lived, **self.place.labels)
        await link.end()
        if link in self.links:
            self.links.remove(link)

    async def _leave(self) -> None:
        self._turn("disconnecting")
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await asyncio.gather(*(self._ended(link) for link in list(self.links)))
        self._turn("disconnected")

    def _turn_unless_connected(self, following: LinkState) -> None:
        if self.state != "connected":
            self._turn(following)

    def _turn(self, following: LinkState) -> None:
        self.state = after(self.state, following)
        self._show()

    def _show(self) -> None:
        for state in STATES:
            value = 1 if state == self.state else 0
            self._emitter.set(metrics.SOCKET_STATE, value, **self.place.labels, state=state)

    @property
    def who(self) -> tuple[str, int]:
        """As log lines name it."""
        return self.place.app, self.place.slot


def _words_for(why: str) -> str:
    return {
        "lost": "it is gone",
        "deaf": "it is open, and nothing answers",
        TOO_MANY: "the app has as many sockets as Slack allows; lower THREADLINE_INGRESS_SLOTS, or end other processes",
    }.get(why, f"Slack says {why}")
