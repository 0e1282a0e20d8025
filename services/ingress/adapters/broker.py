"""The broker: writes records one way, and gets itself a new client when the old one is given up."""

import asyncio
from collections.abc import Callable

from aiokafka.errors import KafkaError, MessageSizeTooLargeError, RecordListTooLargeError
from aiokafka.structs import RecordMetadata

from services.ingress.adapters.outgoing import Outgoing
from services.kit.groups import KafkaSettings
from services.kit.kafka.producer import Producer
from services.kit.telemetry.instruments import Instruments

CONNECT_WITHIN_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0

TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)
"""The broker takes records, and never this one."""


class Broker:
    """One producer at a time."""

    def __init__(self, settings: KafkaSettings, instruments: Instruments) -> None:
        self._settings, self._instruments = settings, instruments
        self._producer: Producer | None = None

    async def write(self, record: Outgoing) -> RecordMetadata:
        """Returns when every in-sync replica has it."""
        if self._producer is None:
            raise KafkaError("not connected yet")
        return await (await self._producer.send_encoded(record.topic, record.key, record.encoded, record.id))

    async def renew(self, tell: Callable[[str], None]) -> None:
        """A new client. What the old one has not delivered it delivers no more: it would overtake, or come late.

        Tries until the broker answers; `tell` hears why it does not.
        """
        await self.close()
        pause = FIRST_PAUSE_S
        while True:
            producer = Producer(self._settings, "ingress", self._instruments)
            try:
                async with asyncio.timeout(CONNECT_WITHIN_S):
                    await producer.__aenter__()
            except (KafkaError, OSError) as error:  # TimeoutError among them
                await producer.abandon()
                tell(type(error).__name__)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
            except BaseException:
                await producer.abandon()
                raise
            else:
                self._producer = producer
                return

    async def close(self) -> None:
        """Leaves the broker, with what is under way."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.abandon()
