"""Makes the projections anew from the topic: each partition all at once or not at all, a process for each core.

The running supervisor goes on meanwhile. Where a partition is made anew it waits for that, and finds what it knew.
"""

import asyncio
import multiprocessing
import os
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Final, cast

import asyncpg
from aiokafka import ConsumerRecord

from schemas.agent import AgentEvent
from schemas.record import CannotRead, UnknownEvent, decode
from schemas.topics import AGENTS_EVENTS
from services.directory.connecting import connect
from services.directory.faults import told
from services.kit.fault import Fault
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.kit.kafka.passage import Passages, passages
from services.kit.turns import tidy
from services.supervisor.adapters import projections
from services.supervisor.decisions.keeping import Keeping
from services.supervisor.decisions.projecting import Key, Projection, keys_of

ANSWER_WITHIN_S: Final = 300.0
"""An operator's change may be large."""
AT_ONCE: Final = 10_000
TABLES: Final = ("agent_tasks", "agent_checkpoints", "human_interventions", "task_artifacts")

_WHERE: Final = "select next_offset from threadline.agent_projections where partition = $1 for update"
_TENANTS: Final = "select tenant_id from threadline.tenants"
_HELD: Final = """
    select tenant_id, state, recent from threadline.agent_tasks where partition = $1 and task_id = any($2::text[])
"""


@dataclass
class Rebuilt:
    """What came of it."""

    partitions: int = 0
    events: int = 0
    tasks: int = 0
    unreadable: int = 0
    of_nobody: int = 0
    """Events of tenants that are gone from the directory."""
    gone: int = 0
    """Events that retention has deleted. Tasks that began with them are as what is left says."""

    def add(self, more: "Rebuilt") -> None:
        """What came of another partition."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(more, each.name))


class NoOwner(Fault):
    """Only who owns the tables may empty them."""


async def rebuild(
    kafka: KafkaSettings, database: DatabaseSettings, keeping: Keeping, tell: Callable[[int, Rebuilt], None]
) -> Rebuilt:
    """All partitions, several at a time. What is not kept any more is not made anew."""
    if database.database_owner_url is None:
        raise NoOwner("THREADLINE_DATABASE_OWNER_URL is not set: only the owner of the tables may make them anew")
    async with passages(kafka, AGENTS_EVENTS) as topic:
        begins = await topic.begins()
    rebuilt, loop = Rebuilt(), asyncio.get_running_loop()
    context = multiprocessing.get_context("spawn")  # what is opened here is not to be shared
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(begins)), context) as processes:

        async def one(number: int, first: int) -> None:
            made = partial(_in_a_process, kafka, database, keeping)
            rebuilt.add(await loop.run_in_executor(processes, made, number, first))
            tell(number, rebuilt)

        await asyncio.gather(*(one(number, first) for number, first in sorted(begins.items())))
    return rebuilt


def _in_a_process(
    kafka: KafkaSettings, database: DatabaseSettings, keeping: Keeping, number: int, first: int
) -> Rebuilt:
    tidy()
    return asyncio.run(_one(kafka, database, keeping, number, first))


async def _one(kafka: KafkaSettings, database: DatabaseSettings, keeping: Keeping, number: int, first: int) -> Rebuilt:
    if database.database_owner_url is None:
        raise ValueError("it was asked for before")
    with told():
        connection = await connect(database.database_owner_url, "threadline rebuild", ANSWER_WITHIN_S)
        try:
            async with passages(kafka, AGENTS_EVENTS) as topic, connection.transaction():
                partition = _Partition(connection, number, keeping)
                await partition.rebuild(topic, first)
        finally:
            await connection.close()
    return partition.rebuilt


class _Partition:
    """One of them."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", number: int, keeping: Keeping) -> None:
        self._connection, self._number, self._keeping = connection, number, keeping
        self.rebuilt = Rebuilt(partitions=1)
        self._projection = Projection(number, kept=keeping.kept)

    async def rebuild(self, topic: Passages, first: int) -> None:
        """Empties what follows from it, and fills it again."""
        next_offset: int | None = await self._connection.fetchval(_WHERE, self._number)
        if next_offset is None or next_offset <= first:
            return  # nothing of it was ever folded, or nothing of that is left: what is known stays
        tenants = {row["tenant_id"] for row in await self._connection.fetch(_TENANTS)}
        for table in TABLES:
            emptied = f"delete from threadline.{table} where partition = $1"  # noqa: S608 - names of ours
            await self._connection.execute(emptied, self._number)
        self.rebuilt.gone += first
        passage = topic.read(self._number, range(first, next_offset))
        async for records in _batches(passage.more):
            await self._take([each for raw in records if (each := self._opened(raw, tenants)) is not None])
        while await projections.remove_old(self._connection, self._number, self._keeping.before, AT_ONCE):
            pass

    def _opened(self, raw: ConsumerRecord, tenants: set[str]) -> tuple[AgentEvent, str] | None:
        self.rebuilt.events += 1
        try:
            attributes, event = decode(AGENTS_EVENTS, raw.headers, raw.value)
        except CannotRead:
            self.rebuilt.unreadable += 1
            return None
        if isinstance(event, UnknownEvent):
            return None
        said = cast("AgentEvent", event)  # the topic holds no others
        if said.tenant_id not in tenants:
            self.rebuilt.of_nobody += 1
            return None
        return said, attributes.id

    async def _take(self, events: Sequence[tuple[AgentEvent, str]]) -> None:
        projection = self._projection
        await self._fetch_missing(keys_of(event for event, _ in events))
        for event, name in events:
            step = projection.take(event, name)
            self.rebuilt.tasks += step.before is None and step.after is not None
        await projections.write_anew(self._connection, self._number, projection.changes)
        projection.written()
        projection.forget(lambda task: task.is_over)

    async def _fetch_missing(self, keys: set[Key]) -> None:
        missing = [task_id for _, task_id in keys - self._projection.tasks.keys()]
        if missing:
            rows = await self._connection.fetch(_HELD, self._number, missing)
            self._projection.tasks |= dict(projections.held_of(row["tenant_id"], row) for row in rows)


async def _batches(more: Callable[[], Any]) -> AsyncIterator[list[ConsumerRecord]]:
    """Larger ones than the client hands out: Postgres takes many rows as fast as few."""
    gathered: list[ConsumerRecord] = []
    while records := await more():
        gathered += records
        if len(gathered) >= AT_ONCE:
            yield gathered
            gathered = []
    if gathered:
        yield gathered
