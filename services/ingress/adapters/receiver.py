"""Takes in what arrived: makes the record of it, waits until that is durable, and says how to answer."""

import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from opentelemetry.trace import SpanKind

from schemas.attributes import Attributes
from schemas.envelope import Received, SlackEnvelope
from schemas.record import CannotWrite, encode
from schemas.topics import SLACK_INBOUND, name_of
from services.ingress import metrics
from services.ingress.adapters.dead_letters import SOURCE, dead_letter
from services.ingress.adapters.entry import NotKept
from services.ingress.adapters.intakes import Intakes
from services.ingress.adapters.outgoing import Outgoing
from services.ingress.decisions.answering import answer_to
from services.ingress.decisions.event_types import event_type_of
from services.ingress.decisions.masking import masked
from services.ingress.decisions.reading import Arrived, Challenge, Delivery, Probe, Unreadable
from services.ingress.decisions.removal import removed_from
from services.ingress.sealing import SealFor
from services.kit.telemetry.instruments import Instruments
from services.kit.telemetry.traces import About, current_trace, spanning

log = logging.getLogger(__name__)

Json = dict[str, Any]
Transport = Literal["socket", "http"]
Close = Callable[[str, str, datetime], Awaitable[None]]
"""An app was removed from a workspace: throws its tokens away."""

TELL_EVERY_S = 10.0
ROOM = 16 * 1024
"""Of the topic's largest record, what headers, the key and the batch around it may take."""


@dataclass(frozen=True)
class Receipt:
    """When and how something came in."""

    transport: Transport
    at: datetime
    monotonic: float
    slot: int | None = None
    app_id: str | None = None


@dataclass(frozen=True)
class Taken:
    """It is durable, or needs not be: it is to be acknowledged, with this payload perhaps."""

    payload: Json | None


@dataclass(frozen=True)
class Refused:
    """Nothing kept it: it must not be acknowledged."""

    why: str


class Receiver:
    """What every way in leads to."""

    def __init__(self, name: str, intakes: Intakes, instruments: Instruments, seal_for: SealFor) -> None:
        self._name, self._intakes, self._seal_for = name, intakes, seal_for
        self._clock, self._emitter, self._tracer = instruments.clock, instruments.emitter, instruments.tracer
        self._told_at = float("-inf")
        self.close_installation: Close | None = None
        """What is done when an app is removed; nothing where there is no directory."""

    async def receive(self, arrived: Arrived, raw: bytes, receipt: Receipt) -> Taken | Refused:
        """Takes it in. Up to where it is handed over nothing is awaited, so that the order is that of the calls."""
        if isinstance(arrived, Challenge | Probe):
            return Taken(answer_to(arrived))
        event_type = event_type_of(arrived)
        facts = {"messaging.system": "slack", "threadline.transport": receipt.transport}
        with spanning(self._tracer, About(f"receive {event_type}", SpanKind.SERVER, facts)):
            try:
                record = self._record_of(arrived, raw, receipt)
                kept = await self._intakes.take(record)
                await self._close_if_removed(arrived, receipt)
            except NotKept as fault:
                self._count(receipt, "refused")
                return Refused(str(fault))
            finally:
                took = self._clock.monotonic() - receipt.monotonic
                self._emitter.observe(metrics.DISPATCH_SECONDS, took, event_type=event_type)
        dead = record.topic is not SLACK_INBOUND
        self._count(receipt, "dead_letter" if dead else "spooled" if kept == "spool" else "published")
        return Taken(answer_to(arrived))

    def _count(self, receipt: Receipt, result: str) -> None:
        self._emitter.count(metrics.RECEIVED, transport=receipt.transport, result=result)

    def _record_of(self, arrived: Arrived, raw: bytes, receipt: Receipt) -> Outgoing:
        if not isinstance(arrived, Delivery):
            reason = arrived if isinstance(arrived, Unreadable) else Unreadable("not_an_envelope", "it is no envelope")
            return self._dead(raw, reason.reason, reason.detail, receipt)
        try:
            record = self._envelope(arrived, receipt)
        except CannotWrite as error:
            return self._dead(raw, "malformed_payload", str(error), receipt)
        if record.size > SLACK_INBOUND.largest_record - ROOM:
            return self._dead(raw, "too_large", f"the envelope has {record.size} bytes", receipt)
        return record

    def _envelope(self, delivery: Delivery, receipt: Receipt) -> Outgoing:
        try:
            received = Received(
                transport=receipt.transport,
                received_at=receipt.at,
                ingress=self._name,
                slot=receipt.slot,
                envelope_id=delivery.envelope_id,
                retry_attempt=delivery.retry_attempt,
                retry_reason=delivery.retry_reason,
            )
            envelope = SlackEnvelope(
                at=receipt.at,
                kind=delivery.kind,
                connection=delivery.connection,
                event_id=delivery.event_id,
                received=received,
                payload=masked(delivery.payload, self._seal_for(delivery.connection)),
            )
        except (ValueError, RecursionError) as error:
            raise CannotWrite(f"the payload cannot stand in an event: {type(error).__name__}") from None
        attributes = Attributes(delivery.event_id, name_of(SlackEnvelope), SOURCE, receipt.at, **current_trace())
        encoded = encode(SLACK_INBOUND, envelope, attributes)
        once_only = delivery.kind != "events_api"
        return Outgoing(SLACK_INBOUND, delivery.connection, delivery.event_id, encoded, receipt.at, once_only)

    def _dead(self, raw: bytes, reason: str, detail: str, receipt: Receipt) -> Outgoing:
        name = hashlib.sha256(raw).hexdigest()
        self._tell(
            f"what came in by {receipt.transport} goes to the dead letters ({reason}): {detail}", receipt.monotonic
        )
        return dead_letter(raw, reason, detail, receipt.at, name)

    def _tell(self, words: str, now: float) -> None:
        """A flood of rubbish is counted, and not told each time."""
        if now - self._told_at >= TELL_EVERY_S:
            log.warning("%s; those that follow are only counted, for %.0f s", words, TELL_EVERY_S)
            self._told_at = now

    async def _close_if_removed(self, arrived: Arrived, receipt: Receipt) -> None:
        removed = removed_from(arrived)
        if removed is not None and self.close_installation is not None:
            await self.close_installation(*removed, receipt.at)
