"""A decision as it is remembered: with the envelope, enough to say everything again. It holds no text."""

from schemas.base import Instant, Name, Part
from schemas.decision import Decision
from schemas.stop import StopTarget
from services.router.decisions.outcome import Evaluation


class Verdict(Part):
    """What was decided of one envelope, when, and for whom."""

    at: Instant
    """The time of the decision: when the envelope was received, never earlier than those before it."""
    decision: Decision
    tenant_id: Name | None = None
    directory_revision: int | None = None
    self_id: Name | None = None
    """The user that the app is."""
    evaluation: Evaluation | None = None
    prompt: str | None = None
    """The template of the rule that matched."""
    target: StopTarget | None = None
    may_stop_anyone: bool = False
    detail: str | None = None
    """Of a dead letter, what was wrong."""
