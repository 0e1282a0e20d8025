"""What one partition of agents.events comes to: taken from Postgres, folded on, and written back.

Whoever moves a partition's offset on in Postgres owns what follows. One who was taken for gone moves nothing: the
offset is not the one that it knew.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from schemas.agent import AgentEvent
from services.directory.service import ServiceDatabase, bind
from services.supervisor.adapters import projections
from services.supervisor.decisions.keeping import Keeping
from services.supervisor.decisions.projecting import Changes, Key, Projection, Step
from services.supervisor.decisions.task import Task

log = logging.getLogger(__name__)

IN_HAND: Final = timedelta(days=1)
"""A task that is over is kept in hand for so long: what is to be said of it may still wait."""
MOST_AT_ONCE: Final = 200
"""Old tasks that go in one transaction: whoever folds meanwhile waits for no more than that."""
CHANNEL: Final = "threadline_tasks"
"""On which those who wait for a task are told that it changed."""
_OFFERS: Final = "offers "
_WHERE: Final = "select next_offset from threadline.agent_projections where partition = $1"
_BEGIN: Final = """
    insert into threadline.agent_projections (partition, next_offset) values ($1, $2) on conflict do nothing
"""
_MOVE: Final = """
    update threadline.agent_projections set next_offset = $3 where partition = $1 and next_offset = $2
"""
_NOTIFY: Final = "select pg_notify($1, each) from unnest($2::text[]) each"
_TENANTS: Final = "select threadline.tenants_with_tasks($1, $2)"
_WITH_OLD: Final = "select threadline.tenants_with_old_tasks($1, $2)"
_TASKS: Final = """
    select state, recent from threadline.agent_tasks where partition = $1 and (ended_at is null or last_at >= $2)
"""


class Moved(Exception):
    """Somebody else has folded on. What is known here is old."""


@dataclass(frozen=True)
class Heard:
    """One event of the topic."""

    event: AgentEvent
    id: str
    offset: int


@dataclass
class Partition:
    """One partition in hand."""

    number: int
    next_offset: int
    projection: Projection
    changed: set[Key] = field(default_factory=set)
    """Tasks that changed and were not looked at since by who speaks of them."""

    @property
    def tasks(self) -> list[Task]:
        """Those in hand, as they are written."""
        return [held.task for held in self.projection.tasks.values() if held.task is not None]

    def task(self, key: Key) -> Task | None:
        """One of them, likewise."""
        held = self.projection.tasks.get(key)
        return held.task if held is not None else None


async def load(database: ServiceDatabase, number: int, first_offset: int, keeping: Keeping) -> Partition:
    """A partition as Postgres has it; from the first offset that there is where it was never folded."""
    projection, now = Projection(number, kept=keeping.kept), keeping.now
    async with database.for_nobody() as connection:
        await connection.execute(_BEGIN, number, first_offset)
        next_offset: int = await connection.fetchval(_WHERE, number)
        since = now - IN_HAND
        tenants = [row[0] for row in await connection.fetch(_TENANTS, number, since)]
        for tenant_id in tenants:
            await bind(connection, tenant_id)
            rows = await connection.fetch(_TASKS, number, since)
            projection.tasks |= dict(projections.held_of(tenant_id, row) for row in rows)
    if next_offset < first_offset:
        log.warning(
            "partition %d of agents.events begins at %d, and was folded up to %d: what stood between is gone, and the "
            "tasks are as they were known",
            *(number, first_offset, next_offset),
        )
    return Partition(number, next_offset, projection, changed=set(projection.tasks))


async def step_back(database: ServiceDatabase, partition: Partition, end: int) -> None:
    """Where the tables are ahead of the log, as after a restore: what comes has offsets that were folded before."""
    log.warning(
        "partition %d of agents.events ends at %d, and was folded up to %d: the log is older than the tables, as after "
        "a restore. The tasks are as they were known, and what comes is folded from there",
        *(partition.number, end, partition.next_offset),
    )
    async with database.for_nobody() as connection:
        if await connection.execute(_MOVE, partition.number, partition.next_offset, end) != "UPDATE 1":
            raise Moved
    partition.next_offset = end


async def fetch_missing(database: ServiceDatabase, partition: Partition, keys: set[Key]) -> None:
    """Takes in hand what Postgres knows of tasks that are not."""
    missing = keys - partition.projection.tasks.keys()
    if missing:
        async with database.for_nobody() as connection:
            partition.projection.tasks |= await projections.read(connection, missing)


def fold(partition: Partition, heard: Heard) -> Step:
    """What an event makes of its task. Nothing is written yet."""
    return partition.projection.take(heard.event, heard.id)


async def write(database: ServiceDatabase, partition: Partition, next_offset: int) -> None:
    """Writes what changed, and how far that is. `Moved` where somebody else did so before."""
    changes = partition.projection.changes
    try:
        gone = await _write(database, partition, next_offset, changes)
    except asyncpg.ForeignKeyViolationError:  # a tenant went at this moment: now it is gone
        gone = await _write(database, partition, next_offset, changes)
    partition.next_offset = next_offset
    partition.changed |= partition.projection.written()
    for tenant_id in gone:
        log.warning(
            "the tenant %s is gone from the directory: what its agents say is kept in the topic alone", tenant_id
        )
        partition.projection.forget_tenant(tenant_id)


async def _write(
    database: ServiceDatabase, partition: Partition, next_offset: int, changes: dict[str, Changes]
) -> set[str]:
    """In one transaction. Gives the tenants that are gone."""
    async with database.for_nobody() as connection:
        moved = await connection.execute(_MOVE, partition.number, partition.next_offset, next_offset)
        if moved != "UPDATE 1":
            raise Moved
        gone = await projections.write(connection, partition.number, changes)
        told = {name for tenant_id in changes.keys() - gone for name in _changed(tenant_id, changes[tenant_id])}
        await connection.execute(_NOTIFY, CHANNEL, sorted(told))
    return gone


async def remove_old(database: ServiceDatabase, number: int, before: datetime) -> int:
    """Takes away tasks that were over by a moment, a few at a time. Gives how many these were."""
    removed = 0
    async with database.for_nobody() as connection:
        tenants = [row[0] for row in await connection.fetch(_WITH_OLD, number, before)]
    for tenant_id in tenants:
        more = MOST_AT_ONCE
        while more == MOST_AT_ONCE:
            async with database.for_nobody() as connection:
                await bind(connection, tenant_id)
                more = await projections.remove_old(connection, number, before, MOST_AT_ONCE)
            removed += more
    return removed


def _changed(tenant_id: str, changes: Changes) -> set[str]:
    """Whom it concerns: who waits for a task, and who waits for any task of an agent."""
    tasks = [each.task for each in changes.tasks.values() if each.task is not None]
    offers = {f"{tenant_id}/{offers_of(each.agent_id)}" for each in tasks if each.is_offered}
    return offers | {f"{tenant_id}/{each.task_id}" for each in tasks}


def offers_of(agent_id: str) -> str:
    """Stands where others name a task: that there is one for an agent's workers. No task has a blank in its name."""
    return f"{_OFFERS}{agent_id}"


def agent_offered(name: str) -> str | None:
    """The agent whose workers a name stands for, if it does."""
    return name.removeprefix(_OFFERS) if name.startswith(_OFFERS) else None
