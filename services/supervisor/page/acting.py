"""What people do on the page: the same events as their clicks in Slack, and the truth about what became of them."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from schemas.agent import ApprovalAttempted, ApprovalDecided, Intervention
from services.kit.clock import Clock
from services.kit.fresh_ids import FreshIds
from services.supervisor.adapters.asking import woken_within
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.news import News
from services.supervisor.adapters.queries import Queries
from services.supervisor.adapters.sending import send_all
from services.supervisor.decisions import commanding
from services.supervisor.decisions.commanding import DONE
from services.supervisor.decisions.deciding import WORDS, Answer, decide
from services.supervisor.decisions.following import Following, of_task
from services.supervisor.decisions.forms import LONGEST_ANSWER
from services.supervisor.decisions.posts import header
from services.supervisor.decisions.task import Approval, Task, about
from services.supervisor.page.viewer import Viewer

KEPT_WITHIN_S: Final = 10.0
FOLDED_WITHIN_S: Final = 10.0
CERTAIN: Final = {
    "approved": "Approved. Its agent is told.",
    "rejected": "Rejected. Its agent is told.",
    "chosen": "Chosen. Its agent is told.",
    "answered": "Answered. Its agent is told.",
}
OPEN_QUESTION: Final = (
    "The log did not say in time that it keeps this, and it may keep it all the same. Look here again before you "
    "decide anew."
)
IN_THE_LOG: Final = (
    "What you did is kept, and its task has not heard of it yet. It shows here as soon as it has; there is nothing to "
    "do again."
)

_HASH: Final = re.compile(r"[0-9a-f]{64}")
Seen = TypeVar("Seen")


@dataclass(frozen=True)
class Told:
    """What became of it, for whoever did it."""

    text: str
    status: int
    task_id: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether it came to what they wanted."""
        return self.status == 200  # noqa: PLR2004 - OK


@dataclass(frozen=True)
class Wanted:
    """What a form says."""

    approval_id: str
    arguments_hash: str
    answer: str
    reason: str | None


class Acting:
    """Does it, and waits until its task knows."""

    def __init__(self, given: Given, queries: Queries, news: News, ids: FreshIds) -> None:
        self._producer, self._queries, self._news, self._ids = given.producer, queries, news, ids
        self._clock: Clock = given.instruments.clock

    async def answer(self, viewer: Viewer, wanted: Wanted) -> Told:
        """Somebody answers an approval."""
        found = await self._queries.approval(viewer.tenant_id, wanted.approval_id)
        if found is None:
            return Told(commanding.NO_SUCH_APPROVAL, 404)
        task_id = found.task.task_id
        if _HASH.fullmatch(wanted.arguments_hash) is None:
            return Told(WORDS["other_arguments"], 409, task_id)
        # A browser may send what Postgres takes for no text.
        reason = (wanted.reason or "").replace("\0", "").strip()[:LONGEST_ANSWER] or None
        answer = Answer(viewer.user, wanted.arguments_hash, wanted.answer, reason, "page", self._clock.now())
        made = decide(found.task, found.approval, answer, viewer.rights)
        if not await self._keep(commanding.recorded(found.task, made, f"page:{self._ids.new()}")):
            return Told(OPEN_QUESTION, 503, task_id)
        if isinstance(made, ApprovalAttempted):
            return Told(_why_not(viewer, made, found.approval), 409, task_id)

        async def decided() -> Approval | None:
            now = await self._queries.approval(viewer.tenant_id, wanted.approval_id)
            return now.approval if now is not None and not now.approval.is_open else None

        return _became(viewer, made, await self._until(viewer, task_id, decided), task_id)

    async def cancel(self, viewer: Viewer, task_id: str) -> Told:
        """Somebody wants a task to end."""
        task = await self._queries.task(viewer.tenant_id, task_id)
        if task is None:
            return Told(commanding.NO_SUCH_TASK, 404)
        if (refused := _cannot_cancel(viewer, task)) is not None:
            return refused
        wants = Intervention(
            **about(task, self._clock.now()),
            action="cancel",
            by_user=viewer.user,
            via="page",
        )
        if not await self._keep(of_task(task, wants, f"order:page:{self._ids.new()}")):
            return Told(OPEN_QUESTION, 503, task_id)

        async def heard() -> Task | None:
            now = await self._queries.task(viewer.tenant_id, task_id)
            return now if now is not None and (now.cancelled_by is not None or now.is_over) else None

        now = await self._until(viewer, task_id, heard)
        if now is None:
            return Told(IN_THE_LOG, 202, task_id)
        if now.cancelled_by is None:
            return Told(f"{commanding.OVER}{header(now)}", 409, task_id)
        return Told(commanding.ENDING, 200, task_id)

    async def _keep(self, record: Following) -> bool:
        """Whether it is known to stand in the log."""
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                await send_all(self._producer, [record])
        except TimeoutError:
            return False
        return True

    async def _until(self, viewer: Viewer, task_id: str, look: Callable[[], Awaitable[Seen | None]]) -> Seen | None:
        """What there is to see once the task knows; none where that takes too long."""
        until = self._clock.monotonic() + FOLDED_WITHIN_S
        with self._news.of([(viewer.tenant_id, task_id)]) as woken:
            while True:
                found = await look()
                left = until - self._clock.monotonic()
                if found is not None or left <= 0:
                    return found
                await woken_within(woken, left)


def _cannot_cancel(viewer: Viewer, task: Task) -> Told | None:
    if task.is_over:
        return Told(f"{commanding.OVER}{header(task)}", 409, task.task_id)
    if not viewer.rights.may_cancel(viewer.user, task):
        return Told(commanding.NOT_YOURS, 403, task.task_id)
    return Told(commanding.ENDED_BEFORE, 409, task.task_id) if task.cancelled_by is not None else None


def _became(viewer: Viewer, made: ApprovalDecided, now: Approval | None, task_id: str) -> Told:
    """Of two who answer at once, the first in the log has decided."""
    if now is None:
        return Told(IN_THE_LOG, 202, task_id)
    if (now.decided_by, now.decided_at, now.state) == (made.decided_by, made.at, made.outcome):
        return Told(CERTAIN[now.state], 200, task_id)
    return Told(_others(viewer, now), 409, task_id)


def _why_not(viewer: Viewer, made: ApprovalAttempted, approval: Approval) -> str:
    return _others(viewer, approval) if made.fault == "already_decided" else WORDS[made.fault]


def _others(viewer: Viewer, approval: Approval) -> str:
    done = DONE.get(approval.state)
    if done is None or approval.decided_by is None:
        return WORDS["expired" if approval.state == "expired" else "task_over"]
    who = viewer.called(approval.decided_by)
    return f"{who[:1].upper()}{who[1:]} {'have' if who == 'you' else 'has'} {done} this already. Nothing was changed."
