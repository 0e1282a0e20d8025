"""The ninth gate: the run starts, and what that changes is remembered."""

from collections.abc import Iterator

from schemas.decision import Dispatched
from schemas.ids import run_id
from services.router.decisions import keys
from services.router.decisions.event import Event
from services.router.decisions.facts import Tenant
from services.router.decisions.idempotency import claims
from services.router.decisions.outcome import Change, Outcome
from services.router.decisions.rate_limit import Granted
from services.router.decisions.wanted import Wanted


def dispatched(wanted: Wanted, granted: Granted, event: Event, tenant: Tenant, now: float) -> Outcome:
    """A run. Its thread is followed from now on."""
    rule = wanted.rule
    if wanted.agent_id is None:
        raise TypeError("somebody answers")
    decision = Dispatched(
        run_id=run_id(event.connection, event.cause.name),
        cause=event.cause.name,
        aliases=event.cause.aliases,
        trigger=wanted.trigger,
        agent_id=wanted.agent_id,
        rule_name=rule.name if rule is not None else None,
    )
    changes = [*claims(event, now), *granted.changes, *followed(wanted, event, tenant, now)]
    if rule is not None and rule.cooldown_s and wanted.channel is not None:
        rests = keys.rest(keys.of(event.connection, tenant.id), rule.name, wanted.channel)
        changes.append(Change(rests, now, now + keys.LONGEST_REST_S))
    return Outcome(
        decision,
        tuple(changes),
        evaluation=wanted.evaluation,
        rule=rule,
        prompt=rule.prompt if rule is not None else None,
    )


def followed(wanted: Wanted, event: Event, tenant: Tenant, now: float) -> Iterator[Change]:
    """Its thread is followed from now on."""
    if wanted.channel is not None and wanted.thread_ts is not None:
        key = keys.thread(keys.of(event.connection, tenant.id), wanted.channel, wanted.thread_ts)
        yield Change(key, wanted.agent_id, now + keys.THREAD_IS_FOLLOWED_S)
