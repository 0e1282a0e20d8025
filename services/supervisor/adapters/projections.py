"""The projections in Postgres: written a batch at a time, all of it with how far the topic is folded, or nothing."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeAlias

import asyncpg

from services.directory.service import Connection as ServiceConnection
from services.supervisor.decisions.projecting import Changes, Held, Key, Row
from services.supervisor.decisions.task import Task

Connection: TypeAlias = "ServiceConnection | asyncpg.Connection[asyncpg.Record]"

_TASKS: Final = """
    insert into threadline.agent_tasks (tenant_id, task_id, partition, agent_id, task_name, status, parent_task_id,
        started_at, last_at, ended_at, cost_usd, version, is_offered, orders, state, recent)
    select $1, * from unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
        $9::timestamptz[], $10::timestamptz[], $11::float8[], $12::bigint[], $13::bool[], $14::bigint[], $15::jsonb[],
        $16::bytea[])
    on conflict (tenant_id, task_id) do update set partition = excluded.partition, agent_id = excluded.agent_id,
        task_name = excluded.task_name, status = excluded.status, parent_task_id = excluded.parent_task_id,
        started_at = excluded.started_at, last_at = excluded.last_at, ended_at = excluded.ended_at,
        cost_usd = excluded.cost_usd, version = excluded.version, is_offered = excluded.is_offered,
        orders = excluded.orders, state = excluded.state, recent = excluded.recent
"""
_CHECKPOINTS: Final = """
    insert into threadline.agent_checkpoints (tenant_id, event_id, task_id, partition, at, received_at, status, level,
        action, progress, step, context_used, cost_usd, details_json)
    select $1, * from unnest($2::text[], $3::text[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::text[],
        $8::text[], $9::text[], $10::float8[], $11::text[], $12::bigint[], $13::float8[], $14::text[])
    on conflict do nothing
"""
_ARTIFACTS: Final = """
    insert into threadline.task_artifacts (tenant_id, event_id, task_id, partition, at, artifact, title, link)
    select $1, * from unnest($2::text[], $3::text[], $4::int[], $5::timestamptz[], $6::text[], $7::text[], $8::text[])
    on conflict do nothing
"""
_INTERVENTIONS: Final = """
    insert into threadline.human_interventions (tenant_id, intervention_id, request_id, task_id, partition, kind, state,
        action, arguments_json, arguments_hash, choices, answer, reason, by_user, via, at, expires_at, decided_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
    on conflict (tenant_id, intervention_id) do update set state = excluded.state, answer = excluded.answer,
        reason = excluded.reason, by_user = excluded.by_user, via = excluded.via, decided_at = excluded.decided_at
"""
_COPIED: Final = {
    "agent_checkpoints": "event_id, task_id, partition, at, received_at, status, level, action, progress, step, "
    "context_used, cost_usd, details_json",
    "task_artifacts": "event_id, task_id, partition, at, artifact, title, link",
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
_HELD: Final = """
    select state, recent from threadline.agent_tasks where task_id = any($1::text[])
"""


async def write(connection: Connection, tenant_id: str, partition: int, changes: Changes) -> None:
    """The rows of one tenant. A row that stands already stays, but for what may change of it."""
    await _forget(connection, [(tenant_id, each) for each in changes.forgotten])
    if changes.tasks:
        rows = [task_row(each.task, each.recent, partition) for each in changes.tasks.values() if each.task is not None]
        await connection.execute(_TASKS, tenant_id, *_columns(rows))
    if changes.checkpoints:
        await connection.execute(_CHECKPOINTS, tenant_id, *_columns(changes.checkpoints.values()))
    if changes.artifacts:
        await connection.execute(_ARTIFACTS, tenant_id, *_columns(changes.artifacts.values()))
    if changes.interventions:
        await connection.executemany(_INTERVENTIONS, [(tenant_id, *row) for row in changes.interventions.values()])


async def write_anew(connection: Connection, tenant_id: str, partition: int, changes: Changes) -> None:
    """The same into tables where hardly anything of it stands yet: much faster, and where something does, the same."""
    await _forget(connection, [(tenant_id, each) for each in changes.forgotten])
    try:
        async with connection.transaction():
            for table, rows in (("agent_checkpoints", changes.checkpoints), ("task_artifacts", changes.artifacts)):
                records = [(tenant_id, *row) for row in rows.values()]
                columns = ["tenant_id", *_COPIED[table].split(", ")]
                await connection.copy_records_to_table(
                    table, schema_name="threadline", columns=columns, records=records
                )
    except asyncpg.UniqueViolationError:  # an event that was sent again long after, and stands already
        await write(connection, tenant_id, partition, changes)
    else:
        await write(connection, tenant_id, partition, replace(changes, checkpoints={}, artifacts={}, forgotten=set()))


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
    tenants, names = zip(*tasks, strict=True)
    for table in tables:
        of_them = (
            f"delete from threadline.{table} where (tenant_id, task_id) in "  # noqa: S608 - names of ours
            "(select * from unnest($1::text[], $2::text[]))"
        )
        await connection.execute(of_them, list(tenants), list(names))


async def read(connection: Connection, tenant_id: str, task_ids: Sequence[str]) -> dict[Key, Held]:
    """Tasks as they stand, of the tenant that is bound."""
    return dict(held_of(tenant_id, row) for row in await connection.fetch(_HELD, task_ids))


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


def _columns(rows: Iterable[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def shown_json(value: str | None) -> Any:
    """A JSON column as a value."""
    return None if value is None else json.loads(value)
