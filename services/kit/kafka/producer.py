"""Writes events to topics: durable before it says so, in order, each once per attempt of ours."""

import asyncio
from itertools import chain
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed
from aiokafka.structs import RecordMetadata
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, set_span_in_context

from schemas.attributes import Attributes
from schemas.base import Event
from schemas.record import Encoded, encode
from schemas.topics import TOPICS, Topic, name_of
from services.kit.groups import KafkaSettings
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.metrics import PUBLISH_SECONDS, PUBLISHED
from services.kit.kafka.pace import pace
from services.kit.telemetry.instruments import Instruments
from services.kit.telemetry.traces import context_of, current_trace

LINGER_MS = 0
"""Records that wait while a request is under way are batched anyway; waiting longer only adds to every ack."""

ABANDONED_WITHIN_S = 2.0

STRIPES = 64
"""Callers of one key take turns in the order in which they came. aiokafka lets whoever waits for a topic's metadata be
overtaken; a lock for each key would never go away again, so keys share some."""


class Producer:
    """An idempotent producer that waits for every in-sync replica. Records of one key stand in the order of `send`."""

    def __init__(self, settings: KafkaSettings, service: str, instruments: Instruments) -> None:
        self._prefix = settings.topic_prefix
        self.source = f"/threadline/{service}"
        """Who writes, as records say it."""
        self._instruments = instruments
        self._client = AIOKafkaProducer(
            **client_arguments(settings),
            client_id=f"threadline-{service}",
            acks="all",
            enable_idempotence=True,
            linger_ms=LINGER_MS,
            max_request_size=max(topic.largest_record for topic in TOPICS),
        )
        pace(self._client.client)
        self._turns = [asyncio.Lock() for _ in range(STRIPES)]
        self._gave_up = False
        """Whether something that was to be sent was not: what came behind it must not overtake it."""

    async def __aenter__(self) -> Self:
        """Connects."""
        await self._client.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Sends what is still waiting, and disconnects."""
        await self._client.stop()

    async def abandon(self) -> None:
        """Disconnects without sending what is still waiting.

        Nothing of it is delivered any more, but for what is on the wire already. Whoever waits for it is told that it
        failed, and may send it again by another producer.
        """
        client, sender = self._client, self._client._sender  # noqa: SLF001 - aiokafka 0.14 only leaves after sending all
        self._gave_up = client._closed = True  # noqa: SLF001 - likewise
        ending = {asyncio.create_task(client.client.close())}  # in a task of its own: it swallows a cancellation
        if sender is not None and (sending := sender.sender_task) is not None:
            sending.remove_done_callback(sender._fail_all)  # noqa: SLF001 - it fails without transactions
            sending.add_done_callback(lambda task: task.cancelled() or task.exception())
            sending.cancel()
            ending.add(sending)
        waiting = client._message_accumulator  # noqa: SLF001 - likewise
        batches = [*chain.from_iterable(waiting._batches.values()), *waiting._pending_batches]  # noqa: SLF001 - likewise
        waiting.fail_all(ProducerClosed())
        for batch in batches:
            if batch._drain_waiter.done():  # noqa: SLF001 - likewise
                batch._drain_waiter.exception()  # noqa: SLF001 - where nobody waits, nobody needs to be told
        await asyncio.wait(ending, timeout=ABANDONED_WITHIN_S)

    async def send(
        self, topic: Topic, key: str | bytes | None, event: Event, record_id: str
    ) -> "asyncio.Future[RecordMetadata]":
        """Queues an event. It is durable when the future that comes back is done."""
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
            span.end()

        try:
            async with self._turns[hash((topic.name, key)) % STRIPES]:
                if self._gave_up:
                    raise ProducerClosed  # noqa: TRY301 - it is counted like any other failure
                future: asyncio.Future[RecordMetadata] = await self._client.send(
                    f"{self._prefix}{topic.name}",
                    record.value,
                    key.encode() if isinstance(key, str) else key,
                    headers=list(record.headers),
                )
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
                "messaging.operation.type": "send",
                "messaging.destination.name": topic.name,
                "messaging.message.id": record_id,
            },
        )

    async def publish(self, topic: Topic, key: str | bytes | None, event: Event, record_id: str) -> RecordMetadata:
        """Writes an event and waits until it is durable."""
        return await (await self.send(topic, key, event, record_id))
