"""Runs that wait for people: what they ask becomes approvals of a task, and what people decide lets them go on."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from schemas import ids
from schemas.agent import (
    ApprovalDecided,
    ApprovalRequested,
    Intervention,
    RunOver,
    RunWaitedOut,
    RunWaits,
    TaskEnded,
    TaskHome,
    ToolsWanted,
    WaitingRun,
)
from schemas.command import NoticeKind, RunResumed, ToolAnswer
from schemas.stop import StopRequested, StopRun
from schemas.stopping import Stoppable, is_about, may_end
from schemas.topics import AGENTS_EVENTS, RUNS_COMMANDS, RUNS_STOPS
from services.supervisor.decisions.following import Following, Whisper, whispered
from services.supervisor.decisions.projecting import Step
from services.supervisor.decisions.task import RESPONDER, Approval, Task, about
from services.supervisor.decisions.wire import readable

SOURCE: Final = "supervisor"
"""How a stop came that follows from an order here."""
NOT_YOURS: Final = "Only who asked for it, and people who may stop anything here, can stop this answer. It still waits."
NOWHERE: Final = "-"
"""Stands for the channel of what is said in none."""
REFUSED: Final[NoticeKind] = "stop_refused"
LATE: Final = timedelta(minutes=1)
"""So long after the time to decide nothing is missed: what a run asks for may be on its way."""


def waits(asked: ToolsWanted) -> Iterator[Following]:
    """A run was suspended: it is a task that waits for decisions. The same leads to the same."""
    place = asked.run.place
    common: dict[str, Any] = {
        "at": asked.at,
        "received_at": asked.at,
        "task_id": asked.run_id,
        "tenant_id": place.tenant_id,
        "agent_id": asked.agent_id,
        "home": asked.home,
        "token_id": RESPONDER,
    }
    name = readable(asked.task_name)
    began = RunWaits(**common, task_name=name, run=asked.run, expires_at=asked.expires_at)
    yield _event(began, f"waits:{asked.run.round}")
    for wanted in asked.wanted:
        request_id = f"{asked.run.round}:{wanted.call_id}"
        approval = ApprovalRequested(
            **common,
            approval_id=ids.approval_id(place.tenant_id, asked.run_id, request_id, asked.run_id),
            request_id=request_id,
            action=wanted.action,
            arguments_json=wanted.arguments_json,
            arguments_hash=wanted.arguments_hash,
            expires_at=asked.expires_at,
        )
        yield _event(approval, f"asks:{request_id}")


def over(said: RunOver) -> Iterator[Following]:
    """A run that had waited has ended. Where it was told of stands in its task already."""
    place = said.place
    home = TaskHome(connection=place.connection, team_id=place.team_id, channel=place.channel_id or NOWHERE)
    ended = TaskEnded(
        at=said.at,
        received_at=said.at,
        task_id=said.run_id,
        tenant_id=place.tenant_id,
        agent_id=said.agent_id,
        home=home,
        token_id=RESPONDER,
        status=said.ended,
    )
    yield _event(ended, "over")


def stopped(stop: StopRequested, runs: Iterable[tuple[str, str, WaitingRun]]) -> Iterator[Following]:
    """A stop that is about runs which wait ends them; who may not is told so. Runs come with their agents' names."""
    for run_id, agent_id, run in runs:
        place = run.place
        known = Stoppable(
            run_id=run_id,
            connection=place.connection,
            channel_id=place.channel_id,
            thread_ts=place.thread_ts,
            asked_by=run.asked_by,
            asked_at=run.asked_at,
            messages=run.messages,
        )
        if not is_about(stop, known):
            continue
        if may_end(stop, known):
            order = Intervention(
                at=stop.at,
                task_id=run_id,
                tenant_id=place.tenant_id,
                agent_id=agent_id,
                action="cancel",
                by_user=stop.asked_by,
            )
            yield _event(order, f"stop:{stop.stop_id}")
        elif place.channel_id is not None:
            said = Whisper(stop.asked_by, NOT_YOURS, f"{stop.stop_id}:{run_id}", stop.at, REFUSED)
            yield whispered(place, said)


def waited_out(task: Task, now: datetime) -> RunWaitedOut | None:
    """Whether a run waits for decisions that nobody was asked for, and that nobody can give any more."""
    run, asked = task.run, task.asked_now
    if run is None or not task.waits or len(asked) >= run.asks:
        return None
    until = [each for each in (task.waits_until, *(each.expires_at for each in asked)) if each is not None]
    if not until or now < max(until) + LATE:
        return None
    return RunWaitedOut(**about(task, now), round=run.round)


def following_run(event: ApprovalDecided | Intervention | RunWaits | RunWaitedOut, step: Step) -> Iterator[Following]:
    """Once all that it waited for is decided, a run goes on; one that goes on already is ended by a stop.

    One that was ended while it went on, and waits again, is not asked about any more.
    """
    before, task = step.before, step.after
    if task is None or task is before or task.run is None:
        return
    if isinstance(event, RunWaits):
        if task.cancelled_by is not None:
            yield _resumed(task, task.run, event)
    elif before is not None and before.waits:
        if not task.waits:
            yield _resumed(task, task.run, event)
    elif isinstance(event, Intervention) and event.action == "cancel":
        yield _stop(task, task.run, event)


def _resumed(task: Task, run: WaitingRun, event: ApprovalDecided | Intervention | RunWaits | RunWaitedOut) -> Following:
    cancelled = task.cancelled_by
    answers = tuple(_answer(each) for each in task.asked_now) if cancelled is None else ()
    resumed = RunResumed(
        at=event.at,
        run_id=task.task_id,
        agent_id=task.agent_id,
        place=run.place,
        asked_by=run.asked_by,
        asked_at=run.asked_at,
        round=run.round,
        answers=answers,
        cancelled_by=cancelled.by_user if cancelled is not None else None,
        received_at=event.at,
    )
    return Following(RUNS_COMMANDS, run.key, resumed, ids.run_record_id(task.task_id, f"resumed:{run.round}"))


def _answer(approval: Approval) -> ToolAnswer:
    """What nobody allowed is not allowed, however that came."""
    is_yes, is_no = approval.state == "approved", approval.state == "rejected"
    return ToolAnswer(
        call_id=approval.request_id.partition(":")[2],
        arguments_hash=approval.arguments_hash,
        outcome="approved" if is_yes else "rejected" if is_no else "expired",
        decided_by=approval.decided_by,
        reason=approval.reason,
    )


def _stop(task: Task, run: WaitingRun, event: Intervention) -> Following:
    place = run.place
    stop_id = ids.run_record_id(task.task_id, f"ordered:{event.at.isoformat()}")
    stop = StopRequested(
        at=event.at,
        stop_id=stop_id,
        cause=f"order:{stop_id}",
        tenant_id=task.tenant_id,
        connection=place.connection,
        target=StopRun(run_id=task.task_id),
        source=SOURCE,
        asked_by=event.by_user,
        may_stop_anyone=True,
        directory_revision=0,
    )
    return Following(RUNS_STOPS, place.connection, stop, stop_id)


def _event(event: Any, what: str) -> Following:
    name = ids.task_record_id(event.tenant_id, event.task_id, what)
    return Following(AGENTS_EVENTS, event.task_id, event, name)
