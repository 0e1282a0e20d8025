"""The ninth gate: the run starts, and what that changes is remembered."""

from schemas.decision import Dispatched, Interaction
from schemas.ids import run_id
from services.router.decisions import keys
from services.router.decisions.event import Event
from services.router.decisions.idempotency import claims
from services.router.decisions.outcome import Change, Outcome
from services.router.decisions.rate_limit import Granted
from services.router.decisions.wanted import Wanted


def dispatched(wanted: Wanted, granted: Granted, event: Event, now: float) -> Outcome:
    """A run. Its thread is followed from now on."""
    rule = wanted.rule
    decision = Dispatched(
        run_id=run_id(event.connection, event.cause.name),
        cause=event.cause.name,
        aliases=event.cause.aliases,
        trigger=wanted.trigger,
        agent_id=wanted.agent_id,
        rule_name=rule.name if rule is not None else None,
    )
    changes = [*claims(event, now), *granted.changes]
    if wanted.channel is not None and wanted.thread_ts is not None:
        followed = keys.thread(event.connection, wanted.channel, wanted.thread_ts)
        changes.append(Change(followed, wanted.agent_id, now + keys.THREAD_IS_FOLLOWED_S))
    if rule is not None and rule.cooldown_s and wanted.channel is not None:
        rests = keys.rest(event.connection, rule.name, wanted.channel)
        changes.append(Change(rests, now, now + keys.LONGEST_REST_S))
    return Outcome(
        decision,
        tuple(changes),
        evaluation=wanted.evaluation,
        prompt=rule.prompt if rule is not None else None,
    )


def retried(outcome: Outcome, granted: Granted, event: Event, now: float) -> Outcome:
    """The answer is wanted again: a run of its own, whose cause is the click."""
    decision = outcome.decision
    if not isinstance(decision, Interaction):
        raise TypeError("a retry is an interaction")
    return Outcome(decision, (*claims(event, now), *granted.changes))
