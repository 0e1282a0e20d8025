"""Claim and bucket in each order, with deliveries that come again: why they stand as they do (ADR 17)."""

import pytest

from schemas.decision import Duplicate
from services.router.decisions import decide as deciding
from services.router.decisions import dispatch, idempotency, keys, rate_limit, reactions
from services.router.decisions.event import Event
from services.router.decisions.facts import Facts, Limit, Tenant
from services.router.decisions.outcome import Outcome
from services.router.decisions.wanted import Wanted
from tests.deciding import Deciding


def claim_first(wanted: Wanted, event: Event, tenant: Tenant, facts: Facts, now: float) -> Outcome:
    """The other order: whoever comes first has the cause, even if it is refused."""
    seen = idempotency.seen_cause(event, facts, now)
    if seen is not None:
        return Outcome(seen)
    allowed = rate_limit.gate(wanted, keys.of(event.connection, tenant.id), tenant, facts, now)
    if isinstance(allowed, rate_limit.Refused):
        return Outcome(allowed.decision, (*idempotency.claims(event, now), *allowed.changes))
    return dispatch.dispatched(wanted, allowed, event, tenant, now)


def bucket_first(wanted: Wanted, event: Event, tenant: Tenant, facts: Facts, now: float) -> Outcome:
    """The third: a token is taken before it is looked whether it was there before."""
    allowed = rate_limit.gate(wanted, keys.of(event.connection, tenant.id), tenant, facts, now)
    if isinstance(allowed, rate_limit.Refused):
        return Outcome(allowed.decision, allowed.changes, evaluation=reactions.lost(wanted, "throttled"))
    seen = idempotency.seen_cause(event, facts, now)
    if seen is not None:
        return Outcome(seen, allowed.changes)
    return dispatch.dispatched(wanted, allowed, event, tenant, now)


ORDERS = {"claim, bucket": claim_first, "bucket, look up": bucket_first, "decided": deciding._of_wanted}


@pytest.fixture(params=ORDERS)
def order(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(deciding, "_of_wanted", ORDERS[request.param])
    return str(request.param)


def tight() -> Deciding:
    router = Deciding()
    router.has(limits=(Limit("connection", 60, 2),))
    return router


@pytest.mark.usefixtures("order")
def test_the_same_delivery_again_is_known_in_every_order() -> None:
    router = tight()
    router.mention()
    router.mention()
    assert router.mention(ts="5.000001", outer={"event_id": "Ev-a"}).kind == "throttled"
    router.wait(10)
    assert router.mention(ts="5.000001", outer={"event_id": "Ev-a"}).kind == "duplicate"


def test_the_twin_half_of_a_refused_mention(order: str) -> None:
    router = tight()
    router.mention()
    router.mention()
    assert router.mention(ts="5.000001").kind == "throttled"
    assert router.message("<@UBOT> hello", ts="5.000001").kind == (
        "duplicate" if order == "claim, bucket" else "throttled"
    )
    router.wait(10)
    later = router.message("<@UBOT> hello", ts="5.000001").kind
    assert later == ("duplicate" if order == "claim, bucket" else "dispatched"), "it is never answered, or once"


def test_a_repeat_of_what_was_answered_takes_no_token_but_where_the_bucket_comes_first(order: str) -> None:
    router = tight()
    assert router.mention(ts="5.000001").kind == "dispatched"
    repeat = router.message("<@UBOT> hello", ts="5.000001")
    assert isinstance(repeat.decision, Duplicate)
    third = router.mention(ts="6.000001").kind
    assert third == ("throttled" if order == "bucket, look up" else "dispatched")
