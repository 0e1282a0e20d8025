"""Compares tasks with how their agents' tasks usually go, and with what they may cost."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from services.directory.holding import Known
from services.directory.service import Connection, bind
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.rights import budgets_of
from services.supervisor.decisions import budgets as bounds
from services.supervisor.decisions import judging
from services.supervisor.decisions.budgets import Budgets
from services.supervisor.decisions.following import Following, of_task
from services.supervisor.decisions.judging import Past
from services.supervisor.decisions.task import Task

EVERY_S: Final = 10.0
PAST_IS_KEPT_S: Final = 300.0
PAST: Final = timedelta(days=7)

_PAST: Final = """
    with steps as (
        select c.level, extract(epoch from c.at - lag(c.at) over w) as took_s,
            c.context_used - lag(c.context_used) over w as grown
        from threadline.agent_checkpoints c
        join threadline.agent_tasks t on t.tenant_id = c.tenant_id and t.task_id = c.task_id
        where t.agent_id = $1 and t.ended_at is not null and t.last_at >= $2
        window w as (partition by c.task_id order by c.at, c.event_id))
    select count(*) as steps, percentile_cont(0.95) within group (order by took_s) as step_s,
        percentile_cont(0.95) within group (order by grown) filter (where grown > 0) as grown,
        coalesce(avg((level = 'error')::int), 0) as errors
    from steps
"""
_SPENT: Final = """
    select t.agent_id, coalesce(sum(c.cost_usd), 0) as cost_usd from threadline.agent_checkpoints c
    join threadline.agent_tasks t on t.tenant_id = c.tenant_id and t.task_id = c.task_id
    where c.received_at >= $1 group by t.agent_id
"""


class Comparing:
    """Does so now and then."""

    def __init__(self, given: Given) -> None:
        self._directory, self._database, self._clock = given.directory, given.database, given.instruments.clock
        self._next_at = 0.0
        self._pasts: dict[tuple[str, str], tuple[Past, float]] = {}
        """Of agents, and until when that is good enough."""

    async def follow(self, tasks: Sequence[Task], now: datetime) -> list[Following]:
        """What follows for tasks that are not over; nothing where that was asked a moment ago."""
        if self._clock.monotonic() < self._next_at:
            return []
        self._next_at = self._clock.monotonic() + EVERY_S
        of_tenant: dict[str, list[Task]] = {}
        for each in tasks:
            of_tenant.setdefault(each.tenant_id, []).append(each)
        return [each for tenant_id, theirs in of_tenant.items() for each in await self._of(tenant_id, theirs, now)]

    async def _of(self, tenant_id: str, tasks: Sequence[Task], now: datetime) -> list[Following]:
        tenant = await self._directory.tenant(tenant_id)
        budgets = budgets_of(tenant) if isinstance(tenant, Known) else Budgets()
        found: list[Following] = []
        async with self._database.for_nobody() as connection:
            await bind(connection, tenant_id)
            spent = await spent_today(connection, now) if budgets.are_there else {}
            for task in tasks:
                judged = judging.of_past(task, await self._past(connection, task, now), now)
                found += [of_task(task, each, f"{each.judgement}:{task.life}:{task.steps}") for each in judged]
                found += bounds.judge(task, budgets, spent, now)
        return found

    async def _past(self, connection: Connection, task: Task, now: datetime) -> Past:
        key, monotonic = (task.tenant_id, task.agent_id), self._clock.monotonic()
        known = self._pasts.get(key)
        if known is None or known[1] <= monotonic:
            row = await connection.fetchrow(_PAST, task.agent_id, now - PAST)
            assert row is not None  # noqa: S101 - an aggregate always has a row
            past = Past(row["steps"], _number(row["step_s"]), _number(row["grown"]), float(row["errors"]))
            known = self._pasts[key] = past, monotonic + PAST_IS_KEPT_S
        return known[0]


async def spent_today(connection: Connection, now: datetime) -> dict[str, float]:
    """What each agent cost since midnight, UTC, by our clock: a program's may be wrong."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return {row["agent_id"]: row["cost_usd"] for row in await connection.fetch(_SPENT, midnight)}


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
