"""The router's decision about one envelope: the gates, in their order. Pure, and total."""

from dataclasses import replace
from datetime import datetime

from schemas.decision import Interaction
from services.router.decisions import (
    addressing,
    bots,
    control,
    dispatch,
    idempotency,
    interactions,
    rate_limit,
    reactions,
    tenancy,
)
from services.router.decisions.event import Event
from services.router.decisions.facts import Facts, Tenant
from services.router.decisions.inbound import Clicked
from services.router.decisions.outcome import Outcome
from services.router.decisions.wanted import Wanted


def decide(event: Event, facts: Facts, now: datetime) -> Outcome:
    """What becomes of an envelope. `now` is when it was received, never earlier than what came before it."""
    tenant = tenancy.owner(event, facts)
    if tenant is None:
        return tenancy.unknown()
    moment = now.timestamp()
    seen = idempotency.seen_event(event, facts, moment)
    if seen is not None:
        return Outcome(seen)
    outcome = _of_new(event, tenant, facts, moment)
    return replace(outcome, changes=(idempotency.known(event, moment), *outcome.changes))


def _of_new(event: Event, tenant: Tenant, facts: Facts, now: float) -> Outcome:
    """What becomes of a delivery that was not there before."""
    for_nobody = tenancy.gate(event, tenant) or bots.gate(event, tenant)
    if for_nobody is not None:
        return for_nobody
    stopped = control.gate(event, tenant, facts, now) or tenancy.strangers(event, tenant)
    if stopped is not None:
        return stopped
    interaction = interactions.gate(event)
    if interaction is not None:
        return _of_interaction(interaction, event, tenant, facts, now)
    wanted = addressing.gate(event, tenant, facts, now)
    if isinstance(wanted, Wanted):
        wanted = reactions.of_mention(wanted, event, tenant, facts, now)
    else:
        wanted = wanted or reactions.gate(event, tenant, facts, now)
    return _of_wanted(wanted, event, tenant, facts, now) if isinstance(wanted, Wanted) else wanted


def _of_wanted(wanted: Wanted, event: Event, tenant: Tenant, facts: Facts, now: float) -> Outcome:
    """A run that is asked for starts once, and only within the limits."""
    seen = idempotency.seen_cause(event, facts, now)
    if seen is not None:
        return Outcome(seen, evaluation=reactions.lost(wanted, "duplicate"))
    allowed = rate_limit.gate(wanted, event.connection, tenant, facts, now)
    if isinstance(allowed, rate_limit.Refused):
        return Outcome(allowed.decision, allowed.changes, evaluation=reactions.lost(wanted, "throttled"))
    return dispatch.dispatched(wanted, allowed, event, now)


def _of_interaction(outcome: Outcome, event: Event, tenant: Tenant, facts: Facts, now: float) -> Outcome:
    """Only the wish to have an answer again is a run."""
    clicked = event.inbound
    again = isinstance(outcome.decision, Interaction) and outcome.decision.interaction == "retry"
    if not again or not isinstance(clicked, Clicked):
        return outcome
    seen = idempotency.seen_cause(event, facts, now)
    if seen is not None:
        return Outcome(seen)
    wanted = Wanted("retry", "", clicked.channel, clicked.origin.sender or "")
    allowed = rate_limit.gate(wanted, event.connection, tenant, facts, now)
    if isinstance(allowed, rate_limit.Refused):
        return Outcome(allowed.decision, allowed.changes)
    return dispatch.retried(outcome, allowed, event, now)
