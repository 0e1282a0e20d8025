"""Makes records durable, in the order in which they came: at the broker or, while that is away, in the spool.

It writes to the broker as long as that answers in time. After the first time-out, or the first failure, everything goes
to the spool at once; it is drained in order when the broker answers again, and only then is the broker written to
directly again. So what is newer never overtakes what is older.
"""

import asyncio
import logging
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Self

from services.ingress import metrics
from services.ingress.adapters.aside import REMIND_EVERY_S, Aside
from services.ingress.adapters.broker import TOO_LARGE, Broker
from services.ingress.adapters.dead_letters import instead_of
from services.ingress.adapters.disk import Disk
from services.ingress.adapters.entry import Entry, Kept
from services.ingress.adapters.outgoing import Outgoing
from services.ingress.adapters.spool import Contents, Spool, SpoolFailing, Waiting
from services.kit.telemetry.instruments import Instruments

log = logging.getLogger(__name__)

ROWS = 64
PAUSE_S = 0.5
MEASURE_EVERY_S = 1.0
ANSWER_WITHIN_S = 5.0
LEAVE_WITHIN_S = 2.0

WAYS_OUT = {
    "UnknownTopicOrPartitionError": "; `threadline topics apply` makes the topics",
    "TopicAuthorizationFailedError": "; the user may not write to the topics",
}


class Intake:
    """The one way to a topic."""

    def __init__(self, spool: Spool, broker: Broker, instruments: Instruments, patience_s: float) -> None:
        self._disk, self._broker, self._patience_s = Disk(spool), broker, patience_s
        self._clock, self._emitter = instruments.clock, instruments.emitter
        self._aside = Aside(self._disk, instruments)
        self._under_way: dict[int, Entry] = {}
        """What the broker was given and has not answered for, in order."""
        self._number = 0
        self._direct = False
        """Whether records go straight to the broker."""
        self._given_up = True
        """Whether the broker's client gave something up, and must be replaced."""
        self._told: tuple[str, float] = ("", float("-inf"))
        self._contents = Contents(spool.records)
        self._away, self._answered_one = asyncio.Event(), asyncio.Event()
        self._connected, self._drained = asyncio.Event(), asyncio.Event()
        self._away.set()
        self.broken = asyncio.Event()
        """Set where it cannot go on: the process is to end, and to be started again."""

    def take(self, record: Outgoing) -> "asyncio.Future[Kept]":
        """Takes a record, in the order of the calls. The future says where it is durable, or raises `NotKept`."""
        entry = Entry(record, asyncio.get_running_loop().create_future(), self._clock.monotonic())
        if self._direct:
            self._give(entry)
        else:
            self._aside.put(entry)
        return entry.kept

    def trouble(self) -> str | None:
        """What is wrong, for those who watch: what comes in is not kept."""
        return f"{self._aside.lost} records could not be kept" if self._aside.lost else None

    async def ready(self, within_s: float) -> bool:
        """Waits until the broker answers, and what a former process left is written. It does not wait for ever."""
        for event, patience_s in ((self._connected, ANSWER_WITHIN_S), (self._drained, within_s)):
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await event.wait()
            if not event.is_set():
                return False
        return True

    async def __aenter__(self) -> Self:
        """Begins to work."""
        self._running = asyncio.create_task(self._run())
        self._running.add_done_callback(self._ended)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Afterwards what was acknowledged is at the broker or in the spool."""
        try:
            await self._finish()
        finally:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            await self._broker.close()
            self._disk.close()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._aside.run())
            group.create_task(self._come_back())
            group.create_task(self._measure_now_and_then())

    def _ended(self, running: "asyncio.Task[None]") -> None:
        """It should end only when it is told to: without it nothing is kept any more."""
        if not running.cancelled() and (error := running.exception()) is not None:
            self.broken.set()
            log.critical("keeping envelopes failed in a way that was not foreseen", exc_info=error)

    async def _finish(self) -> None:
        """Waits a while for what is under way, and spools the rest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVE_WITHIN_S):
                await self._until_all_is_answered()
        self._put_aside_what_is_under_way()
        if not self._running.done():
            await self._aside.until_spooled()

    def _give(self, entry: Entry) -> None:
        self._number += 1
        self._under_way[self._number] = entry
        entry.timer = asyncio.get_running_loop().call_later(self._patience_s, self._too_slow)
        task = asyncio.create_task(self._broker.write(entry.record))
        task.add_done_callback(partial(self._answered, self._number))

    def _too_slow(self) -> None:
        self._turn_away(f"it took longer than {self._patience_s:g} s")

    def _answered(self, number: int, task: "asyncio.Task[Any]") -> None:
        """The broker took a record, or its client gave it up."""
        entry = self._under_way[number]
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self._aside.written(entry)
        else:
            self._given_up = True
            self._turn_away(_named(error))
        del self._under_way[number]
        entry.stop_timer()
        if entry.written and not entry.aside:
            entry.settle("broker")
        self._answered_one.set()

    def _turn_away(self, why: str) -> None:
        """From now on everything goes to the spool: first what the broker has not answered for, in order."""
        if self._direct:
            log.warning("the broker does not keep up (%s): what comes in is kept in the spool, and acknowledged", why)
            self._put_aside_what_is_under_way()

    def _put_aside_what_is_under_way(self) -> None:
        if not self._direct:
            return
        self._direct = False
        self._drained.clear()
        self._away.set()
        for entry in self._under_way.values():
            entry.stop_timer()
            self._aside.put(entry)
        self._emitter.set(metrics.SPOOLING, 1)

    async def _come_back(self) -> None:
        """Whenever the broker was away: waits for it, drains the spool, and writes to it directly again."""
        while True:
            await self._away.wait()
            await self._until_all_is_answered()
            try:
                await self._reconnect()
                await self._drain()
            except SpoolFailing as fault:
                self._tell("the spool cannot be drained", str(fault))
                await asyncio.sleep(PAUSE_S)
            except Exception as error:  # noqa: BLE001 - whatever the client raises, the record stays, and is tried again
                self._given_up = True
                self._tell("the broker did not take a record of the spool", _named(error))
                await asyncio.sleep(PAUSE_S)

    async def _until_all_is_answered(self) -> None:
        """The client may still deliver what it was given: draining before that would write it twice."""
        while self._under_way:
            self._answered_one.clear()
            await self._answered_one.wait()

    async def _reconnect(self) -> None:
        if self._given_up:
            await self._renew()

    async def _renew(self) -> None:
        await self._broker.renew(partial(self._tell, "the broker is away"))
        self._given_up = False
        self._connected.set()

    async def _drain(self) -> None:
        drained = 0
        while self._aside.entries or self._disk.records:
            for waiting in await self._disk.first(ROWS):
                await self._drain_one(waiting)
                drained += 1
        self._direct = True
        self._away.clear()
        self._drained.set()
        self._emitter.set(metrics.SPOOLING, 0)
        if drained:
            log.info("the broker answers again: %d records of the spool were written to it, in their order", drained)

    async def _drain_one(self, waiting: Waiting) -> None:
        """One after the other: whenever the process is killed, at most one record is written again."""
        published = self._aside.published
        if waiting.seq not in published:
            try:
                await self._broker.write(waiting.record)
            except TOO_LARGE:
                await self._renew()  # the client has counted a record that the broker never saw
                await self._broker.write(instead_of(waiting.record))
            published.add(waiting.seq)
        await self._disk.remove(waiting)
        published.discard(waiting.seq)

    def _tell(self, what: str, why: str) -> None:
        before, told_at = self._told
        now = self._clock.monotonic()
        if why != before or now - told_at >= REMIND_EVERY_S:
            self._told = (why, now)
            log.warning("%s (%s): what comes in is kept in the spool; it is tried again", what, why)

    async def _measure_now_and_then(self) -> None:
        while True:
            try:
                self._contents = await self._disk.contents()
            except SpoolFailing as fault:
                self._tell("the spool cannot be looked at", str(fault))
            self._measure()
            await asyncio.sleep(MEASURE_EVERY_S)

    def _measure(self) -> None:
        contents, oldest = self._contents, self._contents.oldest
        age = max(0.0, (self._clock.now() - oldest).total_seconds()) if oldest else 0.0
        on_the_way = (*self._under_way.values(), *self._aside.entries)
        waiting = max((self._clock.monotonic() - each.at for each in on_the_way), default=0.0)
        self._emitter.set(metrics.SPOOL_RECORDS, contents.records)
        self._emitter.set(metrics.SPOOL_BYTES, contents.size)
        self._emitter.set(metrics.SPOOL_AGE, age)
        self._emitter.set(metrics.OLDEST_UNPUBLISHED, max(age, waiting))
        self._emitter.set(metrics.SPOOLING, 0 if self._direct else 1)


def _named(error: BaseException) -> str:
    name = type(error).__name__
    return name + WAYS_OUT.get(name, "")
