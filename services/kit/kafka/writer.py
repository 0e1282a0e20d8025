"""aiokafka's producer as every service uses it: idempotent, durable on every in-sync replica, and given up cleanly."""

import asyncio
from itertools import chain
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed
from aiokafka.structs import RecordMetadata

from schemas.attributes import Headers
from schemas.topics import TOPICS, Topic
from services.kit.groups import KafkaSettings
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.pace import pace

LINGER_MS = 0
"""Records that wait while a request is under way are batched anyway; waiting longer only adds to every ack. It is worth
it where many records come one by one, and nobody waits for their acks: requests cost the broker more than records."""

BATCH_BYTES = 256 << 10
"""What may wait for a partition while a request is under way, and leaves with the next. aiokafka's own 16 kB are some
fifteen records: of a thousand a second, most would wait for their turn over several round trips."""

ABANDONED_WITHIN_S = 2.0


class Writer:
    """One client. Records of one partition stand in the order of `hand_over`, if one caller at a time calls it."""

    def __init__(self, settings: KafkaSettings, service: str, linger_ms: int = LINGER_MS) -> None:
        self._prefix = settings.topic_prefix
        self._client = AIOKafkaProducer(
            **client_arguments(settings),
            client_id=f"threadline-{service}",
            acks="all",
            enable_idempotence=True,
            linger_ms=linger_ms,
            max_batch_size=BATCH_BYTES,
            max_request_size=max(topic.largest_record for topic in TOPICS),
        )
        pace(self._client.client)

    async def __aenter__(self) -> Self:
        """Connects."""
        try:
            await self._client.start()
        except BaseException:
            await self._client.stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Sends what is still waiting, and disconnects."""
        await self._client.stop()

    async def hand_over(
        self, topic: Topic, key: str | bytes | None, value: bytes | None, headers: Headers, partition: int | None = None
    ) -> "asyncio.Future[RecordMetadata]":
        """Queues a record. It is durable when the future that comes back is done."""
        future: asyncio.Future[RecordMetadata] = await self._client.send(
            f"{self._prefix}{topic.name}",
            value,
            key.encode() if isinstance(key, str) else key,
            partition,
            headers=list(headers),
        )
        return future

    async def abandon(self) -> None:
        """Disconnects without sending what is still waiting.

        Nothing of it is delivered any more, but for what is on the wire already. Whoever waits for it is told that it
        failed, and may send it again by another client.
        """
        client, sender = self._client, self._client._sender  # noqa: SLF001 - aiokafka 0.14 only leaves after sending all
        client._closed = True  # noqa: SLF001 - likewise
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
