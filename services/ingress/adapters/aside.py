"""Puts records aside: into the spool, in order, several in one commit while the disk is busy."""

import asyncio
import logging

from services.ingress import metrics
from services.ingress.adapters.disk import Disk
from services.ingress.adapters.entry import Entry, NotKept
from services.ingress.adapters.spool import SpoolFailing
from services.kit.telemetry.instruments import Instruments

log = logging.getLogger(__name__)

BATCH = 256
"""At most so many records share one commit: the others need not wait long for it."""
REMIND_EVERY_S = 30.0
FULL = "the spool is full: what comes in is not acknowledged, and Slack keeps events for a while; bring the broker back"


class Aside:
    """What is to be spooled."""

    def __init__(self, disk: Disk, instruments: Instruments) -> None:
        self._disk, self._clock, self._emitter = disk, instruments.clock, instruments.emitter
        self._waiting: list[Entry] = []
        self._spooling: list[Entry] = []
        self._some, self._none = asyncio.Event(), asyncio.Event()
        self._none.set()
        self._told_at = float("-inf")
        self.published: set[int] = set()
        """Places in the spool whose records the broker took after all."""
        self.lost: int = 0
        """Records that were not kept since the last that was."""

    def put(self, entry: Entry) -> None:
        """In the order of the calls."""
        entry.aside = True
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

    def written(self, entry: Entry) -> None:
        """The broker took a record that was put aside."""
        entry.written = True
        if entry.seq is not None:
            self.published.add(entry.seq)

    async def run(self) -> None:
        """Spools what there is until it is cancelled."""
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting:
                self._spooling, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                await self._spool([entry for entry in self._spooling if not entry.written])
                for entry in self._spooling:
                    if entry.written:
                        entry.settle("broker")
                self._spooling = []
            self._none.set()

    async def _spool(self, entries: list[Entry]) -> None:
        if not entries:
            return
        try:
            places = await self._disk.append([entry.record for entry in entries])
        except SpoolFailing as fault:
            self._refuse(entries, str(fault))
            return
        for entry, seq in zip(entries, places, strict=True):
            entry.seq = seq
            if seq is not None:
                self.lost = 0
                entry.settle("spool")
                if entry.written:  # while it was being spooled
                    self.published.add(seq)
        self._refuse([entry for entry in entries if entry.seq is None], FULL)

    def _refuse(self, entries: list[Entry], why: str) -> None:
        if not entries:
            return
        self.lost += len(entries)
        self._emitter.count(metrics.NOT_KEPT, len(entries))
        now = self._clock.monotonic()
        if now - self._told_at >= REMIND_EVERY_S:
            self._told_at = now
            log.error("%s", why)
        for entry in entries:
            entry.settle("broker" if entry.written else NotKept(why))
