"""What an event makes of a task. The same events in the same order make the same task, whoever folds them."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias, TypeVar

from schemas.agent import (
    AgentEvent,
    ApprovalAttempted,
    ApprovalDecided,
    ApprovalRequested,
    Intervention,
    JudgementKind,
    TaskArtifact,
    TaskCheckpoint,
    TaskEnded,
    TaskHandedOver,
    TaskJudged,
    TaskStarted,
    TaskTaken,
    TaskWanted,
)
from schemas.base import Instant
from services.supervisor.decisions.task import Approval, Artifact, ContextSeen, Judgement, Lease, Moment, Order, Task

MOST_CONTEXTS: Final = 8
MOST_STEPS: Final = 20
MOST_OF_EACH: Final = 20
"""So many artifacts, judgements, orders, moments and decided approvals are kept in a task; the tables have them all."""
CALM_AT: Final = 0.60
"""A context that has fallen to this may be warned of again."""
OF_CONTEXT: Final[set[JudgementKind]] = {"context_70", "context_85", "context_soon", "token_jump"}

Reported: TypeAlias = TaskStarted | TaskCheckpoint | TaskArtifact | TaskEnded | TaskHandedOver | ApprovalRequested
LEASE_BEAT_S: Final = 10.0
"""A worker that takes a task says so often that it lives; or it loses the task again."""
NOT_ALLOWED: Final = "It was not allowed to begin"
Each = TypeVar("Each")


def fold(task: Task | None, event: AgentEvent, event_id: str) -> Task | None:
    """The task after it; the same one where it changes nothing; none where there is no task that it could be about."""
    if isinstance(event, TaskWanted):
        return _wanted(event) if task is None else task
    if isinstance(event, Reported):
        before = _there(task, event)
        changed = _heard(before, event)
    elif task is None:
        return None
    else:
        before = task
        changed = _acted(before, event, event_id)
    if not changed:
        return task
    after = before.model_copy(update=changed | {"version": before.version + 1})
    if not before.timeline or after.status != before.status:
        moment = Moment.model_construct(status=after.status, at=event.at)
        after = after.model_copy(update={"timeline": _newest(before.timeline, moment)})
    return after


def _wanted(event: TaskWanted) -> Task:
    """A task that nobody does yet."""
    return Task(
        tenant_id=event.tenant_id,
        task_id=event.task_id,
        agent_id=event.agent_id,
        home=event.home,
        task_name=event.task_name,
        wanted=event.text,
        started_by=event.wanted_by,
        start_approval_id=event.approval_id,
        started_at=event.at,
        at=event.at,
        received_at=event.at,
        timeline=(Moment(status="starting", at=event.at),),
        version=1,
    )


def _there(task: Task | None, event: Reported) -> Task:
    """The task that an event is about. One that begins after its end is another life of it."""
    is_reborn = task is not None and task.is_over and isinstance(event, TaskStarted)
    if task is not None and not is_reborn:
        return task
    return Task(
        tenant_id=event.tenant_id,
        task_id=event.task_id,
        agent_id=event.agent_id,
        home=event.home,
        life=0 if task is None else task.life + 1,
        orders_version=0 if task is None else task.orders_version,
        version=0 if task is None else task.version,
        task_name=event.task_id,
        started_at=event.at,
        at=event.at,
        received_at=event.received_at,
    )


def _heard(task: Task, event: Reported) -> dict[str, Any]:  # noqa: PLR0911 - one for each kind of event
    """What a program says. Once its task is over, nothing more is."""
    if task.is_over:
        return {}
    common: dict[str, Any] = {"at": max(task.at, event.at), "received_at": max(task.received_at, event.received_at)}
    common["silent_since"] = None
    match event:
        case TaskStarted():
            return common | {
                "agent_id": event.agent_id,
                "task_name": event.task_name,
                "repo_scope": event.repo_scope,
                "context_size": event.context_size,
                "parent_task_id": event.parent_task_id or task.parent_task_id,
                "started_by": event.started_by or task.started_by,
                "worker": event.worker,
                "heartbeat_s": event.heartbeat_s,
                "reported": "starting",
            }
        case TaskCheckpoint():
            return common | _went_on(task, event)
        case TaskArtifact():
            made = Artifact(artifact=event.artifact, title=event.title, link=event.link)
            return common | {"artifacts": _newest(task.artifacts, made)}
        case TaskEnded():
            withdrawn = {"state": "withdrawn", "decided_at": event.at}
            approvals = _each(task.approvals, lambda each: each.is_open, withdrawn)
            return common | {"ended_as": event.status, "summary": event.summary, "approvals": approvals}
        case TaskHandedOver():
            left = {"agent_id": event.to_agent_id, "wanted": event.text, "lease": None, "is_offered": True}
            return common | left | {"worker": None, "heartbeat_s": None, "reported": "starting"}
        case ApprovalRequested():
            if task.approval(event.approval_id) is not None:
                return {}
            return common | {"approvals": _kept((*task.approvals, _asked(event)))}


def _went_on(task: Task, event: TaskCheckpoint) -> dict[str, Any]:
    changed: dict[str, Any] = {
        "reported": event.status,
        "level": event.level,
        "action": event.action,
        "steps": task.steps + 1,
        "errors": (*task.errors[1 - MOST_STEPS :], event.level == "error"),
        "cost_usd": task.cost_usd + (event.cost_usd or 0.0),
    }
    over: set[JudgementKind] = {"slow_step"}
    """What was noticed, and is not so any more."""
    if event.progress is not None:
        changed["progress"] = event.progress
    if event.step is not None:
        changed["step"] = event.step
    if event.context_used is not None:
        seen = ContextSeen.model_construct(at=event.at, used=event.context_used)
        changed["context_used"] = event.context_used
        changed["contexts"] = (*task.contexts[1 - MOST_CONTEXTS :], seen)
        if event.context_used < min(task.context_used or 0, CALM_AT * task.context_size):
            over |= OF_CONTEXT
    if over & set(task.warned):
        changed["warned"] = tuple(each for each in task.warned if each not in over)
    return changed


def _acted(
    task: Task, event: ApprovalDecided | ApprovalAttempted | Intervention | TaskJudged | TaskTaken, event_id: str
) -> dict[str, Any]:
    """What a person did, or the supervisor."""
    match event:
        case TaskTaken():
            if task.is_over or not task.is_offered:
                return {}
            lease = Lease(lease_id=event.lease_id, worker=event.worker, at=event.at)
            return {
                "lease": lease,
                "is_offered": False,
                "worker": event.worker,
                "heartbeat_s": LEASE_BEAT_S,
                "silent_since": None,
                "received_at": event.at,
            }
        case ApprovalDecided():
            return _decided(task, event)
        case ApprovalAttempted():
            return {}
        case Intervention():
            return _ordered(task, event, event_id)
        case TaskJudged():
            return _judged(task, event)


def _ordered(task: Task, event: Intervention, event_id: str) -> dict[str, Any]:
    if task.is_over or (event.action == "cancel" and task.cancelled_by is not None):
        return {}
    order = Order(id=event_id, action=event.action, by_user=event.by_user, text=event.text, at=event.at)
    changed: dict[str, Any] = {"orders": _newest(task.orders, order), "orders_version": task.orders_version + 1}
    if event.action in {"pause", "resume"}:
        changed["is_paused"] = event.action == "pause"
    if event.action == "cancel" and task.wanted is not None and task.lease is None:
        changed |= _ended_before_it_began(task, event.at)  # nobody does it, who could hear of that
    return changed


def _ended_before_it_began(task: Task, at: Instant) -> dict[str, Any]:
    approvals = _each(task.approvals, lambda each: each.is_open, {"state": "withdrawn", "decided_at": at})
    return {"ended_as": "cancelled", "is_offered": False, "at": max(task.at, at), "approvals": approvals}


def _decided(task: Task, event: ApprovalDecided) -> dict[str, Any]:
    """The first decision holds, and only about the arguments that were asked about."""
    found = task.approval(event.approval_id)
    if found is None or not found.is_open or found.arguments_hash != event.arguments_hash:
        return {}
    decided = {
        "state": event.outcome,
        "answer": event.answer,
        "reason": event.reason,
        "decided_by": event.decided_by,
        "decided_at": event.at,
        "via": event.via,
    }
    changed: dict[str, Any] = {
        "approvals": _kept(_each(task.approvals, lambda each: each is found, decided)),
        "orders_version": task.orders_version + 1,
    }
    if event.approval_id != task.start_approval_id:
        return changed
    if event.outcome == "approved":
        return changed | {"is_offered": True, "received_at": event.at}
    return changed | {"ended_as": "cancelled", "summary": NOT_ALLOWED, "at": max(task.at, event.at)}


def _judged(task: Task, event: TaskJudged) -> dict[str, Any]:
    if task.is_over or event.judgement in task.warned:
        return {}
    judgement = Judgement(judgement=event.judgement, text=event.text, at=event.at)
    changed: dict[str, Any] = {"judgements": _newest(task.judgements, judgement)}
    if event.judgement == "silent":
        if task.silent_since is not None:
            return {}
        lost = {"lease": None, "is_offered": True} if task.lease is not None else {}
        return changed | lost | {"silent_since": event.at}
    if event.judgement == "heard_again":
        return {} if task.silent_since is None else changed | {"silent_since": None}
    return changed | {"warned": (*task.warned, event.judgement)}


def _asked(event: ApprovalRequested) -> Approval:
    return Approval(
        approval_id=event.approval_id,
        request_id=event.request_id,
        kind=event.kind,
        action=event.action,
        arguments_json=event.arguments_json,
        arguments_hash=event.arguments_hash,
        choices=event.choices,
        asked_at=event.at,
        expires_at=event.expires_at,
    )


def _each(
    approvals: tuple[Approval, ...], wanted: Callable[[Approval], bool], changed: dict[str, Any]
) -> tuple[Approval, ...]:
    return tuple(each.model_copy(update=changed) if wanted(each) else each for each in approvals)


def _kept(approvals: tuple[Approval, ...]) -> tuple[Approval, ...]:
    """All that are open, and the newest of the others."""
    closed = [each.approval_id for each in approvals if not each.is_open][:-MOST_OF_EACH]
    return tuple(each for each in approvals if each.approval_id not in closed) if closed else approvals


def _newest(kept: tuple[Each, ...], more: Each) -> tuple[Each, ...]:
    return (*kept[1 - MOST_OF_EACH :], more)
