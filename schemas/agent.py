"""agents.events and agents.commands: programs that are watched from Slack, and what people answer them."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from schemas.base import Event, Instant, Name

AgentStatus = Literal[
    "starting",
    "working",
    "waiting_for_approval",
    "context_warning",
    "paused",
    "stalled",
    "error",
    "cancelled",
    "complete",
]
TaskVerb = Literal["run", "list", "show", "cancel", "approve", "help", "text"]
"""What is wanted of supervised agents; `text` is plain words."""
ArtifactKind = Literal["pull_request", "file", "deploy", "link"]


class _OfTask(Event):
    task_id: Name
    tenant_id: Name
    agent_id: Name


class TaskStarted(_OfTask):
    """A supervised agent took up a task."""

    type: Literal["task.started"] = "task.started"
    task_name: str
    repo_scope: str | None = None
    context_size: int
    parent_task_id: Name | None = None


class TaskCheckpoint(_OfTask):
    """How far a task is."""

    type: Literal["task.checkpoint"] = "task.checkpoint"
    sequence: int
    status: AgentStatus
    action: str
    progress: float | None = None
    step: str | None = None
    context_used: int | None = None
    cost_usd: float | None = None


class TaskArtifact(_OfTask):
    """Something that a task made."""

    type: Literal["task.artifact"] = "task.artifact"
    artifact: ArtifactKind
    title: str
    link: str | None = None


class TaskEnded(_OfTask):
    """A task is over."""

    type: Literal["task.ended"] = "task.ended"
    status: Literal["complete", "error", "cancelled"]
    summary: str | None = None


class ApprovalRequested(_OfTask):
    """A task waits for a person."""

    type: Literal["approval.requested"] = "approval.requested"
    approval_id: Name
    action: str
    arguments_json: str
    arguments_hash: Name
    """What an answer is bound to: an answer to other arguments is none."""
    choices: tuple[str, ...] = ("approve", "reject")
    expires_at: Instant


class ApprovalDecided(_OfTask):
    """A person, or the clock, answered."""

    type: Literal["approval.decided"] = "approval.decided"
    approval_id: Name
    arguments_hash: Name
    outcome: Literal["approved", "rejected", "chosen", "answered", "expired", "refused"]
    """`refused`: somebody who may not decide tried to."""
    answer: str | None = None
    reason: str | None = None
    decided_by: Name | None = None


class Intervention(_OfTask):
    """A person acted on a running task."""

    type: Literal["task.intervention"] = "task.intervention"
    action: Literal["cancel", "pause", "resume", "message"]
    by_user: Name
    text: str | None = None


AgentEvent: TypeAlias = Annotated[
    TaskStarted | TaskCheckpoint | TaskArtifact | TaskEnded | ApprovalRequested | ApprovalDecided | Intervention,
    Field(discriminator="type"),
]


class _FromPerson(Event):
    command_id: Name
    cause: Name
    tenant_id: Name
    connection: Name
    team_id: Name
    channel_id: Name | None = None
    thread_ts: Name | None = None
    user_id: Name
    directory_revision: int


class ApprovalAnswered(_FromPerson):
    """A click or a form that answers an approval."""

    type: Literal["approval.answered"] = "approval.answered"
    approval_id: Name
    arguments_hash: Name
    answer: str
    reason: str | None = None


class TaskCommanded(_FromPerson):
    """`/agent-task`, a task button, or plain words in an agents' channel."""

    type: Literal["task.commanded"] = "task.commanded"
    verb: TaskVerb
    task_id: Name | None = None
    text: str = ""
    trigger_id: Name | None = None


AgentCommand: TypeAlias = Annotated[ApprovalAnswered | TaskCommanded, Field(discriminator="type")]
