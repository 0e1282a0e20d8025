"""What programs may look at: tasks, one task, and what agents did in a number of days. JSON, and each tenant's own."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, get_args

from aiohttp import web

from schemas.agent import AgentStatus
from services.directory.programs import No, Programs, json_answer
from services.directory.sign_in import Granted
from services.kit.clock import Clock
from services.supervisor.adapters.asking import answered
from services.supervisor.adapters.queries import Listed, Queries, Story, Summary
from services.supervisor.decisions.health import health_of
from services.supervisor.decisions.task import Task

MOST_TASKS: Final = 200
MOST_OF_EACH: Final = 500
MOST_DAYS: Final = 90
STATUSES: Final = get_args(AgentStatus)
LEFT_OUT: Final = {"home", "contexts", "warned", "orders_version", "life", "version", "approvals"}


class Pages:
    """The addresses at which programs look."""

    def __init__(self, programs: Programs, queries: Queries, clock: Clock) -> None:
        self._programs, self._queries, self._clock = programs, queries, clock

    def routes(self) -> list[web.RouteDef]:
        """Look."""
        return [
            web.get("/tasks", self._programs.told(self._tasks)),
            web.get("/tasks/{task_id}", self._programs.told(self._task)),
            web.get("/metrics", self._programs.told(self._metrics)),
        ]

    async def _tasks(self, request: web.Request, granted: Granted) -> web.Response:
        now = self._clock.now()
        status, agent = request.query.get("status") or None, request.query.get("agent") or None
        if status is not None and status not in STATUSES:
            raise No(400, "wrong_status", f"status is one of {', '.join(STATUSES)}")
        tenant_id = granted.tenant.tenant_id
        listed = await answered(lambda: self._queries.listed(tenant_id, status, agent, MOST_TASKS + 1))
        shown = [_listed(each, now) for each in listed[:MOST_TASKS]]
        return json_answer(200, {"tasks": shown, "more": len(listed) > MOST_TASKS})

    async def _task(self, request: web.Request, granted: Granted) -> web.Response:
        named, now = request.match_info["task_id"], self._clock.now()
        story: Story | None = await answered(lambda: self._queries.story(granted.tenant.tenant_id, named, MOST_OF_EACH))
        if story is None:
            raise No(404, "unknown_task", "there is no such task")
        return json_answer(
            200,
            _task(story.task, now)
            | {
                "checkpoints": [plain(each) for each in story.checkpoints],
                "artifacts": [plain(each) for each in story.artifacts],
                "interventions": [plain(each) for each in story.interventions],
                "children": [_task(each, now) for each in story.children],
            },
        )

    async def _metrics(self, request: web.Request, granted: Granted) -> web.Response:
        given = request.query.get("days", "7")
        if not given.isdecimal() or not 1 <= int(given) <= MOST_DAYS:
            raise No(400, "wrong_days", f"days has 1 to {MOST_DAYS}")
        days = int(given)
        since = self._clock.now() - timedelta(days=days)
        found: Summary = await answered(lambda: self._queries.summary(granted.tenant.tenant_id, since))
        return json_answer(
            200,
            {
                "days": days,
                "since": since.isoformat(),
                "cost_usd": sum(each["cost_usd"] for each in found.agents),
                "agents": [plain(each) for each in found.agents],
                "approvals": [plain(each) for each in found.approvals],
            },
        )


def _listed(listed: Listed, now: datetime) -> dict[str, Any]:
    heard = listed.heard_at
    return _task(listed.task, now) | {"heard_at": heard.isoformat() if heard is not None else None}


def _task(task: Task, now: datetime) -> dict[str, Any]:
    health = health_of(task, now)
    waiting = [each.request_id for each in task.approvals if each.is_open]
    return {
        "status": task.status,
        **task.model_dump(mode="json", exclude=LEFT_OUT),
        "channel": task.home.channel,
        "context_share": task.context_share,
        "waiting_for": waiting,
        "health": {"score": health.score, "parts": {each.name: [each.points, each.of] for each in health.parts}},
    }


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON has it."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
