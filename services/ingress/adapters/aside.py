"""Puts records aside: into the spool, in order, several in one commit while the disk is busy."""

import asyncio
import logging
from collections.abc import Sequence

from services.ingress import metrics
from services.ingress.adapters.disk import Disk
from services.ingress.adapters.entry import Entry, NotKept
from services.ingress.adapters.spool_file import SpoolFailing, SpoolUnreadable
from services.kit.telemetry.instruments import Instruments

log = logging.getLogger(__name__)

BATCH = 256
"""At most so many records share one commit: the others need not wait long for it."""
MOST = 10_000
"""So many may wait for a disk that does not answer."""
REMIND_EVERY_S = 30.0
FULL = "the spool is full: what comes in is not acknowledged, and Slack keeps events for a while; bring the broker back"
STUCK = "the disk does not answer: what comes in is not acknowledged, and Slack keeps events for a while"


class Aside:
    """What is to be spooled."""

    def __init__(self, disk: Disk, topic: str, instruments: Instruments) -> None:
        self._disk, self._topic = disk, topic
        self._clock, self._emitter = instruments.clock, instruments.emitter
        self._waiting: list[Entry] = []
        self._spooling: list[Entry] = []
        self._some, self._none = asyncio.Event(), asyncio.Event()
        self._none.set()
        self._told_at = float("-inf")
        self.lost: int = 0
        """Records that were not kept since the last that was."""

    def put(self, entry: Entry) -> None:
        """In the order of the calls."""
        if len(self._waiting) >= MOST:
            self._refuse([entry], STUCK)
            return
        self._waiting.append(entry)
        self._some.set()
        self._none.clear()

    @property
    def entries(self) -> list[Entry]:
        """What is not in the spool yet."""
        return [*self._spooling, *self._waiting]

    async def until_spooled(self) -> None:
        """Waits until nothing is left to be spooled."""
        await self._none.wait()

    async def run(self) -> None:
        """Spools what there is until it is cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                self._spooling, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._spool(self._spooling)
                self._spooling = []
            self._none.set()

    async def _spool(self, entries: list[Entry]) -> None:
        try:
            kept = await self._on_disk(entries)
        except (SpoolFailing, SpoolUnreadable) as fault:
            self._refuse(entries, str(fault))
            return
        for entry, is_kept in zip(entries, kept, strict=True):
            if is_kept:
                self.lost = 0
                entry.settle("spool")
        self._refuse([entry for entry, is_kept in zip(entries, kept, strict=True) if not is_kept], FULL)

    async def _on_disk(self, entries: Sequence[Entry]) -> list[bool]:
        records = [entry.record for entry in entries]
        try:
            return await self._disk.append(records)
        except SpoolUnreadable as fault:
            log.error("%s", fault)  # noqa: TRY400 - its message says all there is to know
            return await self._disk.append(records)  # the damaged file is set aside, and this goes into a new one

    def _refuse(self, entries: list[Entry], why: str) -> None:
        if not entries:
            return
        self.lost += len(entries)
        self._emitter.count(metrics.NOT_KEPT, len(entries), topic=self._topic)
        now = self._clock.monotonic()
        if now - self._told_at >= REMIND_EVERY_S:
            self._told_at = now
            log.error("%s", why)
        for entry in entries:
            entry.settle(NotKept(why))
