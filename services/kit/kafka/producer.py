"""Writes events to topics: durable before it says so, in order, each once per attempt of ours."""

import asyncio
from types import TracebackType
from typing import Self

from aiokafka.errors import ProducerClosed
from aiokafka.structs import RecordMetadata
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, StatusCode, set_span_in_context

from schemas.attributes import Attributes
from schemas.base import Event
from schemas.record import Encoded, encode
from schemas.topics import Topic, name_of
from services.kit.groups import KafkaSettings
from services.kit.kafka.metrics import PUBLISH_SECONDS, PUBLISHED
from services.kit.kafka.writer import LINGER_MS, Writer
from services.kit.telemetry.instruments import Instruments
from services.kit.telemetry.traces import context_of, current_trace, nobody_traces

STRIPES = 64
"""Callers of one key take turns in the order in which they came. aiokafka lets whoever waits for a topic's metadata be
overtaken; a lock for each key would never go away again, so keys share some."""


class Producer:
    """An idempotent producer that waits for every in-sync replica. Records of one key stand in the order of `send`."""

    def __init__(
        self, settings: KafkaSettings, service: str, instruments: Instruments, linger_ms: int = LINGER_MS
    ) -> None:
        self.source = f"/threadline/{service}"
        """Who writes, as records say it."""
        self._instruments = instruments
        self._writer = Writer(settings, service, linger_ms)
        self._turns = [asyncio.Lock() for _ in range(STRIPES)]
        self._gave_up = False
        """Whether something that was to be sent was not: what came behind it must not overtake it."""

    async def __aenter__(self) -> Self:
        """Connects."""
        await self._writer.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Sends what is still waiting, and disconnects."""
        await self._writer.__aexit__(kind, error, where)

    async def abandon(self) -> None:
        """Disconnects without sending what is still waiting; see `Writer.abandon`."""
        self._gave_up = True
        await self._writer.abandon()

    async def send(
        self, topic: Topic, key: str | bytes | None, event: Event, record_id: str
    ) -> "asyncio.Future[RecordMetadata]":
        """Queues an event. It is durable when the future that comes back is done."""
        span: Span = INVALID_SPAN
        trace: dict[str, str] = {}
        if not nobody_traces(self._instruments.tracer):
            span = self._publishing(topic, record_id)
            trace = current_trace(set_span_in_context(span))
        record = encode(topic, event, Attributes(record_id, name_of(type(event)), self.source, event.at, **trace))
        return await self._hand_over(topic, key, record, span)

    async def send_encoded(
        self, topic: Topic, key: str | bytes | None, record: Encoded, record_id: str
    ) -> "asyncio.Future[RecordMetadata]":
        """The same for a record that is encoded already. Its own headers say which trace it belongs to.

        Once one was not taken, no other is: records of one key are never overtaken, even where some fail.
        """
        span = self._publishing(topic, record_id, context_of(Attributes.from_headers(record.headers)))
        try:
            return await self._hand_over(topic, key, record, span)
        except BaseException:
            self._gave_up = True
            raise

    async def _hand_over(
        self, topic: Topic, key: str | bytes | None, record: Encoded, span: Span
    ) -> "asyncio.Future[RecordMetadata]":
        clock, emitter = self._instruments.clock, self._instruments.emitter
        begun = clock.monotonic()

        def settle(*, acknowledged: bool) -> None:
            emitter.observe(PUBLISH_SECONDS, clock.monotonic() - begun, topic=topic.name)
            emitter.count(PUBLISHED, topic=topic.name, result="acknowledged" if acknowledged else "failed")
            if not acknowledged:
                span.set_status(StatusCode.ERROR)
            span.end()

        try:
            async with self._turns[hash((topic.name, key)) % STRIPES]:
                if self._gave_up:
                    raise ProducerClosed  # noqa: TRY301 - it is counted like any other failure
                future = await self._writer.hand_over(topic, key, record.value, record.headers)
        except BaseException:
            settle(acknowledged=False)
            raise
        future.add_done_callback(lambda done: settle(acknowledged=not done.cancelled() and done.exception() is None))
        return future

    def _publishing(self, topic: Topic, record_id: str, context: Context | None = None) -> Span:
        return self._instruments.tracer.start_span(
            f"publish {topic.name}",
            context,
            kind=SpanKind.PRODUCER,
            attributes={
                "messaging.system": "kafka",
                "messaging.operation.name": "publish",
                "messaging.operation.type": "send",
                "messaging.destination.name": topic.name,
                "messaging.message.id": record_id,
            },
        )

    async def publish(self, topic: Topic, key: str | bytes | None, event: Event, record_id: str) -> RecordMetadata:
        """Writes an event and waits until it is durable."""
        return await (await self.send(topic, key, event, record_id))
