"""What is asked of the projections, on behalf of one tenant."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from services.directory.service import ServiceDatabase
from services.directory.tenancy import acting_for
from services.supervisor.decisions.task import Approval, Task
from services.supervisor.decisions.wire import is_name

_TASK: Final = "select state from threadline.agent_tasks where task_id = $1"
APPROVAL: Final = """
    select i.*, t.state as task, t.recent from threadline.human_interventions i
    join threadline.agent_tasks t on t.tenant_id = i.tenant_id and t.task_id = i.task_id
    where i.kind in ('decision', 'choice', 'question')
"""
_BY_ID: Final = f"{APPROVAL} and i.intervention_id = $1"
_AS_ASKED: Final = (
    f"{APPROVAL} and i.request_id = $1 and ($2::text is null or i.task_id = $2) order by i.at desc limit 1"
)
_OPEN: Final = f"{APPROVAL} and i.state = 'open' and (i.request_id = $1 or i.task_id = $1) order by i.at limit $2"
_WAITING_RUNS: Final = """
    select state from threadline.agent_tasks
    where ended_at is null and status = 'waiting_for_approval' and state ->> 'run' is not null
    union all
    select state from threadline.agent_tasks where task_id = any($1::text[]) and (ended_at is not null
        or status <> 'waiting_for_approval') and state ->> 'run' is not null
"""
_ORDERS: Final = "select task_id, orders, state from threadline.agent_tasks where task_id = any($1::text[])"
_ALIVE: Final = """
    insert into threadline.agent_heartbeats (tenant_id, task_id, at)
    select $1, t.task_id, $4 from unnest($2::text[], $3::text[]) as named (task_id, lease_id)
    join threadline.agent_tasks t using (task_id)
    where t.ended_at is null and (named.lease_id is null or t.state #>> '{lease,lease_id}' = named.lease_id)
    on conflict (tenant_id, task_id) do update set at = excluded.at
"""
_LISTED: Final = """
    select t.state, h.at as heard_at from threadline.agent_tasks t
    left join threadline.agent_heartbeats h on h.tenant_id = t.tenant_id and h.task_id = t.task_id
    where ($1::text is null or t.status = $1) and ($2::text is null or t.agent_id = $2)
    order by t.ended_at is not null, t.last_at desc limit $3
"""
_CHECKPOINTS: Final = """
    select at, status, level, action, progress, step, context_used, cost_usd, details_json
    from threadline.agent_checkpoints where task_id = $1 order by at desc, event_id limit $2
"""
_ARTIFACTS: Final = """
    select at, artifact, title, link from threadline.task_artifacts where task_id = $1 order by at, event_id limit $2
"""
_INTERVENTIONS: Final = """
    select * from threadline.human_interventions where task_id = $1 order by at desc, intervention_id desc limit $2
"""
_CHILDREN: Final = """
    select state from threadline.agent_tasks where parent_task_id = $1 order by started_at limit $2
"""
_AGENTS: Final = "select distinct agent_id from threadline.agent_tasks"
_OFFERED: Final = """
    select state from threadline.agent_tasks where is_offered and ended_at is null and agent_id = $1
    order by started_at, task_id limit $2
"""
_FAMILY: Final = """
    with recursive above(task_id, parent_task_id, far) as (
        select task_id, parent_task_id, 0 from threadline.agent_tasks where task_id = $1
        union
        select t.task_id, t.parent_task_id, far + 1 from threadline.agent_tasks t
        join above on t.task_id = above.parent_task_id where far < $2
    ), family(task_id, far) as (
        select task_id, 0 from above
        union
        select t.task_id, far + 1 from threadline.agent_tasks t
        join family on t.parent_task_id = family.task_id where far < $2
    )
    select state from threadline.agent_tasks where task_id in (select task_id from family)
    order by started_at, task_id limit $3
"""
_SUMMARY: Final = """
    with spent as (
        select t.agent_id, sum(c.cost_usd) as usd from threadline.agent_checkpoints c
        join threadline.agent_tasks t on t.tenant_id = c.tenant_id and t.task_id = c.task_id
        where c.received_at >= $1 and c.cost_usd > 0 and t.last_at >= $1 group by t.agent_id
    )
    select agent_id, count(*) as tasks,
        count(*) filter (where status = 'complete') as complete,
        count(*) filter (where status = 'error' and ended_at is not null) as error,
        count(*) filter (where status = 'cancelled') as cancelled,
        count(*) filter (where ended_at is null) as open,
        coalesce(min(spent.usd), 0) as cost_usd,
        percentile_cont(0.5) within group (order by extract(epoch from ended_at - started_at))
            filter (where ended_at is not null) as seconds_p50
    from threadline.agent_tasks left join spent using (agent_id)
    where last_at >= $1 or ended_at is null group by agent_id order by agent_id
"""
_DECISIONS: Final = """
    select state, count(*) as times,
        percentile_cont(0.5) within group (order by extract(epoch from decided_at - at))
            filter (where decided_at is not null) as seconds_p50
    from threadline.human_interventions where kind in ('decision', 'choice', 'question') and at >= $1
    group by state order by state
"""


FARTHEST: Final = 8
"""So many generations of a task are told of, whatever programs say of their parents."""


@dataclass(frozen=True)
class Asked:
    """An approval, and the task that wants it."""

    approval: Approval
    task: Task
    recent: bytes
    """The task's last events, by which one is known again."""


@dataclass(frozen=True)
class Listed:
    """A task, and when its program said last that it lives."""

    task: Task
    heard_at: datetime | None


@dataclass(frozen=True)
class Story:
    """Everything of one task."""

    task: Task
    checkpoints: list[dict[str, Any]]
    artifacts: list[dict[str, Any]]
    interventions: list[dict[str, Any]]
    children: list[Task]


@dataclass(frozen=True)
class Summary:
    """What agents did in a stretch of time."""

    agents: list[dict[str, Any]]
    approvals: list[dict[str, Any]]


class Queries:
    """The questions. Each sees the rows of its tenant, and nobody else's."""

    def __init__(self, database: ServiceDatabase) -> None:
        self._database = database

    async def waiting_runs(self, tenant_id: str, named: Sequence[str]) -> dict[str, Task]:
        """Every run that waits for people, and those of the named that do not any more."""
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                rows = await connection.fetch(_WAITING_RUNS, list(named))
        return {each.task_id: each for each in (task_of(row["state"]) for row in rows)}

    async def task(self, tenant_id: str, task_id: str) -> Task | None:
        """A task as it stands."""
        if not is_name(task_id):
            return None
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                row = await connection.fetchrow(_TASK, task_id)
        return task_of(row["state"]) if row is not None else None

    async def approval(self, tenant_id: str, approval_id: str) -> Asked | None:
        """An approval by its own id."""
        if not is_name(approval_id):
            return None
        return await self._asked(tenant_id, _BY_ID, approval_id)

    async def approval_as_asked(self, tenant_id: str, request_id: str, task_id: str | None) -> Asked | None:
        """An approval by what its program calls it; the newest where several tasks use one name."""
        if not is_name(request_id) or not is_name(task_id or "-"):
            return None
        return await self._asked(tenant_id, _AS_ASKED, request_id, task_id)

    async def approvals_open(self, tenant_id: str, name: str, most: int) -> list[Asked]:
        """Those that wait under a name: their own, or their task's."""
        if not is_name(name):
            return []
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                rows = await connection.fetch(_OPEN, name, most)
        return [asked_of(row) for row in rows]

    async def _asked(self, tenant_id: str, question: str, *arguments: str | None) -> Asked | None:
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                row = await connection.fetchrow(question, *arguments)
        return asked_of(row) if row is not None else None

    async def alive(self, tenant_id: str, task_ids: list[str], leases: Mapping[str, str], now: datetime) -> None:
        """Their program says that they live: of those that a worker took, while it has them."""
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                await connection.execute(_ALIVE, tenant_id, task_ids, [leases.get(each) for each in task_ids], now)

    async def orders(self, tenant_id: str, task_ids: list[str]) -> dict[str, tuple[int, Task]]:
        """How often each was told something, and what."""
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                rows = await connection.fetch(_ORDERS, task_ids)
        return {row["task_id"]: (row["orders"], task_of(row["state"])) for row in rows}

    async def children(self, tenant_id: str, task_id: str, most: int) -> list[Task]:
        """Those that a task began, the oldest first."""
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                return [task_of(row["state"]) for row in await connection.fetch(_CHILDREN, task_id, most)]

    async def agents(self, tenant_id: str) -> list[str]:
        """Those that ever had a task."""
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                return [row["agent_id"] for row in await connection.fetch(_AGENTS)]

    async def offered(self, tenant_id: str, agent_id: str, most: int) -> list[Task]:
        """Tasks that a worker of an agent may take, the oldest first."""
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                return [task_of(row["state"]) for row in await connection.fetch(_OFFERED, agent_id, most)]

    async def listed(self, tenant_id: str, status: str | None, agent_id: str | None, most: int) -> list[Listed]:
        """Tasks, those that go on before those that are over, the newest first."""
        if not is_name(agent_id or "-"):
            return []
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                rows = await connection.fetch(_LISTED, status, agent_id, most)
        return [Listed(task_of(row["state"]), row["heard_at"]) for row in rows]

    async def story(self, tenant_id: str, task_id: str, most: int) -> Story | None:
        """One task with everything."""
        if not is_name(task_id):
            return None
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                row = await connection.fetchrow(_TASK, task_id)
                if row is None:
                    return None
                found = [
                    await connection.fetch(question, task_id, most)
                    for question in (_CHECKPOINTS, _ARTIFACTS, _INTERVENTIONS, _CHILDREN)
                ]
        checkpoints, artifacts, interventions, children = found
        return Story(
            task=task_of(row["state"]),
            checkpoints=[_checkpoint(each) for each in reversed(checkpoints)],
            artifacts=[dict(each) for each in artifacts],
            interventions=[_intervention(each) for each in reversed(interventions)],
            children=[task_of(each["state"]) for each in children],
        )

    async def family(self, tenant_id: str, task_id: str, most: int) -> list[Task]:
        """A task, those above it, and those under any of them, as far as a tree can be read."""
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                rows = await connection.fetch(_FAMILY, task_id, FARTHEST, most)
        return [task_of(row["state"]) for row in rows]

    async def summary(self, tenant_id: str, since: datetime) -> Summary:
        """What agents did since a moment."""
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                agents = await connection.fetch(_SUMMARY, since)
                approvals = await connection.fetch(_DECISIONS, since)
        return Summary([dict(each) for each in agents], [dict(each) for each in approvals])


def task_of(state: str) -> Task:
    """A task as its row keeps it."""
    return Task.model_validate_json(state, strict=False, extra="ignore")


def asked_of(row: asyncpg.Record) -> Asked:
    """An approval and its task."""
    return Asked(approval_of(row), task_of(row["task"]), row["recent"])


def approval_of(row: asyncpg.Record) -> Approval:
    """An approval as its row keeps it."""
    named = ("kind", "action", "arguments_json", "arguments_hash", "expires_at", "state", "answer", "reason", "via")
    return Approval(
        approval_id=row["intervention_id"],
        request_id=row["request_id"],
        asked_at=row["at"],
        choices=tuple(row["choices"]),
        decided_by=row["by_user"],
        decided_at=row["decided_at"],
        **{name: row[name] for name in named},
    )


def _checkpoint(row: asyncpg.Record) -> dict[str, Any]:
    found = dict(row)
    details = found.pop("details_json")
    return found | {"details": None if details is None else json.loads(details)}


def _intervention(row: asyncpg.Record) -> dict[str, Any]:
    hidden = {"tenant_id", "partition", "arguments_json"}
    found = {name: value for name, value in row.items() if name not in hidden}
    arguments = row["arguments_json"]
    return found | {"arguments": None if arguments is None else json.loads(arguments)}
