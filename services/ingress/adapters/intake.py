"""Makes records of one topic durable, in the order in which they came: at the broker or, when that is away, spooled.

It writes to the broker as long as that answers in time. After the first time-out, or the first failure, the broker's
client is given up, and everything goes to the spool at once, beginning with what the broker has not answered for. The
spool is drained in order when the broker answers again, and only then is the broker written to directly again. So what
is newer never overtakes what is older. What the broker took without our hearing of it is written again, with its id.
"""

import asyncio
import logging
from contextlib import suppress
from functools import partial
from itertools import takewhile
from types import TracebackType
from typing import Self

from aiokafka.structs import RecordMetadata

from schemas.topics import Topic
from services.ingress import metrics
from services.ingress.adapters.aside import REMIND_EVERY_S, Aside
from services.ingress.adapters.broker import TOO_LARGE, Broker
from services.ingress.adapters.dead_letters import instead_of
from services.ingress.adapters.disk import Disk
from services.ingress.adapters.entry import Entry, Kept, has_succeeded
from services.ingress.adapters.outgoing import Outgoing
from services.ingress.adapters.spool import Contents, Spool, Waiting
from services.ingress.adapters.spool_file import SpoolFailing, SpoolUnreadable
from services.kit.telemetry.instruments import Instruments

log = logging.getLogger(__name__)

ROWS = 64
"""So many records of the spool are under way at once: one after the other would not keep up with what comes in where
the broker takes long. A kill in the midst of them writes at most so many again."""
MOST_ROWS = 2_000
"""So many are looked at where one of them is not taken, and those behind it are."""
SETTLED_WITHIN_S = 1.0
PAUSE_S = 0.5
MEASURE_EVERY_S = 1.0
ANSWER_WITHIN_S = 5.0
LEAVE_WITHIN_S = 2.0
DRAINED_WITHIN_S = 15.0
"""How long the broker may take for the next of what is under way from the spool."""

WAYS_OUT = {
    "UnknownTopicOrPartitionError": "; `threadline topics apply` makes the topics",
    "TopicAuthorizationFailedError": "; the user may not write to the topic",
}


class Intake:
    """The one way to a topic."""

    def __init__(self, topic: Topic, spool: Spool, broker: Broker, instruments: Instruments, patience_s: float) -> None:
        self._topic, self._disk, self._broker, self._patience_s = topic.name, Disk(spool), broker, patience_s
        self._clock, self._emitter = instruments.clock, instruments.emitter
        self._aside = Aside(self._disk, topic.name, instruments)
        self._under_way: dict[int, Entry] = {}
        """What the broker was given and has not answered for, in order."""
        self._number = 0
        self._direct = False
        """Whether records go straight to the broker."""
        self._leaving = False
        self._written: set[tuple[int, int]] = set()
        """Places in the spool whose records the broker has, behind one that it has not."""
        self._told: tuple[str, float] = ("", float("-inf"))
        self._contents = Contents(spool.records)
        self._away, self._answered_one = asyncio.Event(), asyncio.Event()
        self._connected, self._drained = asyncio.Event(), asyncio.Event()
        self._away.set()
        self.letters: Intake | None = None
        """Where a record goes that the broker never takes; none for the letters themselves."""
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
        lost = self._aside.lost
        return f"{lost} records for {self._topic} could not be kept" if lost else None

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
                while self._under_way:
                    self._answered_one.clear()
                    await self._answered_one.wait()
        self._leaving = True
        self._put_aside_what_is_under_way()
        spooled = asyncio.create_task(self._aside.until_spooled())
        await asyncio.wait({spooled, self._running}, return_when=asyncio.FIRST_COMPLETED)
        spooled.cancel()

    def _give(self, entry: Entry) -> None:
        self._number += 1
        self._under_way[self._number] = entry
        entry.timer = asyncio.get_running_loop().call_later(self._patience_s, self._too_slow)
        entry.writing = asyncio.create_task(self._broker.write(entry.record))
        entry.writing.add_done_callback(partial(self._answered, self._number))

    def _too_slow(self) -> None:
        self._turn_away(f"it took longer than {self._patience_s:g} s")

    def _answered(self, number: int, task: "asyncio.Task[object]") -> None:
        """The broker took a record, or its client gave it up. One that was put aside meanwhile is settled there."""
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if number in self._under_way and error is not None:
            self._turn_away(_named(error))
        entry = self._under_way.pop(number, None)
        if entry is not None:
            entry.stop_timer()
            entry.settle("broker")
            self._aside.lost = 0
        self._answered_one.set()

    def _turn_away(self, why: str) -> None:
        """From now on everything goes to the spool: first what the broker has not answered for, in order."""
        if self._direct:
            what = "what comes in is kept in the spool, and acknowledged"
            log.warning("the broker does not keep up with %s (%s): %s", self._topic, why, what)
            self._put_aside_what_is_under_way()

    def _put_aside_what_is_under_way(self) -> None:
        self._direct = False
        self._drained.clear()
        if not self._leaving:
            self._away.set()
        under_way, self._under_way = self._under_way, {}
        for entry in under_way.values():
            entry.stop_timer()
            if entry.is_written:
                entry.settle("broker")
            else:
                self._aside.put(entry)
        self._emitter.set(metrics.SPOOLING, 1, topic=self._topic)

    async def _come_back(self) -> None:
        """Whenever the broker was away: waits for it, drains the spool, and writes to it directly again."""
        while True:
            await self._away.wait()
            try:
                await self._renew()
                await self._drain()
            except (SpoolFailing, SpoolUnreadable) as fault:
                self._tell("the spool cannot be drained", str(fault))
                await asyncio.sleep(PAUSE_S)
            except Exception as error:  # noqa: BLE001 - whatever the client raises, the records stay, and are tried again
                self._tell("the broker did not take what the spool holds", _named(error))
                await asyncio.sleep(PAUSE_S)

    async def _renew(self) -> None:
        await self._broker.renew(partial(self._tell, "the broker is away"))
        self._connected.set()

    async def _drain(self) -> None:
        drained = 0
        while self._aside.entries or self._disk.records:
            rows = await self._disk.first(min(ROWS + len(self._written), MOST_ROWS))
            try:
                if rows:
                    await self._write([each for each in rows if each.place not in self._written])
            finally:
                drained += await self._forget(rows)
        self._direct = True
        self._away.clear()
        self._drained.set()
        self._emitter.set(metrics.SPOOLING, 0, topic=self._topic)
        if drained:
            what = "the broker answers again: %d records of the spool were written to %s, in their order"
            log.info(what, drained, self._topic)

    async def _write(self, rows: list[Waiting]) -> None:
        """Writes them, in order, several at once. What the broker took is remembered, also where another fails."""
        writing = [(each, asyncio.create_task(self._broker.write(each.record))) for each in rows]
        try:
            for _, task in writing:
                async with asyncio.timeout(DRAINED_WITHIN_S):
                    await asyncio.shield(task)
        except TOO_LARGE:
            await _settled(writing)
            await self._write_one_by_one([each for each, task in writing if not has_succeeded(task)])
        except Exception:
            await _settled(writing)
            raise
        finally:
            for each, task in writing:
                if has_succeeded(task):
                    self._written.add(each.place)
                task.cancel()

    async def _write_one_by_one(self, rows: list[Waiting]) -> None:
        """One of them the broker never takes, while it takes others: it becomes a dead letter."""
        await self._renew()  # the client has counted records that the broker never saw
        for each in rows:
            try:
                async with asyncio.timeout(DRAINED_WITHIN_S):
                    await self._broker.write(each.record)
            except TOO_LARGE:
                await self._renew()
                await self._write_instead(instead_of(each.record))
            self._written.add(each.place)

    async def _write_instead(self, letter: Outgoing) -> None:
        if self.letters is None:
            await self._broker.write(letter)
        else:
            await self.letters.take(letter)

    async def _forget(self, rows: list[Waiting]) -> int:
        """Takes out what the broker has, up to the first that it has not. Gives how many those were."""
        gone = list(takewhile(lambda each: each.place in self._written, rows))
        self._written -= {each.place for each in gone}
        try:
            if gone:
                await self._disk.forget(gone)
        except (SpoolFailing, SpoolUnreadable) as fault:  # they are gone from memory: a disk that fails keeps nobody
            self._tell("what was written cannot be taken out of the spool", str(fault))
        return len(gone)

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
            except (SpoolFailing, SpoolUnreadable) as fault:
                self._tell("the spool cannot be looked at", str(fault))
            self._measure()
            await asyncio.sleep(MEASURE_EVERY_S)

    def _measure(self) -> None:
        contents, oldest = self._contents, self._contents.oldest
        age = max(0.0, (self._clock.now() - oldest).total_seconds()) if oldest else 0.0
        on_the_way = (*self._under_way.values(), *self._aside.entries)
        waiting = max((self._clock.monotonic() - each.at for each in on_the_way), default=0.0)
        self._emitter.set(metrics.SPOOL_RECORDS, contents.records, topic=self._topic)
        self._emitter.set(metrics.SPOOL_BYTES, contents.size, topic=self._topic)
        self._emitter.set(metrics.SPOOL_AGE, age, topic=self._topic)
        self._emitter.set(metrics.OLDEST_UNPUBLISHED, max(age, waiting), topic=self._topic)
        self._emitter.set(metrics.SPOOLING, 0 if self._direct else 1, topic=self._topic)


def _named(error: BaseException) -> str:
    name = type(error).__name__
    return name + WAYS_OUT.get(name, "")


async def _settled(writing: "list[tuple[Waiting, asyncio.Task[RecordMetadata]]]") -> None:
    """One was not taken: the others have a moment, so that they need not be written again."""
    await asyncio.wait([task for _, task in writing], timeout=SETTLED_WITHIN_S)
