"""Hears of every stop, ahead of everything else: all of runs.stops, without a group, from an hour back."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from schemas.record import CannotRead
from schemas.stop import StopRequested
from schemas.topics import RUNS_STOPS
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import fetched, reader, record_of

log = logging.getLogger(__name__)

POLL_MS = 1000


class Stops:
    """Reads them. No run may start before those that are there already were heard."""

    def __init__(self, settings: KafkaSettings, since: datetime, heard: Callable[[StopRequested], None]) -> None:
        self._settings, self._since, self._heard = settings, since, heard
        self.are_heard = asyncio.Event()
        """Set when all that stood there is heard."""

    async def run(self) -> None:
        """Until it is cancelled."""
        async with reader(self._settings, RUNS_STOPS, self._since) as consumer:
            ends = await consumer.end_offsets(consumer.assignment())
            left = {tp for tp, end in ends.items() if await consumer.position(tp) < end}
            while True:
                if not left:
                    self.are_heard.set()
                for records in (await fetched(consumer, timeout_ms=POLL_MS)).values():
                    for raw in records:
                        try:
                            _, event = record_of(raw, self._settings.topic_prefix).decode()
                        except CannotRead as error:
                            log.error("a stop cannot be understood, and ends nothing: %s", error)  # noqa: TRY400 - the words say it
                            continue
                        if isinstance(event, StopRequested):
                            self._heard(event)
                left = {tp for tp in left if await consumer.position(tp) < ends[tp]}
