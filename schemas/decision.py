"""audit.decisions: what was decided for every envelope, why, and what was sent. Exactly one per envelope."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from schemas.base import Event, Instant, Name, Part
from schemas.command import Trigger
from schemas.stop import StopSource

IgnoredReason = Literal[
    "not_addressed",
    "own_message",
    "bot_message",
    "edited",
    "deleted",
    "hidden",
    "unknown_event",
    "lifecycle",
    "no_agent",
    "connection_closed",
    "tenant_disabled",
    "stranger",
]
InteractionKind = Literal["why", "retry", "feedback", "approval", "agent_task", "view", "retired_button", "help"]
DeadReason = Literal["not_json", "not_an_envelope", "no_connection", "malformed_payload", "decision_failed"]


class Dispatched(Part):
    """A run was asked for."""

    kind: Literal["dispatched"] = "dispatched"
    run_id: Name
    cause: Name
    aliases: tuple[Name, ...] = ()
    """The cause's other names, which are claimed with it."""
    trigger: Trigger
    agent_id: Name
    rule_name: Name | None = None


class Duplicate(Part):
    """Seen before: the same delivery, or the same thing done by a person."""

    kind: Literal["duplicate"] = "duplicate"
    of: Literal["event", "cause"]
    key: Name
    first_offset: int | None = None


class Throttled(Part):
    """Over the tenant's limit."""

    kind: Literal["throttled"] = "throttled"
    bucket: Literal["connection", "channel", "user"]
    retry_after_s: float
    told_by: Literal["notice", "emoji", "nothing"]


class Ignored(Part):
    """Nothing to do, for a reason."""

    kind: Literal["ignored"] = "ignored"
    reason: IgnoredReason


class UnknownWorkspace(Part):
    """No tenant owns the connection."""

    kind: Literal["unknown_workspace"] = "unknown_workspace"


class Control(Part):
    """A stop was asked for."""

    kind: Literal["control"] = "control"
    stop_id: Name
    source: StopSource
    permitted: bool


class Interaction(Part):
    """A click or a command that is not a stop."""

    kind: Literal["interaction"] = "interaction"
    interaction: InteractionKind
    cause: Name | None = None
    run_id: Name | None = None
    """The run that it is about, or that it starts."""


class DeadLettered(Part):
    """It could not be understood, and is kept."""

    kind: Literal["dead_letter"] = "dead_letter"
    reason: DeadReason


Decision: TypeAlias = Annotated[
    Dispatched | Duplicate | Throttled | Ignored | UnknownWorkspace | Control | Interaction | DeadLettered,
    Field(discriminator="kind"),
]


class DecisionMade(Event):
    """What the router made of one envelope."""

    type: Literal["decision.made"] = "decision.made"
    decision: Decision
    source_partition: int
    source_offset: int
    connection: Name | None = None
    tenant_id: Name | None = None
    event_id: Name | None = None
    event_type: str | None = None
    """Slack's name for the event, such as app_mention."""
    received_at: Instant | None = None
    directory_revision: int | None = None
    sent: tuple[Name, ...] = ()
    """The ids of the records that it led to."""
