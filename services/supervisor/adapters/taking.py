"""Workers take tasks: each is one worker's, the first in the log, until it ends, is handed over or falls silent."""

from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from schemas import ids
from schemas.agent import TaskTaken
from services.directory.programs import Asked, Programs, body_of, json_answer
from services.directory.sign_in import Granted
from services.kit.fresh_ids import FreshIds
from services.supervisor.adapters.accepting import accept
from services.supervisor.adapters.asking import LONGEST_WAIT_S, answered, woken_within
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.news import News
from services.supervisor.adapters.partitions import offers_of
from services.supervisor.adapters.queries import Queries
from services.supervisor.decisions.task import Task, about
from services.supervisor.decisions.wire import AgentName, Label

LOOKED_AT: Final = 10
SEEN_WITHIN_S: Final = 10.0
"""A lease that is not folded within this is taken for not had; whoever got it loses it by being silent."""


class TakeAsked(Asked):
    """The body of POST /v1/agents/tasks/take."""

    agent_id: AgentName
    worker: Label
    wait_s: Annotated[float, Field(ge=0, le=LONGEST_WAIT_S)] = 0.0


class Taking:
    """The address at which workers wait for work."""

    def __init__(self, given: Given, programs: Programs, queries: Queries, news: News, fresh: FreshIds) -> None:
        self._programs, self._queries, self._news, self._fresh = programs, queries, news, fresh
        self._producer, self._clock = given.producer, given.instruments.clock

    def routes(self) -> list[web.RouteDef]:
        """The one."""
        return [web.post("/v1/agents/tasks/take", self._programs.told(self._take))]

    async def _take(self, request: web.Request, granted: Granted) -> web.Response:
        asked: TakeAsked = await body_of(request, TakeAsked)
        tenant_id = granted.tenant.tenant_id
        until = self._clock.monotonic() + asked.wait_s
        with self._news.of([(tenant_id, offers_of(asked.agent_id))]) as woken:
            while True:
                offered: list[Task] = await answered(
                    lambda: self._queries.offered(tenant_id, asked.agent_id, LOOKED_AT)
                )
                for task in offered:
                    if (taken := await self._try(task, asked, granted)) is not None:
                        return json_answer(200, {"task": _shown(taken)})
                left = until - self._clock.monotonic()
                if left <= 0:
                    return json_answer(200, {"task": None})
                await woken_within(woken, left)

    async def _try(self, task: Task, asked: TakeAsked, granted: Granted) -> Task | None:
        """The task, if this worker has it now."""
        lease_id = self._fresh.new()
        wish = TaskTaken(
            **about(task, self._clock.now()),
            lease_id=lease_id,
            worker=asked.worker,
            token_id=granted.token_id,
        )
        name = ids.task_record_id(task.tenant_id, task.task_id, f"taken:{lease_id}")
        with self._news.of([(task.tenant_id, task.task_id)]) as woken:
            await accept(self._producer, [(wish, name)])
            until = self._clock.monotonic() + SEEN_WITHIN_S
            while True:
                found: Task | None = await answered(lambda: self._queries.task(task.tenant_id, task.task_id))
                if found is None or found.lease is not None or not found.is_offered:
                    is_ours = found is not None and found.lease is not None and found.lease.lease_id == lease_id
                    return found if is_ours else None
                left = until - self._clock.monotonic()
                if left <= 0:
                    return None
                await woken_within(woken, left)


def _shown(task: Task) -> dict[str, Any]:
    lease = task.lease
    return {
        "task_id": task.task_id,
        "agent_id": task.agent_id,
        "task_name": task.task_name,
        "text": task.wanted,
        "wanted_by": task.started_by,
        "parent_task_id": task.parent_task_id,
        "lease_id": lease.lease_id if lease is not None else None,
    }
