"""Socket Mode: every app's slots, what comes by their sockets, and its acknowledgements."""

import asyncio
import json
import logging
from contextlib import suppress
from random import Random
from typing import Any

from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from services.ingress import metrics
from services.ingress.adapters.door import OK, Door
from services.ingress.adapters.link import Link, NotSent
from services.ingress.adapters.receiver import Receipt
from services.ingress.adapters.slot import Place, Slot, SlotTools
from services.ingress.apps import SlackApp
from services.ingress.decisions.ordering import in_order
from services.ingress.decisions.reading import Arrived, Farewell, Hello, Unreadable, of_frame
from services.kit.telemetry.instruments import Instruments

log = logging.getLogger(__name__)

LEAVE_WITHIN_S = 2.0
SLACK_ALLOWS = 10
"""So many sockets an app may have open."""
PAUSE_S = 5.0


class AppSockets:
    """One app's slots."""

    def __init__(self, app: SlackApp, door: Door, client: AsyncWebClient, instruments: Instruments, slots: int) -> None:
        self._app, self._door, self._client = app, door, client
        self._clock, self._emitter = instruments.clock, instruments.emitter
        self._working: set[asyncio.Task[None]] = set()
        self._together: list[tuple[Arrived, tuple[Link, str, Receipt]]] = []
        tools = SlotTools(
            instruments.clock,
            instruments.emitter,
            Random(),  # noqa: S311 - it spreads retries
            asyncio.Lock(),
            may_overlap=lambda: sum(len(slot.links) for slot in self.slots) < SLACK_ALLOWS,
        )
        self.slots = [Slot(Place(app.label, number), self._making(number), tools) for number in range(slots)]

    def trouble(self) -> str | None:
        """Why nothing can come in; nothing as long as one slot is connected."""
        if any(slot.state == "connected" for slot in self.slots):
            return None
        refusal = next((slot.refusal for slot in self.slots if slot.refusal), None)
        return refusal or f"none of the sockets of {self._app.label} is open"

    async def run(self) -> None:
        """Keeps them open until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for slot in self.slots:
                group.create_task(_kept_up(slot))

    async def finish(self) -> None:
        """Waits for what has come by them, so that it can still be acknowledged."""
        if self._working:
            await asyncio.wait(self._working, timeout=LEAVE_WITHIN_S)

    def _making(self, number: int) -> Any:
        async def make() -> Link:
            token = await self._app.app_token()
            return Link(token, self._client, lambda link, text: self._heard(link, text, number), self._clock)

        return make

    def _heard(self, link: Link, text: str, slot: int) -> None:
        receipt = Receipt("socket", self._clock.now(), self._clock.monotonic(), slot, self._app.app_id)
        arrived = _read(text, self._app.app_id)
        if isinstance(arrived, Hello):
            self._app.is_called(arrived.app_id)
        elif isinstance(arrived, Farewell):
            link.farewell = arrived.reason
            link.told.set()
        else:
            if not self._together:
                asyncio.get_running_loop().call_soon(self._begin)
            self._together.append((arrived, (link, text, receipt)))

    def _begin(self) -> None:
        """What the sockets brought in this turn of the loop: after a stall a lot, from one socket after the other."""
        together, self._together = self._together, []
        for arrived, (link, text, receipt) in in_order(together):
            raw = text.encode("utf-8", "surrogatepass")
            task = asyncio.create_task(self._take_in(link, arrived, raw, receipt))
            self._working.add(task)
            task.add_done_callback(self._working.discard)

    async def _take_in(self, link: Link, arrived: Any, raw: bytes, receipt: Receipt) -> None:
        response = await self._door.frame(arrived, raw, receipt)
        if arrived.envelope_id is None:
            return
        result = "withheld" if response.status != OK else await self._acknowledge(link, arrived.envelope_id, response)
        if result in {"sent", "by_another_socket"}:
            took = self._clock.monotonic() - receipt.monotonic
            self._emitter.observe(metrics.ACK_SECONDS, took, transport="socket")
        self._emitter.count(metrics.ACKS, transport="socket", result=result)

    async def _acknowledge(self, link: Link, envelope_id: str, response: BoltResponse) -> str:
        """By the socket that it came by or, where that is gone, by another of the app's."""
        payload = json.loads(response.body) if response.body else None
        text = json.dumps(SocketModeResponse(envelope_id, payload).to_dict())
        others = [
            each for slot in self.slots for each in slot.links if each is not link and each.greeted_at is not None
        ]
        for each in (link, *others):
            with suppress(NotSent):
                await each.say(text)
                return "sent" if each is link else "by_another_socket"
        log.warning("an envelope is durable, and no socket is left to acknowledge it by: Slack sends it again")
        return "lost"


def _read(text: str, app_id: str | None) -> Arrived:
    """Whatever a frame does to whoever reads it, it is a dead letter, and no more."""
    try:
        return of_frame(text, app_id)
    except Exception as error:
        log.exception("a frame could not be read")
        return Unreadable("not_an_envelope", f"reading it failed: {type(error).__name__}")


async def _kept_up(slot: Slot) -> None:
    """A slot that fails in a way that was not foreseen begins anew, and takes no other with it."""
    while True:
        try:
            await slot.run()
        except Exception:
            log.exception("%s slot %d failed in a way that was not foreseen, and begins anew", *slot.who)
            await asyncio.sleep(PAUSE_S)
