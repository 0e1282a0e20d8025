"""Takes each record in its turn: decides it or repeats what was decided, writes the row, then what follows from it."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Generic

from services.router.stream.deciding import AnyOpened, Decider, Halt, Out, Source
from services.router.stream.journal import Journal
from services.router.stream.lane import Lane, Letter
from services.router.stream.memory import Memory
from services.router.stream.reading import Reading

log = logging.getLogger(__name__)

FORGET_AT_ONCE = 1000
BUSY = 100
"""Letters that wait in a lane: forgetting can wait, too."""
ASK_AGAIN_S = 1.0
WAITS = "what it waits for is away"


@dataclass(frozen=True)
class Lanes:
    """The audit has one of its own: where it cannot be written, answers go on while there is room in flight."""

    main: Lane
    audit: Lane

    def trouble(self) -> str | None:
        """What cannot be written for now."""
        found = {lane.name: lane.trouble() for lane in (self.main, self.audit)}
        return "; ".join(f"{name}: {why}" for name, why in found.items() if why is not None) or None

    def drop(self) -> None:
        """What is not handed over yet is let go."""
        self.main.drop()
        self.audit.drop()

    async def drained(self, within_s: float = 5.0) -> None:
        """What was put is written, unless that takes too long."""
        waited = 0.0
        while (len(self.main) or len(self.audit)) and waited < within_s:
            await asyncio.sleep(0.05)
            waited += 0.05


@dataclass(eq=False)
class Work(Generic[AnyOpened]):
    """One record on its way."""

    source: Source
    opened: AnyOpened
    generation: int
    now: float
    """The time of its decision: when it happened, never earlier than what stands before it in the log."""
    left: int = 1
    """What is not written yet. The decision itself is one."""
    is_done: bool = False


@dataclass(eq=False)
class Partition(Generic[AnyOpened]):
    """One partition of this assignment."""

    number: int
    generation: int
    memory: Memory
    clock: float | None = None
    in_flight: deque[Work[AnyOpened]] = field(default_factory=deque)
    parked: dict[str, deque[Work[AnyOpened]]] = field(default_factory=dict)
    """By turn, those that wait for something, and those behind them."""
    halted: list[Work[AnyOpened]] = field(default_factory=list)
    waiting: set["asyncio.Task[None]"] = field(default_factory=set)
    going: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared while it is halted: what waits for something else must not overtake."""


class Flow(Generic[AnyOpened]):
    """What happens between a record and its acknowledgement."""

    def __init__(
        self, reading: Reading, journal: Journal, lanes: Lanes, decider: Decider[AnyOpened], most_in_flight: int
    ) -> None:
        self._reading, self._journal, self._lanes, self._decider = reading, journal, lanes, decider
        self._most = most_in_flight
        self._partitions: dict[int, Partition[AnyOpened]] = {}
        self._room = asyncio.Event()
        self._leaving = False
        self.is_loaded = False
        """Whether it is known which partitions are ours, and what is remembered of them."""

    async def load(self, partitions: set[int], generation: int) -> None:
        """These are ours now: what is remembered of them is read anew, since others may have had them."""
        self.leave()
        await self._lanes.drained()
        rows = await self._journal.read(partitions)
        self._partitions = {each: Partition(each, generation, Memory(rows[each])) for each in sorted(partitions)}
        for each in self._partitions.values():
            each.going.set()
        self.is_loaded = True

    def leave(self) -> None:
        """None is ours any more. What is on its way may arrive, and moves nothing."""
        for each in self._partitions.values():
            for task in each.waiting:
                task.cancel()
        self._partitions = {}
        self._lanes.drop()
        self.is_loaded = False
        self._room.set()

    def stop_taking(self) -> None:
        """Nothing new is taken up any more."""
        self._leaving = True

    def memory(self, partition: int) -> Memory | None:
        """What is remembered of a partition of ours."""
        found = self._partitions.get(partition)
        return found.memory if found is not None else None

    def memories(self) -> list[Memory]:
        """What is remembered of each."""
        return [each.memory for each in self._partitions.values()]

    async def take(self, source: Source, generation: int) -> None:
        """The next record that the client hands over."""
        if self._leaving or not self._reading.take(source.partition, source.offset, generation):
            return
        partition = self._partitions.get(source.partition)
        if partition is None or partition.generation != generation:
            return
        while len(partition.in_flight) >= self._most:
            if partition.parked:
                self._reading.halt(source.partition, source.offset, WAITS)
                return
            self._room.clear()
            await self._room.wait()
            if self._partitions.get(source.partition) is not partition:
                return
        self._begin(source, partition)

    def _begin(self, source: Source, partition: Partition[AnyOpened]) -> None:
        opened = self._decider.open(source)
        row = partition.memory.row(source.offset)
        before = partition.memory.clock_below(source.offset) if partition.clock is None else partition.clock
        partition.clock = max(before, row.at if row is not None else opened.at)
        work = Work(source, opened, partition.generation, partition.clock)
        partition.in_flight.append(work)
        if row is not None:
            self._write(work, partition, self._decider.repeat(opened, source, row).out)
            return
        behind = partition.parked.get(opened.turn)
        if behind is not None:
            behind.append(work)
        elif (missing := self._decider.missing(opened)) is not None:
            self._park(work, partition, missing)
        else:
            self._decide(work, partition)

    def _park(self, work: Work[AnyOpened], partition: Partition[AnyOpened], missing: Awaitable[object]) -> None:
        partition.parked[work.opened.turn] = deque([work])
        task = asyncio.create_task(self._decide_later(work.opened.turn, partition, missing))
        partition.waiting.add(task)
        task.add_done_callback(partition.waiting.discard)

    async def _decide_later(self, turn: str, partition: Partition[AnyOpened], missing: Awaitable[object]) -> None:
        behind = partition.parked[turn]
        waits: Awaitable[object] | None = missing
        while behind:
            if waits is not None and not await self._has_come(waits):
                await asyncio.sleep(ASK_AGAIN_S)
            await partition.going.wait()
            waits = self._decider.missing(behind[0].opened)
            if waits is None:
                self._decide(behind.popleft(), partition)
        del partition.parked[turn]
        self._go_on(partition)

    @staticmethod
    async def _has_come(waits: Awaitable[object]) -> bool:
        """What fails is told, and asked for again: whoever waits must not be forgotten."""
        try:
            await waits
        except Exception:
            log.exception("what a record waits for cannot be had; it is asked for again")
            return False
        return True

    def _decide(self, work: Work[AnyOpened], partition: Partition[AnyOpened]) -> None:
        source, memory = work.source, partition.memory
        answer = self._decider.decide(work.opened, source, memory, work.now)
        if isinstance(answer, Halt):
            partition.halted.append(work)
            partition.going.clear()
            self._reading.halt(source.partition, self._next(source.partition), answer.why)
            return
        memory.keep(source.offset, answer.row)

        def written() -> None:
            self._write(work, partition, answer.out)

        self._lanes.main.put([self._journal.letter(source.partition, source.offset, answer.kept, written)])

    def _next(self, partition: int) -> int:
        return self._reading.places[partition].expected

    def _write(self, work: Work[AnyOpened], partition: Partition[AnyOpened], out: tuple[Out, ...]) -> None:
        work.left = len(out)
        if not out:
            work.is_done = True
            self._move(partition)

        def settled() -> None:
            work.left -= 1
            if work.left == 0:
                work.is_done = True
                self._decider.written(work.opened)
                self._move(partition)

        letters = [(each.is_audit, Letter(each.topic, each.key, each.value, each.headers, settled)) for each in out]
        self._lanes.main.put([letter for is_audit, letter in letters if not is_audit])
        self._lanes.audit.put([letter for is_audit, letter in letters if is_audit])

    def _move(self, partition: Partition[AnyOpened]) -> None:
        """The watermark follows what is done, in order."""
        while partition.in_flight and partition.in_flight[0].is_done:
            work = partition.in_flight.popleft()
            if self._partitions.get(work.source.partition) is partition:
                self._reading.done(work.source.partition, work.source.offset, work.generation)
        self._go_on(partition)

    def _go_on(self, partition: Partition[AnyOpened]) -> None:
        """There is room again."""
        self._room.set()
        place = self._reading.places.get(partition.number)
        is_ours = self._partitions.get(partition.number) is partition
        has_room = len(partition.in_flight) <= self._most // 2 and not partition.parked
        if is_ours and has_room and place is not None and place.halted == WAITS:
            self._reading.resume(partition.number)

    def void(self, number: int, then: Callable[[], None]) -> None:
        """What is remembered of a partition was of another log: it is let go, and `then` hears when it is gone."""
        partition = self._partitions[number]
        offsets = partition.memory.offsets()
        partition.memory = Memory()
        letters = [self._journal.tombstone(number, offset) for offset in offsets]
        if not letters:
            then()
            return
        self._lanes.main.put([*letters[:-1], replace(letters[-1], settled=then)])

    def resume(self, number: int) -> None:
        """A partition that was halted for a reason of the decider's reads on, beginning with what it stopped at."""
        partition = self._partitions.get(number)
        if partition is None:
            return
        works, partition.halted = partition.halted, []
        self._reading.resume(number)
        for work in works:
            self._decide(work, partition)
        if not partition.halted:
            partition.going.set()

    def committed(self, number: int, offset: int) -> None:
        """Everything below is committed: it is never asked for again."""
        partition = self._partitions.get(number)
        if partition is not None:
            partition.memory.settle(offset)

    def forget(self) -> int:
        """Lets go of what nobody needs any more, when there is time for it. Gives how many rows."""
        if len(self._lanes.main) > BUSY:
            return 0
        count = 0
        for number, partition in self._partitions.items():
            gone = partition.memory.forget(FORGET_AT_ONCE)
            self._lanes.main.put([self._journal.tombstone(number, offset) for offset in gone])
            count += len(gone)
        return count

    def in_flight(self) -> int:
        """How many records are on their way."""
        return sum(len(each.in_flight) for each in self._partitions.values())

    def parked(self) -> int:
        """How many wait for something."""
        return sum(len(queue) for each in self._partitions.values() for queue in each.parked.values())

    def waits(self, number: int) -> bool:
        """Whether something of a partition waits."""
        partition = self._partitions.get(number)
        return partition is not None and bool(partition.parked or partition.halted)

    def oldest(self) -> float | None:
        """When the oldest record on its way was appended."""
        first = (each.in_flight[0] for each in self._partitions.values() if each.in_flight)
        return min((work.source.appended_s for work in first), default=None)
