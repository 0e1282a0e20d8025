"""What follows from an event beside the task that it made: more events, and what one person is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from schemas import ids
from schemas.agent import AgentEvent, ApprovalAttempted, ApprovalDecided, ApprovalRequested, TaskCheckpoint
from schemas.base import Event
from schemas.command import Notice, NoticeKind, Place
from schemas.topics import AGENTS_EVENTS, RUNS_COMMANDS, Topic
from services.supervisor.decisions import judging
from services.supervisor.decisions.deciding import WORDS
from services.supervisor.decisions.folding import Reported, asks_too_much
from services.supervisor.decisions.projecting import Step
from services.supervisor.decisions.task import Task, about


@dataclass(frozen=True)
class Following:
    """A record that is to be written."""

    topic: Topic
    key: str | bytes | None
    event: Event
    id: str


def following(event: AgentEvent, step: Step, event_id: str) -> Iterator[Following]:
    """What an event leads to. The same event leads to the same records, under the same names."""
    task = step.after
    if task is None or step.is_repeat:
        return
    if isinstance(event, Reported) and not task.is_over and _was_silent(step.before) and task.silent_since is None:
        yield of_task(task, judging.heard_again(task, event.received_at), f"heard_again:{task.version}")
    match event:
        case TaskCheckpoint():
            for judged in judging.of_context(task):
                nth = sum(each.judgement == judged.judgement for each in task.judgements)
                yield of_task(task, judged, f"judged:{task.life}:{judged.judgement}:{nth}")
        case ApprovalRequested() if asks_too_much(task, event):
            yield of_task(task, _too_many(task, event), f"attempted:{event_id}")
        case ApprovalDecided() if step.before is step.after and event.decided_by is not None and event.via == "slack":
            said = Whisper(event.decided_by, WORDS["already_decided"], event_id, event.at, "approval_refused")
            yield whispered(home_of(task), said)
        case _:
            pass


def _was_silent(task: Task | None) -> bool:
    return task is not None and task.silent_since is not None


def _too_many(task: Task, event: ApprovalRequested) -> ApprovalAttempted:
    return ApprovalAttempted(
        **about(task, event.received_at),
        approval_id=event.approval_id,
        arguments_hash=event.arguments_hash,
        fault="too_many",
        attempted_by=event.token_id,
        via="program",
    )


def of_task(task: Task, event: AgentEvent, what: str) -> Following:
    """Another event of a task."""
    return Following(AGENTS_EVENTS, task.task_id, event, ids.task_record_id(task.tenant_id, task.task_id, what))


@dataclass(frozen=True)
class Whisper:
    """What one person is told, and after what."""

    user: str
    text: str
    cause: str
    at: datetime
    kind: NoticeKind = "task_told"


def home_of(task: Task) -> Place:
    """Where a task is told of."""
    return Place(
        tenant_id=task.tenant_id,
        connection=task.home.connection,
        team_id=task.home.team_id,
        channel_id=task.home.channel,
    )


def whispered(place: Place, said: Whisper) -> Following:
    """The command that tells it. After one cause there is one."""
    name = ids.run_id(place.connection, f"notice:{said.cause}")
    told = Notice(
        at=said.at,
        notice_id=name,
        cause=said.cause,
        place=place,
        user_id=said.user,
        notice=said.kind,
        text=said.text,
    )
    key = ids.thread_key(place.connection.partition(":")[2], place.channel_id or "", place.thread_ts)
    return Following(RUNS_COMMANDS, key, told, name)
