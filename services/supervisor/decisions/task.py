"""A task as it stands: what follows from everything that was said of it."""

from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from schemas.agent import (
    AgentStatus,
    ApprovalKind,
    ArtifactKind,
    DecidedVia,
    EndStatus,
    JudgementKind,
    Level,
    Outcome,
    ReportedStatus,
    TaskHome,
    WaitingRun,
)
from schemas.base import Instant, Name, Part

CONTEXT_SIZE: Final = 200_000
"""Of a task that never said how it began."""
RESPONDER: Final = "responder"
"""Stands where others name their token: nobody else speaks of runs."""
WARN_AT, ALARM_AT = 0.70, 0.85
"""Shares of the context that are worth a warning."""

ApprovalState: TypeAlias = Literal["open", "withdrawn", "refused"] | Outcome
"""`withdrawn`: its task ended before anybody answered, or asked for something else under the same name; `refused`:
nobody was asked, since its task asks for too much at once."""
OrderKind = Literal["cancel", "pause", "resume", "message"]


class Approval(Part):
    """What a task asked a person, and what became of it."""

    approval_id: Name
    request_id: Name
    kind: ApprovalKind
    action: str
    arguments_json: str
    arguments_hash: Name
    choices: tuple[str, ...] = ()
    asked_at: Instant
    """By our clock, as everything is that people are measured by."""
    expires_at: Instant
    state: ApprovalState = "open"
    answer: str | None = None
    reason: str | None = None
    decided_by: str | None = None
    decided_at: Instant | None = None
    via: DecidedVia | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody can still answer."""
        return self.state == "open"


class Artifact(Part):
    """Something that it made."""

    artifact: ArtifactKind
    title: str
    link: str | None = None


class Judgement(Part):
    """Something that the supervisor noticed."""

    judgement: JudgementKind
    text: str
    at: Instant


class Order(Part):
    """What a person told it."""

    id: Name
    action: OrderKind
    by_user: str
    text: str | None = None
    at: Instant


class Lease(Part):
    """Which worker has it."""

    lease_id: Name
    worker: str
    at: Instant


class Moment(Part):
    """When its status became another."""

    status: AgentStatus
    at: Instant


class ContextSeen(Part):
    """How full its context was, and when."""

    at: Instant
    used: int


class Task(Part):
    """Everything that is known of a task."""

    tenant_id: Name
    task_id: Name
    agent_id: Name
    home: TaskHome
    life: int = 0
    """How often it was begun anew after it had ended."""
    task_name: str
    repo_scope: str | None = None
    context_size: int = CONTEXT_SIZE
    parent_task_id: str | None = None
    started_by: str | None = None
    worker: str | None = None
    heartbeat_s: float | None = None
    wanted: str | None = None
    """What is to be done, in the words of who wanted it. Workers take such a task; others began by themselves."""
    start_approval_id: str | None = None
    is_offered: bool = False
    """Whether a worker may take it."""
    lease: Lease | None = None
    run: WaitingRun | None = None
    """Where it is a run of an agent that people talk with, which had to wait for them."""
    waits_until: Instant | None = None
    """When the time to decide is over, for all that such a run asked when it waited last."""
    reported: ReportedStatus = "starting"
    level: Level = "info"
    action: str | None = None
    progress: float | None = None
    step: str | None = None
    steps: int = 0
    errors: tuple[bool, ...] = ()
    """Of its last steps, which were errors."""
    context_used: int | None = None
    contexts: tuple[ContextSeen, ...] = ()
    """The newest, for what they lead to."""
    warned: tuple[str, ...] = ()
    """What was noticed, and is not worth saying again."""
    cost_usd: float = 0.0
    started_at: Instant
    at: Instant
    """By its own clock, of what it said last."""
    received_at: Instant
    silent_since: Instant | None = None
    ended_as: EndStatus | None = None
    summary: str | None = None
    artifacts: tuple[Artifact, ...] = ()
    approvals: tuple[Approval, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    orders: tuple[Order, ...] = ()
    orders_version: int = 0
    is_paused: bool = False
    timeline: tuple[Moment, ...] = ()
    version: int = 0

    @property
    def status(self) -> AgentStatus:
        """The most telling of what holds."""
        if self.ended_as is not None:
            return self.ended_as
        if self.silent_since is not None:
            return "stalled"
        if self.waits or (self.approvals and any(each.is_open for each in self.approvals)):
            return "waiting_for_approval"
        if self.is_paused:
            return "paused"
        if self.reported == "working" and self.context_share is not None and self.context_share >= WARN_AT:
            return "context_warning"
        return self.reported

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.ended_as is not None

    @property
    def asked_now(self) -> tuple[Approval, ...]:
        """What a run asked when it waited last, as far as it is known."""
        if self.run is None:
            return ()
        return tuple(each for each in self.approvals if each.request_id.startswith(f"{self.run.round}:"))

    @property
    def waits(self) -> bool:
        """Whether it is a run that waits for people: something is open, or was not asked yet."""
        if self.run is None or self.is_over or self.cancelled_by is not None:
            return False
        return any(each.is_open for each in self.approvals) or len(self.asked_now) < self.run.asks

    @property
    def context_share(self) -> float | None:
        """How full its context is."""
        return None if self.context_used is None else self.context_used / self.context_size

    @property
    def cancelled_by(self) -> Order | None:
        """Who wants it to end."""
        return next((each for each in reversed(self.orders) if each.action == "cancel"), None)

    def approval(self, approval_id: str) -> Approval | None:
        """One of its approvals."""
        return next((each for each in self.approvals if each.approval_id == approval_id), None)


def about(task: Task, at: datetime) -> dict[str, Any]:
    """What every event says of the task that it is about, and when that is."""
    return {"at": at, "task_id": task.task_id, "tenant_id": task.tenant_id, "agent_id": task.agent_id}
