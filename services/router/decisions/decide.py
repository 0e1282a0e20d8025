"""The router's decision about one envelope: the gates, in their order. Pure, and total."""

from dataclasses import replace
from datetime import datetime

from schemas.decision import Ignored, Interaction
from services.router.decisions import (
    addressing,
    bots,
    control,
    dispatch,
    idempotency,
    interactions,
    keys,
    rate_limit,
    reactions,
    tenancy,
)
from services.router.decisions.event import Event
from services.router.decisions.facts import Facts, Tenant
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
    if wanted is not None:
        return _of_wanted(reactions.of_mention(wanted, event, tenant, facts, now), event, tenant, facts, now)
    ruled = reactions.gate(event, tenant, facts, now)
    if isinstance(ruled, Wanted):
        return _of_wanted(ruled, event, tenant, facts, now)
    return interactions.for_agents(event, tenant, ruled)


def _of_wanted(wanted: Wanted, event: Event, tenant: Tenant, facts: Facts, now: float) -> Outcome:
    """A run that is asked for starts once, and only within the limits."""
    if wanted.agent_id is None:
        return Outcome(Ignored(reason="no_agent"), evaluation=reactions.lost(wanted, "no_match"), rule=wanted.rule)
    seen = idempotency.seen_cause(event, facts, now)
    if seen is not None:
        if seen.key == event.cause.name:  # its other half: rules have looked at this message
            return Outcome(seen)
        return Outcome(seen, evaluation=reactions.lost(wanted, "duplicate"), rule=wanted.rule)
    allowed = rate_limit.gate(wanted, keys.of(event.connection, tenant.id), tenant, facts, now)
    if isinstance(allowed, rate_limit.Refused):
        refused = reactions.lost(wanted, "throttled")
        return Outcome(allowed.decision, allowed.changes, evaluation=refused, rule=wanted.rule)
    return dispatch.dispatched(wanted, allowed, event, tenant, now)


def _of_interaction(outcome: Outcome, event: Event, tenant: Tenant, facts: Facts, now: float) -> Outcome:
    """Only the wish to have an answer again is a run."""
    decision = outcome.decision
    if not isinstance(decision, Interaction) or decision.interaction != "retry":
        return outcome
    seen = idempotency.seen_cause(event, facts, now)
    if seen is not None:
        return Outcome(seen)
    wanted = addressing.again(event, tenant, facts, now)
    if wanted.agent_id is None:
        return Outcome(Ignored(reason="no_agent"))
    allowed = rate_limit.gate(wanted, keys.of(event.connection, tenant.id), tenant, facts, now)
    if isinstance(allowed, rate_limit.Refused):
        return Outcome(allowed.decision, allowed.changes)
    followed = dispatch.followed(wanted, event, tenant, now)
    return Outcome(decision, (*idempotency.claims(event, now), *allowed.changes, *followed))
