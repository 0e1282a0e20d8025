"""audit.runs: the life of a run as reports count it."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from schemas.base import Event, Instant, Name, Part
from schemas.command import Trigger, Verdict
from schemas.stop import StopSource

RunStateName = Literal["start", "complete", "cancel_requested", "cancelled", "error"]
Origin = Literal["channel", "dm", "gateway"]


class PhaseTimes(Part):
    """How long each part of a run took, in seconds since Slack's receipt."""

    accepted: float | None = None
    thinking: float | None = None
    first_token: float | None = None
    last_token: float | None = None
    finished: float | None = None


class Usage(Part):
    """What a run cost."""

    model: Name
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


class _OfRun(Event):
    run_id: Name | None = None
    """None in a cancel_requested of somebody who knew only a message, a thread or a person: `stop_id` joins the two."""
    tenant_id: Name
    connection: Name
    session: Name | None = None
    """team:channel:thread, which is how the reports count a conversation; none where a stop knows no thread."""
    channel: Name | None = None
    """None for a run of a program that has no channel."""
    stop_id: Name | None = None
    origin: Origin


class RunState(_OfRun):
    """A run entered a state. The router alone writes start and cancel_requested, the responder the others."""

    type: Literal["run.state"] = "run.state"
    state: RunStateName
    trigger: Trigger | None = None
    agent_id: Name | None = None
    event_id: Name | None = None
    received_at: Instant | None = None
    reason: str | None = None
    """For an error, its kind; never its text, which could quote a message."""
    phases: PhaseTimes | None = None
    usage: Usage | None = None


class RunCancel(_OfRun):
    """How the end of a run that somebody stopped went."""

    type: Literal["run.cancel"] = "run.cancel"
    source: StopSource
    requested: bool
    """Whether anybody asked; false where the run ended by itself, such as a stream that Slack closed."""
    acknowledged: bool
    """Whether the stop took hold: the model's call is over and the person has been told."""
    latency_ms: float | None = None
    """From the request to the acknowledgement; none until there is one."""
    requested_at: Instant | None = None
    acknowledged_at: Instant | None = None


class RunFeedback(_OfRun):
    """A person said whether a reply was good."""

    type: Literal["run.feedback"] = "run.feedback"
    verdict: Verdict
    given_by: Name


RunAudit: TypeAlias = Annotated[RunState | RunCancel | RunFeedback, Field(discriminator="type")]
