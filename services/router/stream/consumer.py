"""Faust's Kafka consumer, held to three things: no hole, no commit but our own, nothing read before its time.

Why: when a rebalance begins, Faust 0.15 drops the message in hand; later it takes the missing offsets for compacted
ones and commits past them. See ADR 16.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import faust
import faust.transport.drivers.aiokafka as driver
from faust.types import TP
from typing_extensions import override

from services.router.stream.beginning import Beginning, Standing
from services.router.stream.reading import Reading

log = logging.getLogger(__name__)

Begin = Callable[[int, Standing], Beginning]
"""Says where a partition is read on, as its group and its log stand."""
CANNOT_BE_SOUND = 70
SOONER_S = 5.0
NOT_COMMITTED = "where it begins could not be committed: the group is being shared out anew"


@dataclass(frozen=True)
class Watch:
    """What a consumer is held to."""

    reading: Reading
    begin: Begin
    committed: Callable[[int, int], None]
    """Hears of each commit: a partition, and the offset below which all is done."""


class GaplessConsumer(driver.Consumer):
    """Hands over each partition's offsets without a hole, and commits our watermark."""

    watch: Watch

    @override
    def __post_init__(self) -> None:
        self._halted: set[TP] = set()
        self._found_commit: dict[TP, int] = {}

    @override
    async def getmany(self, timeout: float) -> AsyncIterator[Any]:
        reading = self.watch.reading
        self._heed_halts()
        for partition, offset in reading.rewinds().items():
            await self._go_to(TP(reading.topic, partition), offset)
        missing: dict[TP, int] = {}
        async for tp, message in super().getmany(timeout):
            if tp.topic == reading.topic:
                allowed = None if tp in missing else reading.hand_over(tp.partition, message.offset)
                if allowed != message.offset:
                    if allowed is not None:
                        missing[tp] = allowed
                    continue
                self._read_offset[tp] = message.offset
            yield tp, message
        for tp, offset in missing.items():
            await self._go_to(tp, offset)

    def _heed_halts(self) -> None:
        """What is not to be read is not fetched, either."""
        reading = self.watch.reading
        halted = {TP(reading.topic, each) for each, place in reading.places.items() if place.halted}
        self.pause_partitions(halted - self._halted)
        self.resume_partitions(self._halted - halted)
        self._halted = halted

    async def _go_to(self, tp: TP, offset: int) -> None:
        if tp in self.assignment():
            await self.seek_wait({tp: offset})

    @override
    async def perform_seek(self) -> None:
        """Faust takes it for stopped, without a word, if this takes longer than a request may."""
        async with asyncio.timeout(self.app.conf.broker_request_timeout - SOONER_S):
            await self._perform_seek()

    async def _perform_seek(self) -> None:
        await super().perform_seek()
        reading = self.watch.reading
        ours = {tp for tp in self.assignment() if tp.topic == reading.topic}
        reading.keep_only({tp.partition for tp in ours})
        self._halted.clear()
        if not ours:
            return
        first, end = await self.earliest_offsets(*ours), await self.highwaters(*ours)
        never_read: dict[TP, int] = {}
        for tp in sorted(ours):
            beginning = self.watch.begin(tp.partition, Standing(self._found_commit.get(tp), first[tp], end[tp]))
            place = reading.begin(tp.partition, self.app.consumer_generation_id, beginning.at)
            if beginning.is_elsewhere:
                reading.go_on_at(tp.partition, beginning.at)
            place.halted = beginning.halted
            if tp not in self._found_commit and beginning.halted is None:
                never_read[tp] = beginning.at
            self._acked[tp].clear()  # Faust commits only what has an entry here
            await self._go_to(tp, beginning.at)
        await self._commit_first(never_read)

    async def _commit_first(self, beginnings: Mapping[TP, int]) -> None:
        """A commit stands before the first row does, so that rows without one always mean that it was lost."""
        if beginnings and not await self._commit(beginnings):
            for tp in beginnings:
                self.watch.reading.places[tp.partition].halted = NOT_COMMITTED

    @override
    async def seek_to_committed(self) -> Mapping[TP, int]:
        found = await super().seek_to_committed()
        self._found_commit = {TP(*tp): offset for tp, offset in _certain(found)}
        return found

    @override
    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        done = await super()._commit(offsets)
        if done:
            for tp, offset in offsets.items():
                self.watch.committed(tp.partition, offset)
        return done

    @override
    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        if tp.topic == self.watch.reading.topic:
            log.critical("offsets %d to %d of %s would be passed over: the process ends", offset_from, offset_to, tp)
            logging.shutdown()
            os._exit(CANNOT_BE_SOUND)

    @override
    def _should_commit(self, tp: TP, offset: int) -> bool:
        """A commit may go back: where the log was made anew."""
        return offset != self._committed_offset[tp]

    @override
    def _new_offset(self, tp: TP) -> int | None:
        self._acked[tp].clear()
        self._acked_index[tp].clear()
        return self.watch.reading.may_commit(tp.partition, self.app.consumer_generation_id)


class GaplessTransport(driver.Transport):
    """Faust's transport with such a consumer."""

    def __init__(self, app: faust.App, watch: Watch) -> None:
        super().__init__(app.conf.broker_consumer, app)
        self._watch = watch

    @override
    def create_consumer(self, callback: Any, **named: Any) -> GaplessConsumer:
        consumer = GaplessConsumer(self, callback=callback, loop=self.loop, **named)
        consumer.watch = self._watch
        return consumer


def _certain(found: Mapping[TP, int | None]) -> Iterator[tuple[TP, int]]:
    """Partitions with a commit. Of one without, the client says nothing or -1."""
    for tp, offset in found.items():
        if offset is not None and offset >= 0:
            yield tp, offset
