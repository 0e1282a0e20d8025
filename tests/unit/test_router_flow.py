"""The order of things between a record and its acknowledgement: row, then what follows, then the watermark."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, cast

from typing_extensions import override

from schemas.topics import AUDIT_DECISIONS, ROUTER_JOURNAL, RUNS_COMMANDS
from services.kit.groups import KafkaSettings
from services.router.stream import row
from services.router.stream.deciding import Answer, Halt, Out, Plan, Source
from services.router.stream.flow import Flow, Lanes
from services.router.stream.journal import Journal
from services.router.stream.lane import Letter
from services.router.stream.memory import Memory
from services.router.stream.reading import Reading
from services.router.stream.row import Row

MOST = 4


class PlainLane:
    """A lane whose records are written when the test says so."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def put(self, letters: list[Letter]) -> None:
        self.letters += letters

    def trouble(self) -> None:
        return None

    def drop(self) -> None:
        """A test that leaves wants to see what arrives all the same."""

    def __len__(self) -> int:
        return len(self.letters)

    def write(self, count: int | None = None) -> list[Letter]:
        """The first ones are durable."""
        written, self.letters = self.letters[:count], self.letters[count:] if count is not None else []
        for letter in written:
            letter.settled()
        return written


@dataclass
class Opened:
    turn: str
    at: float


@dataclass
class Letters:
    """Decides records whose value says what becomes of them: `a` is known, `?b` waits, `!` halts."""

    decided: list[int] = field(default_factory=list)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    halts: bool = True

    def open(self, source: Source) -> Opened:
        return Opened((source.value or b"").decode(), source.appended_s)

    def missing(self, opened: Opened) -> Awaitable[object] | None:
        return self.answered.wait() if opened.turn.startswith("?") and not self.answered.is_set() else None

    def decide(self, opened: Opened, source: Source, memory: Memory, now: float) -> Answer:  # noqa: ARG002 - as it is asked
        if opened.turn == "!" and self.halts:
            return Halt("look")
        self.decided.append(source.offset)
        decided = Row(now, now + 60, ((opened.turn, source.offset, now + 60),), b"said")
        return Plan(decided, self._out(source), row.encode(decided))

    def written(self, opened: Opened) -> None:
        """Nobody counts."""

    def repeat(self, opened: Opened, source: Source, decided: Row) -> Plan:  # noqa: ARG002 - likewise
        assert decided.said == b"said"
        return Plan(decided, self._out(source))

    def _out(self, source: Source) -> tuple[Out, ...]:
        name = str(source.offset).encode()
        return (
            Out(RUNS_COMMANDS, "k", name, (), is_audit=False),
            Out(AUDIT_DECISIONS, "k", name, (), is_audit=True),
        )


class Scene:
    """One partition, from offset 0 on."""

    def __init__(self, rows: dict[int, Row] | None = None) -> None:
        self.reading = Reading("in")
        self.reading.begin(0, 1, 0)
        self.main, self.audit, self.letters = PlainLane(), PlainLane(), Letters()
        self.rows = rows or {}
        lanes = Lanes(cast("Any", self.main), cast("Any", self.audit))
        self.flow = Flow(self.reading, _PlainJournal(self.rows), lanes, self.letters, MOST)

    async def begin(self, generation: int = 1) -> "Scene":
        await self.flow.load({0}, generation)
        return self

    async def take(self, *values: str, start: int = 0) -> None:
        for offset, value in enumerate(values, start):
            source = Source(0, offset, b"k", value.encode(), (), float(offset))
            await asyncio.wait_for(self.flow.take(source, 1), 2)

    def watermark(self) -> int:
        return self.reading.places[0].watermark

    @staticmethod
    def topics(letters: list[Letter]) -> list[str]:
        return [letter.topic.name for letter in letters]


class _PlainJournal(Journal):
    def __init__(self, rows: dict[int, Row]) -> None:
        super().__init__(ROUTER_JOURNAL, KafkaSettings())
        self._rows = rows

    @override
    async def read(self, partitions: set[int]) -> dict[int, dict[int, Row]]:
        return {each: dict(self._rows) for each in partitions}


async def test_nothing_is_said_before_the_row_is_durable() -> None:
    scene = await Scene().begin()
    await scene.take("a", "b")
    assert scene.topics(scene.main.letters) == ["router.journal", "router.journal"]
    assert scene.topics(scene.audit.letters) == []
    [first] = scene.main.write(1)
    assert (first.key, first.partition) == ("0", 0)
    assert row.decode(first.value or b"").said == b"said"
    assert scene.topics(scene.main.letters) == ["router.journal", "runs.commands"]
    assert scene.topics(scene.audit.letters) == ["audit.decisions"]


async def test_the_watermark_waits_for_everything_that_follows_and_keeps_the_order() -> None:
    scene = await Scene().begin()
    await scene.take("a", "b", "c")
    scene.main.write()
    scene.main.write()
    assert scene.watermark() == 0, "the audit is not written"
    scene.audit.letters[1].settled()
    assert scene.watermark() == 0, "the second is done, and the first is not"
    scene.audit.letters[0].settled()
    assert scene.watermark() == 2
    scene.audit.letters[2].settled()
    assert scene.watermark() == 3


async def test_a_record_that_was_decided_is_said_again_and_never_decided_again() -> None:
    decided = Row(7.0, 67.0, (("a", 0, 67.0),), b"said")
    scene = await Scene({0: decided, 1: decided}).begin()
    await scene.take("a", "b", "c")
    assert scene.letters.decided == [2]
    assert [letter.value for letter in scene.main.letters if letter.topic is RUNS_COMMANDS] == [b"0", b"1"]
    assert scene.topics(scene.main.letters).count("router.journal") == 1
    memory = scene.flow.memory(0)
    assert memory is not None
    assert memory.clock == 7.0, "the time of a decision is never earlier than those before it"


async def test_who_waits_is_overtaken_by_others_and_by_none_of_its_own() -> None:
    scene = await Scene().begin()
    await scene.take("?x", "a", "?x")
    assert scene.letters.decided == [1]
    assert scene.flow.parked() == 2
    scene.main.write()
    scene.main.write()
    scene.audit.write()
    assert scene.watermark() == 0
    scene.letters.answered.set()
    await asyncio.sleep(0.01)
    assert scene.letters.decided == [1, 0, 2]
    assert scene.flow.parked() == 0
    scene.main.write()
    scene.main.write()
    scene.audit.write()
    assert scene.watermark() == 3


async def test_so_many_may_wait_then_the_partition_waits() -> None:
    scene = await Scene().begin()
    await scene.take("?x", "?x", "?x", "?x", "?x")
    place = scene.reading.places[0]
    assert (scene.flow.parked(), place.halted is not None, place.expected) == (4, True, 4)
    scene.letters.answered.set()
    await asyncio.sleep(0.01)
    for _ in range(2):
        scene.main.write()
    scene.audit.write()
    assert place.halted is None
    assert scene.reading.rewinds() == {0: 4}
    await scene.take("?x", start=4)
    assert scene.letters.decided == [0, 1, 2, 3, 4]


async def test_so_many_may_be_on_their_way_then_the_next_one_waits_for_room() -> None:
    scene = await Scene().begin()
    await scene.take("a", "a", "a", "a")
    fifth = asyncio.create_task(scene.take("a", start=4))
    await asyncio.sleep(0.01)
    assert not fifth.done()
    for _ in range(2):
        scene.main.write()
    scene.audit.write(1)
    await fifth
    assert scene.letters.decided == [0, 1, 2, 3, 4]


async def test_a_halted_partition_goes_on_with_what_it_stopped_at() -> None:
    scene = await Scene().begin()
    await scene.take("a", "!", "c")
    assert scene.letters.decided == [0]
    assert scene.reading.places[0].halted == "look"
    for _ in range(2):
        scene.main.write()
    scene.audit.write()
    assert scene.watermark() == 1
    scene.letters.halts = False
    scene.flow.resume(0)
    assert scene.letters.decided == [0, 1]
    assert scene.reading.rewinds() == {0: 2}
    await scene.take("c", start=2)
    assert scene.letters.decided == [0, 1, 2]


async def test_what_an_earlier_assignment_did_moves_nothing() -> None:
    scene = await Scene().begin()
    await scene.take("a")
    scene.flow.leave()
    scene.reading.begin(0, 2, 0)
    scene.main.write()
    scene.main.write()
    scene.audit.write()
    assert scene.watermark() == 0
    assert scene.reading.may_commit(0, 2) is None


async def test_rows_whose_time_is_over_are_deleted_once_it_is_committed() -> None:
    scene = await Scene().begin()
    await scene.take("a")
    source = Source(0, 1, b"k", b"b", (), 10_000.0)
    await scene.flow.take(source, 1)
    scene.main.write()
    scene.main.write()
    scene.audit.write()
    assert scene.flow.forget() == 0, "nothing is committed"
    scene.flow.committed(0, 2)
    assert scene.flow.forget() == 1
    [tombstone] = scene.main.letters
    assert (tombstone.key, tombstone.value, tombstone.partition) == ("0", None, 0)
