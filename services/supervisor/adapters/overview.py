"""What a tenant's agents do at the moment, at one glance: for the page that people look at."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, get_args

from schemas.agent import AgentStatus, EndStatus
from services.directory.service import ServiceDatabase
from services.directory.tenancy import acting_for
from services.kit.clock import Clock
from services.supervisor.adapters.queries import APPROVAL, Asked, Listed, asked_of, task_of

MOST_GOING, MOST_ENDED, MOST_WAITING, MOST_AGENTS = 40, 12, 20, 40
DAY, WEEK = timedelta(days=1), timedelta(days=7)
ENDED: Final = get_args(EndStatus)
GOING: Final = [each for each in get_args(AgentStatus) if each not in {"complete", "cancelled"}]
"""A task that goes on may say that it is in error. There is an index by status, and none by ends."""
COSTS_FOR_S: Final = 20.0
"""What things cost is added up no more often."""

_GOING: Final = """
    select t.state, h.at as heard_at from threadline.agent_tasks t
    left join threadline.agent_heartbeats h on h.tenant_id = t.tenant_id and h.task_id = t.task_id
    where t.ended_at is null and t.status = any($2::text[]) order by t.started_at desc, t.task_id limit $1
"""
_ENDED: Final = """
    select ended.state from unnest($2::text[]) as status cross join lateral (
        select state, last_at from threadline.agent_tasks t
        where t.status = status.status and t.ended_at is not null order by t.last_at desc limit $1
    ) ended order by ended.last_at desc limit $1
"""
_WAITING: Final = f"{APPROVAL} and i.state = 'open' order by i.at, i.intervention_id limit $1"
_COUNTS: Final = """
    select status, count(*) as tasks from threadline.agent_tasks
    where ended_at is null and status = any($1::text[]) group by status
"""
_OPEN: Final = """
    select count(*) from threadline.human_interventions
    where state = 'open' and kind in ('decision', 'choice', 'question')
"""
_AGENTS: Final = """
    with spent as (
        select t.agent_id, sum(c.cost_usd) filter (where c.received_at >= $1) as day, sum(c.cost_usd) as week
        from threadline.agent_checkpoints c
        join threadline.agent_tasks t on t.tenant_id = c.tenant_id and t.task_id = c.task_id
        where c.received_at >= $2 and c.cost_usd > 0 and t.last_at >= $2 group by t.agent_id
    ), done as (
        select agent_id, count(*) filter (where ended_at is null) as going,
            count(*) filter (where status = 'complete') as complete,
            count(*) filter (where status = 'error' and ended_at is not null) as failed
        from threadline.agent_tasks where last_at >= $2 or ended_at is null group by agent_id
    )
    select agent_id, done.going, done.complete, done.failed, coalesce(spent.day, 0)::float8 as day,
        coalesce(spent.week, 0)::float8 as week, sum(spent.day) over ()::float8 as all_day,
        sum(spent.week) over ()::float8 as all_week
    from done left join spent using (agent_id) order by week desc, done.going desc, agent_id limit $3
"""


@dataclass(frozen=True)
class AgentFigures:
    """What one agent did in seven days, and what it cost."""

    agent_id: str
    going: int
    complete: int
    failed: int
    cost_day: float
    cost_week: float


@dataclass(frozen=True)
class Costs:
    """What agents cost in the last day, and in seven."""

    day: float
    week: float
    agents: list[AgentFigures]


@dataclass(frozen=True)
class Overview:
    """Everything at one glance."""

    going: list[Listed]
    ended: list[Listed]
    waiting: list[Asked]
    counts: dict[str, int]
    """Tasks that go on, by status."""
    open_approvals: int
    costs: Costs


class Overviews:
    """Looks, on behalf of one tenant at a time."""

    def __init__(self, database: ServiceDatabase, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._costs: dict[str, tuple[float, Costs]] = {}

    async def of(self, tenant_id: str) -> Overview:
        """As it stands now."""
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                going = await connection.fetch(_GOING, MOST_GOING, GOING)
                ended = await connection.fetch(_ENDED, MOST_ENDED, ENDED)
                waiting = await connection.fetch(_WAITING, MOST_WAITING)
                counts = await connection.fetch(_COUNTS, GOING)
                opened: int = await connection.fetchval(_OPEN)
        return Overview(
            going=[Listed(task_of(each["state"]), each["heard_at"]) for each in going],
            ended=[Listed(task_of(each["state"]), None) for each in ended],
            waiting=[asked_of(each) for each in waiting],
            counts={each["status"]: each["tasks"] for each in counts},
            open_approvals=opened,
            costs=await self._spent(tenant_id, self._clock.now()),
        )

    async def heard_at(self, tenant_id: str, task_id: str) -> datetime | None:
        """When a task's program said last that it lives."""
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                found: datetime | None = await connection.fetchval(
                    "select at from threadline.agent_heartbeats where task_id = $1", task_id
                )
        return found

    async def _spent(self, tenant_id: str, now: datetime) -> Costs:
        known = self._costs.get(tenant_id)
        if known is not None and self._clock.monotonic() - known[0] < COSTS_FOR_S:
            return known[1]
        with acting_for(tenant_id):
            async with self._database.for_tenant() as connection:
                rows = await connection.fetch(_AGENTS, now - DAY, now - WEEK, MOST_AGENTS)
        agents = [
            AgentFigures(each["agent_id"], each["going"], each["complete"], each["failed"], each["day"], each["week"])
            for each in rows
        ]
        whole = (rows[0]["all_day"] or 0.0, rows[0]["all_week"] or 0.0) if rows else (0.0, 0.0)
        found = Costs(*whole, agents)
        self._costs[tenant_id] = (self._clock.monotonic(), found)
        return found
