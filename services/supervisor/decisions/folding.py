"""What an event makes of a task. The same events in the same order make the same task, whoever folds them."""

from collections.abc import Callable
from typing import Any, Final, TypeAlias, TypeVar

from schemas.agent import (
    AgentEvent,
    ApprovalAttempted,
    ApprovalDecided,
    ApprovalRequested,
    Intervention,
    RunWaitedOut,
    RunWaits,
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
from services.supervisor.decisions.deciding import WORDS
from services.supervisor.decisions.task import (
    RESPONDER,
    Approval,
    Artifact,
    ContextSeen,
    Judgement,
    Lease,
    Moment,
    Order,
    Task,
)

MOST_CONTEXTS: Final = 8
MOST_STEPS: Final = 20
MOST_OF_EACH: Final = 20
"""So many artifacts, judgements, orders and moments are kept in a task; the tables have them all."""
MOST_OPEN = MOST_DECIDED = 20
"""Approvals of a task that may be open at once, and of decided ones that are kept: so many can be decided at once, and
their buttons are to go."""
CALM_AT: Final = 0.60
"""A context that has fallen to this may be warned of again."""
OF_CONTEXT: Final[set[str]] = {"context_70", "context_85", "context_soon", "token_jump"}

Reported: TypeAlias = (
    TaskStarted | TaskCheckpoint | TaskArtifact | TaskEnded | TaskHandedOver | ApprovalRequested | RunWaits
)
LEASE_BEAT_S: Final = 10.0
"""A worker that takes a task says so often that it lives; or it loses the task again."""
LEAST_HAD_S: Final = 10.0
"""Who has just taken a task does not lose it for a silence of before."""
NOT_ALLOWED: Final = "It was not allowed to begin"
Each = TypeVar("Each")


def fold(task: Task | None, event: AgentEvent, event_id: str) -> Task | None:
    """The task after it; the same one where it changes nothing; none where there is no task that it could be about."""
    if isinstance(event, TaskWanted):
        return _wanted(event) if task is None else task
    if task is None and (isinstance(event, TaskHandedOver) or _is_end_of_run(event)):
        return None
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
    if not before.timeline or after.status != before.timeline[-1].status:
        moment = Moment(status=after.status, at=event.at)
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
    """The task that an event is about. One that begins after its end is another life of it.

    So is a run that waits for the first time, whatever a program said under its name.
    """
    if task is not None and not _is_reborn(task, event):
        return task
    before: dict[str, Any] = {}
    if task is not None:
        before = {"life": task.life + 1, "orders_version": task.orders_version, "version": task.version}
    if task is not None and event.lease_id is not None:  # its worker tries again
        before |= {"wanted": task.wanted, "lease": task.lease}
    return Task(
        tenant_id=event.tenant_id,
        task_id=event.task_id,
        agent_id=event.agent_id,
        home=event.home,
        task_name=event.task_id,
        started_at=event.at,
        at=event.at,
        received_at=event.received_at,
        **before,
    )


def _is_reborn(task: Task, event: Reported) -> bool:
    if isinstance(event, TaskStarted):
        return task.is_over and not _has_lost_it(task, event)
    return isinstance(event, RunWaits) and task.run is None


def _heard(task: Task, event: Reported) -> dict[str, Any]:  # noqa: PLR0911 - one for each kind of event
    """What a program says. Once its task is over, nothing more is; of a run, only the responder speaks."""
    if not _counts(task, event):
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
                "started_by": task.started_by or event.started_by,
                "worker": event.worker,
                "heartbeat_s": event.heartbeat_s if task.lease is None else LEASE_BEAT_S,
                "reported": "starting",
            }
        case RunWaits():
            return common | _waits(event) if task.run is None or event.run.round > task.run.round else {}
        case TaskCheckpoint():
            return common | _went_on(task, event)
        case TaskArtifact():
            made = Artifact(artifact=event.artifact, title=event.title, link=event.link)
            return common | {"artifacts": _newest(task.artifacts, made)}
        case TaskEnded():
            over = {"is_offered": False, "approvals": _withdrawn(task, event.received_at)}
            if event.status == "complete" and task.progress is not None:
                over["progress"] = 1.0  # programs say it before each step, and seldom after the last one
            return common | over | {"ended_as": event.status, "summary": event.summary}
        case TaskHandedOver():
            is_in_hand = task.wanted is None or task.lease is not None
            return common | _left(task, event) if is_in_hand else {}
        case ApprovalRequested():
            others = _withdrawn(task, event.received_at, event.request_id)
            is_wanted = _may_ask(task, event) and (task.run is None or task.waits)
            return common | {"approvals": _kept(task, (*others, asked(event)))} if is_wanted else {}


def _counts(task: Task, event: Reported) -> bool:
    return not (task.is_over or (task.run is not None and event.token_id != RESPONDER) or _has_lost_it(task, event))


def _has_lost_it(task: Task, event: Reported) -> bool:
    """Whether it comes from a worker that fell silent, after which the task was offered to others."""
    return event.lease_id is not None and is_lost(task, event.lease_id)


def is_lost(task: Task, lease_id: str) -> bool:
    """Whether a worker has a task that people want no more, or not any more."""
    return task.wanted is not None and (task.lease is None or task.lease.lease_id != lease_id)


def _is_end_of_run(event: AgentEvent) -> bool:
    return isinstance(event, TaskEnded) and event.token_id == RESPONDER


def _waits(event: RunWaits) -> dict[str, Any]:
    """A run that people must let go on."""
    said = {"agent_id": event.agent_id, "task_name": event.task_name, "started_by": event.run.asked_by}
    return said | {"run": event.run, "waits_until": event.expires_at, "home": event.home, "reported": "working"}


def _waited_out(task: Task, event: RunWaitedOut) -> dict[str, Any]:
    """What never came to be asked is not waited for any more."""
    run, asked = task.run, task.asked_now
    if run is None or run.round != event.round or not task.waits or len(asked) >= run.asks:
        return {}
    run = run.model_copy(update={"asks": len(asked)})
    return {"run": run, "received_at": max(task.received_at, event.at)}


def _left(task: Task, event: TaskHandedOver) -> dict[str, Any]:
    """For others to take. Only who has a task can leave it: not one that may not begin yet, or lies there already."""
    left = {"agent_id": event.to_agent_id, "wanted": event.text, "worker": None, "heartbeat_s": None}
    return left | _offered(task) | {"reported": "starting"}


def _offered(task: Task) -> dict[str, Any]:
    """To whichever worker takes it. Whoever had it is told."""
    return {"lease": None, "is_offered": True, "orders_version": task.orders_version + 1}


def _may_ask(task: Task, event: ApprovalRequested) -> bool:
    """Whether a request is one more: not the same again, and not more than people can look through."""
    return not _is_asked(task, event) and not _waits_for_enough(task, event)


def asks_too_much(task: Task, event: ApprovalRequested) -> bool:
    """Whether nobody is asked for it, since its task waits for so many answers already."""
    return _counts(task, event) and _waits_for_enough(task, event) and not _is_asked(task, event)


def refused(event: ApprovalRequested) -> Approval:
    """What nobody is asked."""
    said = {"state": "refused", "reason": WORDS["too_many"], "decided_at": event.received_at}
    return asked(event).model_copy(update=said | {"arguments_json": "{}"})  # nobody will read them


def _waits_for_enough(task: Task, event: ApprovalRequested) -> bool:
    """A run asks for as much as its model wants at once, and waits."""
    others = sum(each.is_open and each.request_id != event.request_id for each in task.approvals)
    return task.run is None and others >= MOST_OPEN


def _is_asked(task: Task, event: ApprovalRequested) -> bool:
    again = [each for each in task.approvals if each.is_open and each.request_id == event.request_id]
    same = any(each.arguments_hash == event.arguments_hash for each in again)
    return same or task.approval(event.approval_id) is not None


def _withdrawn(task: Task, at: Instant, request_id: str | None = None) -> tuple[Approval, ...]:
    """Its approvals, when what is open is not needed any more: all of it where it is over, or what goes by one name."""
    return _each(
        task.approvals,
        lambda each: each.is_open and request_id in {None, each.request_id},
        {"state": "withdrawn", "decided_at": at},
    )


def _went_on(task: Task, event: TaskCheckpoint) -> dict[str, Any]:
    changed: dict[str, Any] = {
        "reported": event.status,
        "level": event.level,
        "action": event.action,
        "steps": task.steps + 1,
        "errors": (*task.errors[1 - MOST_STEPS :], event.level == "error"),
        "cost_usd": task.cost_usd + (event.cost_usd or 0.0),
    }
    over: set[str] = {"slow_step"}
    """What was noticed, and is not so any more."""
    if event.progress is not None:
        changed["progress"] = event.progress
    if event.step is not None:
        changed["step"] = event.step
    if event.context_used is not None:
        seen = ContextSeen(at=event.at, used=event.context_used)
        changed["context_used"] = event.context_used
        changed["contexts"] = (*task.contexts[1 - MOST_CONTEXTS :], seen)
        if event.context_used < min(task.context_used or 0, CALM_AT * task.context_size):
            over |= OF_CONTEXT
    if over & set(task.warned):
        changed["warned"] = tuple(each for each in task.warned if each not in over)
    return changed


def _acted(  # noqa: PLR0911 - likewise
    task: Task,
    event: ApprovalDecided | ApprovalAttempted | Intervention | RunWaitedOut | TaskJudged | TaskTaken,
    event_id: str,
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
        case RunWaitedOut():
            return _waited_out(task, event)
        case TaskJudged():
            return _judged(task, event)


def _ordered(task: Task, event: Intervention, event_id: str) -> dict[str, Any]:
    if task.is_over or (event.action == "cancel" and task.cancelled_by is not None):
        return {}
    order = Order(id=event_id, action=event.action, by_user=event.by_user, text=event.text, at=event.at)
    changed: dict[str, Any] = {"orders": _newest(task.orders, order), "orders_version": task.orders_version + 1}
    if event.action in {"pause", "resume"}:
        changed |= {"is_paused": event.action == "pause", "received_at": max(task.received_at, event.at)}
    if event.action == "cancel" and task.run is not None:
        changed["approvals"] = _withdrawn(task, event.at)
    elif event.action == "cancel" and task.wanted is not None and task.lease is None:
        changed |= _ended_before_it_began(task, event.at)  # nobody does it, who could hear of that
    return changed


def _ended_before_it_began(task: Task, at: Instant) -> dict[str, Any]:
    over = {"ended_as": "cancelled", "is_offered": False, "approvals": _withdrawn(task, at)}
    return over | {"at": max(task.at, at), "received_at": max(task.received_at, at)}


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
        "approvals": _kept(task, _each(task.approvals, lambda each: each is found, decided)),
        "orders_version": task.orders_version + 1,
        "received_at": max(task.received_at, event.at),
    }
    """Who waited for somebody had nothing to say meanwhile."""
    if event.approval_id != task.start_approval_id:
        return changed
    if event.outcome == "approved":
        return changed | {"is_offered": True}
    return changed | {"ended_as": "cancelled", "summary": NOT_ALLOWED, "at": max(task.at, event.at)}


def _judged(task: Task, event: TaskJudged) -> dict[str, Any]:
    key = event.judgement if event.about is None else f"{event.judgement} {event.about}"
    if task.is_over or key in task.warned:
        return {}
    judgement = Judgement(judgement=event.judgement, text=event.text, at=event.at)
    changed: dict[str, Any] = {"judgements": _newest(task.judgements, judgement)}
    if event.judgement == "silent":
        if task.silent_since is not None or event.at < task.received_at:
            return {}  # it was heard meanwhile
        had_it_s = (event.at - task.lease.at).total_seconds() if task.lease is not None else 0.0
        lost = _offered(task) if had_it_s >= LEAST_HAD_S else {}
        return changed | lost | {"silent_since": event.at}
    if event.judgement == "heard_again":
        told = [each.judgement for each in task.judgements if each.judgement in {"silent", "heard_again"}]
        return changed | {"silent_since": None} if told[-1:] == ["silent"] else {}
    return changed | {"warned": (*task.warned[1 - MOST_OF_EACH :], key)}


def asked(event: ApprovalRequested) -> Approval:
    """What is asked, as nobody has answered it yet."""
    return Approval(
        approval_id=event.approval_id,
        request_id=event.request_id,
        kind=event.kind,
        action=event.action,
        arguments_json=event.arguments_json,
        arguments_hash=event.arguments_hash,
        choices=event.choices,
        asked_at=event.received_at,
        expires_at=event.expires_at,
    )


def _each(
    approvals: tuple[Approval, ...], wanted: Callable[[Approval], bool], changed: dict[str, Any]
) -> tuple[Approval, ...]:
    return tuple(each.model_copy(update=changed) if wanted(each) else each for each in approvals)


def _kept(task: Task, approvals: tuple[Approval, ...]) -> tuple[Approval, ...]:
    """All that are open, and the newest of the others: of a run, at least what it waits for."""
    most = max(MOST_DECIDED, task.run.asks if task.run is not None else 0)
    closed = [each.approval_id for each in approvals if not each.is_open][:-most]
    return tuple(each for each in approvals if each.approval_id not in closed) if closed else approvals


def _newest(kept: tuple[Each, ...], more: Each) -> tuple[Each, ...]:
    return (*kept[1 - MOST_OF_EACH :], more)
