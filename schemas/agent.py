"""agents.events and agents.commands: programs that are watched from Slack, and what people answer them.

Everything that happens to a task stands in agents.events under its id, in one order: what the program said, what people
decided, what the supervisor judged. Of two decisions about one approval the first in that order holds.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from schemas.base import Event, Instant, Name, Part
from schemas.command import Place

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
ReportedStatus = Literal["starting", "working", "paused", "error"]
"""What a program says of itself while it goes on. The others follow from what else is known of its task."""
EndStatus = Literal["complete", "error", "cancelled"]
Level = Literal["info", "warning", "error"]
TaskVerb = Literal[
    "run", "list", "show", "cancel", "pause", "resume", "tell", "approve", "reject", "answer", "help", "text"
]
"""What is wanted of supervised agents; `text` is plain words, `reject` and `answer` want a form to write in."""
ArtifactKind = Literal["pull_request", "file", "deploy", "link"]
ApprovalKind = Literal["decision", "choice", "question"]
Outcome = Literal["approved", "rejected", "chosen", "answered", "expired"]
AttemptFault = Literal[
    "may_not",
    "own_task",
    "other_arguments",
    "already_decided",
    "expired",
    "task_over",
    "not_a_choice",
    "too_many",
]
"""Why somebody's attempt to decide led to nothing."""
DecidedVia = Literal["slack", "page", "clock", "program"]
JudgementKind = Literal[
    "context_70",
    "context_85",
    "context_soon",
    "silent",
    "heard_again",
    "slow_step",
    "token_jump",
    "many_errors",
    "budget_80",
    "budget_spent",
]


class TaskHome(Part):
    """Where in Slack a task is told of."""

    connection: Name
    team_id: Name
    channel: Name
    """Its id, or its name with # before it."""
    thread_ts: Name | None = None
    """The thread of a run, where its approvals are asked for there. Other tasks have threads of their own."""


class _OfTask(Event):
    task_id: Name
    tenant_id: Name
    agent_id: Name


class _Reported(_OfTask):
    """What a program says. `at` is by its own clock, and never later than its receipt."""

    home: TaskHome
    token_id: Name
    received_at: Instant
    lease_id: Name | None = None
    """By which a worker has a task that people want. Once it has lost it, it is not heard."""


class TaskWanted(_OfTask):
    """Somebody wants a task done, by whichever worker of the agent takes it."""

    type: Literal["task.wanted"] = "task.wanted"
    home: TaskHome
    task_name: str
    text: str
    """What is to be done, in their words."""
    wanted_by: Name
    approval_id: Name
    """It is offered to workers once this is approved."""


class TaskTaken(_OfTask):
    """A worker wants to do it. Of several the first in the log has it, until it falls silent or hands it over."""

    type: Literal["task.taken"] = "task.taken"
    lease_id: Name
    worker: Name
    token_id: Name


class TaskHandedOver(_Reported):
    """Its worker leaves it to another agent."""

    type: Literal["task.handed_over"] = "task.handed_over"
    to_agent_id: Name
    text: str
    """What is left to be done."""


class WaitingRun(Part):
    """A run that waits for people, as a stop knows it, and where it goes on."""

    place: Place
    key: Name
    """Of its commands in their topic."""
    asked_by: Name
    asked_at: Instant
    messages: tuple[Name, ...] = ()
    """The ts of the message that asked, and of those that answer."""
    round: int
    """Which time it waits."""
    asks: int
    """For how many decisions."""


class RunWaits(_Reported):
    """A run of an agent that people talk with is suspended: it wants to use tools, and waits to be allowed to."""

    type: Literal["run.waits"] = "run.waits"
    task_name: str
    run: WaitingRun
    expires_at: Instant | None = None
    """When the time to decide is over, for all that it asks."""


class TaskStarted(_Reported):
    """A supervised agent took up a task."""

    type: Literal["task.started"] = "task.started"
    task_name: str
    repo_scope: str | None = None
    context_size: int
    """How many tokens its model can see at once."""
    parent_task_id: Name | None = None
    started_by: Name | None = None
    """The person who wanted it, where one did."""
    worker: str | None = None
    """The process that does it, for people to find it."""
    heartbeat_s: float | None = None
    """How often it says that it lives; none where it never does."""


class TaskCheckpoint(_Reported):
    """How far a task is."""

    type: Literal["task.checkpoint"] = "task.checkpoint"
    status: ReportedStatus = "working"
    level: Level = "info"
    action: str
    progress: float | None = None
    """From 0 to 1."""
    step: str | None = None
    context_used: int | None = None
    """Tokens that its model sees now."""
    cost_usd: float | None = None
    """What it cost since the checkpoint before."""
    details_json: str | None = None
    """More about it, as a JSON object: the confidence of a choice, a latency."""


class TaskArtifact(_Reported):
    """Something that a task made."""

    type: Literal["task.artifact"] = "task.artifact"
    artifact: ArtifactKind
    title: str
    link: str | None = None


class TaskEnded(_Reported):
    """A task is over."""

    type: Literal["task.ended"] = "task.ended"
    status: EndStatus
    summary: str | None = None


class ApprovalRequested(_Reported):
    """A task waits for a person."""

    type: Literal["approval.requested"] = "approval.requested"
    approval_id: Name
    """The only one of its name, in whichever task."""
    request_id: Name
    """What the program calls it."""
    kind: ApprovalKind = "decision"
    action: str
    """What is to be done, or the question."""
    arguments_json: str
    arguments_hash: Name
    """Of the action and its arguments. An answer is bound to it: an answer to others is none."""
    choices: tuple[str, ...] = ()
    expires_at: Instant


class ApprovalDecided(_OfTask):
    """A person, or the clock, answered."""

    type: Literal["approval.decided"] = "approval.decided"
    approval_id: Name
    arguments_hash: Name
    outcome: Outcome
    answer: str | None = None
    """The choice, or the words of the answer."""
    reason: str | None = None
    decided_by: Name | None = None
    via: DecidedVia
    directory_revision: int | None = None
    """Of the directory that said that this person may."""


class ApprovalAttempted(_OfTask):
    """Somebody tried to decide, and that led to nothing."""

    type: Literal["approval.attempted"] = "approval.attempted"
    approval_id: Name
    arguments_hash: Name
    """What the attempt was about."""
    fault: AttemptFault
    attempted_by: Name
    via: DecidedVia


class Intervention(_OfTask):
    """A person acted on a running task."""

    type: Literal["task.intervention"] = "task.intervention"
    action: Literal["cancel", "pause", "resume", "message"]
    by_user: Name
    text: str | None = None
    via: DecidedVia = "slack"


class RunWaitedOut(_OfTask):
    """The time to decide is over, and not all that a run asked for came to be asked: nobody decides what is missing."""

    type: Literal["run.waited_out"] = "run.waited_out"
    round: int
    """Which time of waiting."""


class TaskJudged(_OfTask):
    """The supervisor noticed something."""

    type: Literal["task.judged"] = "task.judged"
    judgement: JudgementKind
    text: str
    """In one line, for people."""
    value: float | None = None
    """What was measured."""
    about: str | None = None
    """Of what, where one thing is noticed of several: a day's budget."""


AgentEvent: TypeAlias = Annotated[
    TaskWanted
    | TaskTaken
    | TaskHandedOver
    | RunWaits
    | RunWaitedOut
    | TaskStarted
    | TaskCheckpoint
    | TaskArtifact
    | TaskEnded
    | ApprovalRequested
    | ApprovalDecided
    | ApprovalAttempted
    | Intervention
    | TaskJudged,
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
    addressed: bool = True
    """Whether they spoke to the agents. Otherwise what nobody understands is left in silence."""
    quoted: bool = False
    """Whether the words are somebody else's: only a wish for a task is taken of those."""
    for_model: bool = False
    """Whether no rule understands the words, and a model is to read them."""
    trigger_id: Name | None = None


class ToolWanted(Part):
    """One tool that a run wants to use."""

    call_id: Name
    action: str
    """What it is called where people are asked."""
    arguments_json: str
    arguments_hash: Name


class ToolsWanted(Event):
    """A run of an agent is suspended: somebody must allow what it wants to do."""

    type: Literal["tools.wanted"] = "tools.wanted"
    run_id: Name
    agent_id: Name
    home: TaskHome
    task_name: str
    run: WaitingRun
    wanted: tuple[ToolWanted, ...]
    expires_at: Instant


class RunOver(Event):
    """A run that had waited for people is over."""

    type: Literal["run.over"] = "run.over"
    run_id: Name
    agent_id: Name
    place: Place
    ended: EndStatus


AgentCommand: TypeAlias = Annotated[
    ApprovalAnswered | TaskCommanded | ToolsWanted | RunOver, Field(discriminator="type")
]
