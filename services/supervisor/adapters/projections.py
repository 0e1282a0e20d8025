"""The projections in Postgres: written a batch at a time, all of it with how far the topic is folded, or nothing."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

import asyncpg

from services.directory.service import Connection as ServiceConnection
from services.directory.service import bind
from services.supervisor.decisions.projecting import Changes, Held, Key, Row, apart
from services.supervisor.decisions.task import Task

Connection: TypeAlias = "ServiceConnection | asyncpg.Connection[asyncpg.Record]"

_COPIED: Final = {
    "agent_checkpoints": "tenant_id, event_id, task_id, partition, at, received_at, status, level, action, progress, "
    "step, context_used, cost_usd, details_json",
    "task_artifacts": "tenant_id, event_id, task_id, partition, at, artifact, title, link",
}
_OF_TASKS: Final = ("agent_checkpoints", "human_interventions", "task_artifacts")
_BESIDE_THEM: Final = ("agent_heartbeats", "agent_tellings")
"""What does not follow from the topic."""
_OLD: Final = """
    with gone as (
        delete from threadline.agent_tasks t where t.partition = $1 and t.ended_at is not null and t.last_at < $2
            and t.task_id in (
                select task_id from threadline.agent_tasks
                where partition = $1 and ended_at is not null and last_at < $2 order by last_at limit $3)
        returning t.tenant_id, t.task_id)
    select tenant_id, task_id from gone
"""
_HELD: Final = "select tenant_id, state, recent from threadline.held_tasks($1, $2)"


async def write(connection: Connection, partition: int, changes: Mapping[str, Changes]) -> set[str]:
    """The rows of tenants. A row that stands already stays, but for what may change of it.

    Gives the tenants that are gone from the directory. Of them nothing is written.
    """
    await _forget_former(connection, changes)
    return await _write(connection, _rows(partition, changes))


async def write_anew(connection: Connection, partition: int, changes: Mapping[str, Changes]) -> None:
    """The same into tables where hardly anything of it stands yet: much faster, and where something does, the same."""
    await _forget_former(connection, changes)
    rows = _rows(partition, changes)
    try:
        async with connection.transaction():
            for table, columns in _COPIED.items():
                await connection.copy_records_to_table(
                    table, schema_name="threadline", columns=columns.split(", "), records=rows[table]
                )
    except asyncpg.UniqueViolationError:  # an event that was sent again long after, and stands already
        await _write(connection, rows)
    else:
        await _write(connection, {table: of_table for table, of_table in rows.items() if table not in _COPIED})


async def _write(connection: Connection, rows: Mapping[str, list[Row]]) -> set[str]:
    gone: set[str] = set()
    for table, of_table in rows.items():
        if of_table:
            written = f"select threadline.write_{table}($1)"
            gone |= {row[0] for row in await connection.fetch(written, of_table)}
    return gone


async def _forget_former(connection: Connection, changes: Mapping[str, Changes]) -> None:
    """What belonged to tasks whose names others have by now."""
    for tenant_id, each in changes.items():
        if each.forgotten:
            await bind(connection, tenant_id)
            await _forget(connection, [(tenant_id, task_id) for task_id in each.forgotten])


def _rows(partition: int, changes: Mapping[str, Changes]) -> dict[str, list[Row]]:
    """By table, each as wide as that is."""
    rows: dict[str, list[Row]] = {table: [] for table in ("agent_tasks", *_OF_TASKS)}
    for tenant_id, each in changes.items():
        rows["agent_tasks"] += [
            (tenant_id, *task_row(held.task, held.recent, partition))
            for held in each.tasks.values()
            if held.task is not None
        ]
        rows["agent_checkpoints"] += [(tenant_id, *row) for row in each.checkpoints.values()]
        rows["human_interventions"] += [(tenant_id, *row) for row in each.interventions.values()]
        rows["task_artifacts"] += [(tenant_id, *row) for row in each.artifacts.values()]
    return rows


async def remove_old(connection: Connection, partition: int, before: datetime, most: int) -> int:
    """Takes away tasks that were over by a moment, with all that belongs to them. Gives how many these were."""
    async with connection.transaction():
        rows = await connection.fetch(_OLD, partition, before, most)
        await _forget(connection, [(row["tenant_id"], row["task_id"]) for row in rows], (*_OF_TASKS, *_BESIDE_THEM))
    return len(rows)


async def _forget(connection: Connection, tasks: Sequence[Key], tables: Sequence[str] = _OF_TASKS) -> None:
    """What belongs to tasks, but for their own rows."""
    if not tasks:
        return
    for table in tables:
        of_them = (
            f"delete from threadline.{table} where (tenant_id, task_id) in "  # noqa: S608 - names of ours
            "(select * from unnest($1::text[], $2::text[]))"
        )
        await connection.execute(of_them, *apart(tasks))


async def read(connection: Connection, keys: Collection[Key]) -> dict[Key, Held]:
    """Tasks as they stand."""
    return dict(held_of(row["tenant_id"], row) for row in await connection.fetch(_HELD, *apart(keys)))


def held_of(tenant_id: str, row: asyncpg.Record) -> tuple[Key, Held]:
    """A task as its row keeps it."""
    task = Task.model_validate_json(row["state"], strict=False, extra="ignore")
    return (tenant_id, task.task_id), Held(task, row["recent"])


def task_row(task: Task, recent: bytes, partition: int) -> Row:
    """What stands of a task, but for whose it is."""
    return (
        task.task_id,
        partition,
        task.agent_id,
        task.task_name,
        task.status,
        task.parent_task_id,
        task.started_at,
        task.received_at,
        ended_at(task),
        task.cost_usd,
        task.version,
        task.is_offered,
        task.orders_version,
        task.model_dump_json(),
        recent,
    )


def ended_at(task: Task) -> datetime | None:
    """When it ended, if it did."""
    return task.at if task.is_over else None


def shown_json(value: str | None) -> Any:
    """A JSON column as a value."""
    return None if value is None else json.loads(value)
