"""Agents say that they live, and hear what people want of them: orders, and answers to what they asked."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from services.directory.faults import DatabaseAway
from services.directory.programs import Asked, No, Programs, body_of, json_answer
from services.directory.sign_in import Granted
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.news import News
from services.supervisor.adapters.queries import Asked as AskedApproval
from services.supervisor.adapters.queries import Queries
from services.supervisor.adapters.requests import Request, Requests
from services.supervisor.decisions.folding import is_lost
from services.supervisor.decisions.projecting import is_folded
from services.supervisor.decisions.task import Approval, Order, Task
from services.supervisor.decisions.wire import TaskName

LONGEST_WAIT_S: Final = 25.0
MOST_TASKS: Final = 500
BEAT_S: Final = 15.0
"""A stream that says nothing for longer is taken for dead by what stands between."""
EVENT_STREAM: Final = "text/event-stream"


class AliveAsked(Asked):
    """The body of POST /v1/agents/alive."""

    tasks: Annotated[dict[TaskName, Annotated[int, Field(ge=0)]], Field(min_length=1, max_length=MOST_TASKS)]
    """Each task, and which version of its orders is known."""
    leases: Annotated[dict[TaskName, TaskName], Field(default_factory=dict, max_length=MOST_TASKS)]
    """By which lease a worker has those that it took. One that lost its task keeps it alive no more."""
    wait_s: Annotated[float, Field(ge=0, le=LONGEST_WAIT_S)] = 0.0


class Asking:
    """The addresses at which agents wait."""

    def __init__(self, given: Given, programs: Programs, queries: Queries, news: News, requests: Requests) -> None:
        self._programs, self._queries, self._news, self._requests = programs, queries, news, requests
        self._clock = given.instruments.clock

    def routes(self) -> list[web.RouteDef]:
        """Live, and ask."""
        return [
            web.post("/v1/agents/alive", self._programs.told(self._alive)),
            web.get("/v1/approvals/{approval_id}", self._approval),
        ]

    async def _alive(self, request: web.Request, granted: Granted) -> web.Response:
        asked: AliveAsked = await body_of(request, AliveAsked)
        tenant_id, names = granted.tenant.tenant_id, list(asked.tasks)
        await answered(lambda: self._queries.alive(tenant_id, names, asked.leases, self._clock.now()))
        until = self._clock.monotonic() + asked.wait_s
        with self._news.of((tenant_id, each) for each in names) as woken:
            while True:
                found = await answered(lambda: self._queries.orders(tenant_id, names))
                lost = {
                    name for name, lease in asked.leases.items() if name in found and is_lost(found[name][1], lease)
                }
                is_news = any(found.get(name, (0, None))[0] != seen for name, seen in asked.tasks.items())
                left = until - self._clock.monotonic()
                if is_news or left <= 0:
                    said = {name: _orders(found.get(name)) | {"lease_lost": name in lost} for name in names}
                    return json_answer(200, {"tasks": said})
                await woken_within(woken, left)

    async def _approval(self, request: web.Request) -> web.StreamResponse:
        if EVENT_STREAM not in request.headers.get("Accept", ""):
            return await self._programs.told(self._poll)(request)
        streamed: web.StreamResponse | None = None

        async def stream(asked: web.Request, granted: Granted) -> web.Response:
            nonlocal streamed
            streamed = await self._stream(asked, granted)
            return web.Response()

        refused = await self._programs.told(stream)(request)
        return streamed or refused

    async def _poll(self, request: web.Request, granted: Granted) -> web.Response:
        until = self._clock.monotonic() + _wait_of(request)
        with self._news.of([(granted.tenant.tenant_id, await self._task_of(request, granted))]) as woken:
            while True:
                found = await self._find(request, granted)
                left = until - self._clock.monotonic()
                if not found.approval.is_open or left <= 0:
                    return json_answer(200, shown(found.approval, found.task.task_id))
                await woken_within(woken, left)

    async def _stream(self, request: web.Request, granted: Granted) -> web.StreamResponse:
        """An event when it begins, and one when it is decided, with a sign of life now and then."""
        task_id = await self._task_of(request, granted)
        response = web.StreamResponse(headers={"Content-Type": EVENT_STREAM, "Cache-Control": "no-store"})
        with self._news.of([(granted.tenant.tenant_id, task_id)]) as woken:
            found = await self._find(request, granted)
            await response.prepare(request)
            said: str | None = None
            while True:
                now = json.dumps(shown(found.approval, task_id))
                if now != said:
                    said = now
                    await response.write(f"event: approval\ndata: {now}\n\n".encode())
                if not found.approval.is_open:
                    return response
                if not await woken_within(woken, BEAT_S):
                    await response.write(b": still open\n\n")
                try:
                    found = await self._find(request, granted)
                except No:  # Postgres is away: whoever reads this begins again
                    return response

    async def _task_of(self, request: web.Request, granted: Granted) -> str:
        return (await self._find(request, granted)).task.task_id

    async def _find(self, request: web.Request, granted: Granted) -> AskedApproval:
        tenant_id = granted.tenant.tenant_id
        named, task_id = request.match_info["approval_id"], request.query.get("task")
        asked = self._requests.last(tenant_id, named, task_id)
        own = asked.approval_id if asked is not None else named if task_id is None else None
        found: AskedApproval | None = None
        if own is not None:
            found = await answered(lambda: self._queries.approval(tenant_id, own))
        if found is None:
            found = await self._as_asked(tenant_id, named if asked is None else asked.name, task_id, asked)
        if found is None:
            raise No(404, "unknown_approval", "nothing is known of it (yet): its request may be on its way")
        return found

    async def _as_asked(
        self, tenant_id: str, named: str, task_id: str | None, asked: Request | None
    ) -> AskedApproval | None:
        """What goes by a name. An answer of before is none to what was asked since, and is still on its way."""
        found: AskedApproval | None = await answered(lambda: self._queries.approval_as_asked(tenant_id, named, task_id))
        if asked is None or found is None:
            return found
        if not is_folded(asked.record, found.recent):
            return None
        self._requests.answered_by(tenant_id, asked, found.approval.approval_id)
        return found


async def answered(ask: Callable[[], Awaitable[Any]]) -> Any:
    """What Postgres answers. Where it is away, the program is told to ask again."""
    try:
        return await ask()
    except DatabaseAway:
        raise No(503, "try_again", "tasks cannot be looked up for now; ask again") from None


async def woken_within(woken: asyncio.Event, within_s: float) -> bool:
    """Whether something changed meanwhile."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await woken.wait()
    was_woken = woken.is_set()
    woken.clear()
    return was_woken


def _wait_of(request: web.Request) -> float:
    given = request.query.get("wait", "0")
    try:
        wait = float(given)
    except ValueError:
        wait = -1.0
    if not 0 <= wait <= LONGEST_WAIT_S:
        raise No(400, "wrong_wait", f"wait has 0 to {LONGEST_WAIT_S:.0f} seconds")
    return wait


def _orders(found: tuple[int, Task] | None) -> dict[str, Any]:
    if found is None:
        return {"version": 0, "cancel": None, "paused": False, "messages": [], "lease_id": None}
    version, task = found
    cancel = task.cancelled_by
    said = [each for each in task.orders if each.action == "message"]
    return {
        "version": version,
        "cancel": None if cancel is None else {"by": cancel.by_user, "reason": cancel.text, "at": _at(cancel.at)},
        "paused": task.is_paused,
        "messages": [_message(each) for each in said],
        "lease_id": task.lease.lease_id if task.lease is not None else None,
    }


def _message(order: Order) -> dict[str, Any]:
    return {"id": order.id, "by": order.by_user, "text": order.text, "at": _at(order.at)}


def shown(approval: Approval, task_id: str) -> dict[str, Any]:
    """An approval as programs see it."""
    return {
        "approval_id": approval.request_id,
        "task_id": task_id,
        "state": approval.state,
        "answer": approval.answer,
        "reason": approval.reason,
        "decided_by": approval.decided_by,
        "decided_at": _at(approval.decided_at),
        "action": approval.action,
        "arguments": json.loads(approval.arguments_json),
        "arguments_hash": approval.arguments_hash,
        "expires_at": _at(approval.expires_at),
    }


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
