"""A decision as it is remembered: with the envelope, enough to say everything again. It holds no text."""

from datetime import datetime

from schemas.base import Instant, Name, Part
from schemas.decision import Decision, UnknownWorkspace
from schemas.stop import StopTarget
from services.router.decisions import bots
from services.router.decisions.event import Event
from services.router.decisions.facts import Facts
from services.router.decisions.outcome import Evaluation, Outcome


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


def verdict_of(outcome: Outcome, event: Event, facts: Facts, at: datetime) -> Verdict:
    """An outcome, and for whom it was."""
    tenant = facts.tenant
    is_known = tenant is not None and not isinstance(outcome.decision, UnknownWorkspace)
    return Verdict(
        at=at,
        decision=outcome.decision,
        tenant_id=tenant.id if tenant is not None and is_known else None,
        directory_revision=facts.revision,
        self_id=bots.self_of(event.inbound.origin, tenant) if tenant is not None else None,
        evaluation=outcome.evaluation,
        prompt=outcome.prompt,
        target=outcome.target,
        may_stop_anyone=outcome.may_stop_anyone,
    )
