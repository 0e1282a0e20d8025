"""A log as a week of a busy installation leaves it: tenants, days and nights, failures, stops, rules, limits."""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from uuid import UUID

from schemas.attributes import Attributes
from schemas.lines import Kept

BEGIN: Final = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
THROTTLED, MATCHED, LED, LIKED, SLOW = 0.03, 0.08, 0.9, 0.8, 0.01
"""How often envelopes are over a limit, rules match and lead to runs, answers are liked, stops take long."""
STOPPED, FAILED, OVER, UNJUDGED = 0.035, 0.06, 0.998, 0.93
"""Up to where of all runs they are stopped, failed, and over; and from where on they are judged."""

Event = dict[str, Any]

_TENANTS: Final = (("acme", 6), ("globex", 3), ("initech", 1))
_AGENTS: Final = {"acme": ("mara", "otto"), "globex": ("vera",), "initech": ("milo",)}
_MODELS: Final = {
    "mara": "openai:gpt-4.1",
    "otto": "openai:gpt-4.1-mini",
    "vera": "anthropic:sonnet",
    "milo": "rehearsal",
}
_PRICE: Final = {"openai:gpt-4.1": 8e-6, "openai:gpt-4.1-mini": 1.6e-6, "anthropic:sonnet": 1.5e-5}
_REASONS: Final = ("model_timeout", "model_overloaded", "model_refused", "slack_gone")
_STOPS: Final = (("button", 6), ("command", 3), ("emoji", 2), ("word", 2), ("native", 1))
_SKIPS: Final = (("no_match", 20), ("channel", 9), ("pattern", 6), ("cooldown", 2), ("sender", 1), ("outranked", 1))
_RULES: Final = ("greet-newcomers", "triage-incidents", "summarise-links", "thank-reviewers")


@dataclass(frozen=True)
class Asking:
    """One thing that somebody asked."""

    at: datetime
    tenant: str
    agent: str
    origin: str
    channel: str | None
    session: str | None
    run_id: str
    event_id: str

    @property
    def connection(self) -> str:
        """Where it was asked."""
        return f"A0LOCAL:T0{self.tenant.upper()}"


def records(events: int, seed: int = 7) -> Iterator[Kept]:
    """About so many records, in the order in which they happen, for each topic in one partition."""
    chance, offsets = Random(seed), dict.fromkeys(("audit.runs", "audit.decisions", "audit.reactions"), 0)  # noqa: S311 - it is to be the same every time
    askings = max(1, events // 9)
    for number in range(askings):
        asking = _asking(chance, number, askings)
        for topic, event in _events(chance, asking):
            yield _record(chance, topic, offsets[topic], (asking, event))
            offsets[topic] += 1


def _asking(chance: Random, number: int, of: int) -> Asking:
    day, share = divmod(number / of * 5, 1)
    hours = day * 24 + 12 * (1 - math.cos(math.pi * share)) / 2 + chance.gauss(0, 0.6)
    tenant, at = _one_of(chance, _TENANTS), BEGIN + timedelta(hours=max(0.0, hours))
    origin = chance.choices(("channel", "dm", "gateway"), (14, 5, 1))[0]
    team = f"T0{tenant.upper()}"
    channel = {"channel": f"C{int(chance.paretovariate(1.1)) % 60:04}", "dm": f"D{chance.randrange(40):04}"}.get(origin)
    thread = f"{1772431200 + chance.randrange(of // 2 + 1)}.000100"
    return Asking(
        at=at,
        tenant=tenant,
        agent=chance.choice(_AGENTS[tenant]),
        origin=origin,
        channel=channel,
        session=f"{team}:{channel}:{thread}" if channel else None,
        run_id=_id(chance),
        event_id=f"A0LOCAL:Ev{number:08}",
    )


def _events(chance: Random, asking: Asking) -> Iterator[tuple[str, Event]]:
    yield "audit.decisions", _decision(asking, _kind(chance, asking))
    for _ in range(3):
        yield (
            "audit.decisions",
            _decision(asking, {"kind": "ignored", "reason": chance.choice(("not_addressed",) * 9 + ("bot_message",))}),
        )
    for _ in range(2):
        yield "audit.reactions", _reaction(chance, asking)
    yield "audit.runs", _state(asking, "start", asking.at)
    yield from _end(chance, asking)


def _kind(chance: Random, asking: Asking) -> Event:
    if chance.random() < THROTTLED:
        bucket, told = (
            chance.choice(("connection", "connection", "user")),
            chance.choice(("notice", "emoji", "nothing")),
        )
        return {"kind": "throttled", "bucket": bucket, "retry_after_s": 2.0, "told_by": told}
    return {
        "kind": "dispatched",
        "run_id": asking.run_id,
        "cause": asking.event_id,
        "trigger": "mention",
        "agent_id": asking.agent,
    }


def _end(chance: Random, asking: Asking) -> Iterator[tuple[str, Event]]:
    first = 0.35 * math.exp(chance.gauss(0, 0.7))
    whole = first + 2.2 * math.exp(chance.gauss(0, 0.8))
    draw = chance.random()
    if draw < STOPPED:
        yield from _stop(chance, asking, first + whole * chance.random() / 2)
    elif draw < FAILED:
        failed = _state(asking, "error", asking.at + timedelta(seconds=whole))
        yield "audit.runs", {**failed, "reason": chance.choices(_REASONS, (9, 5, 2, 1))[0]}
    elif draw < OVER:
        yield "audit.runs", _complete(chance, asking, first, whole)
    if draw > UNJUDGED:
        verdict = "good" if chance.random() < LIKED else "bad"
        yield (
            "audit.runs",
            {**_of_run(asking), "type": "run.feedback", "at": _text(asking.at), "verdict": verdict, "given_by": "U1"},
        )


def _complete(chance: Random, asking: Asking, first: float, whole: float) -> Event:
    model, inwards, outwards = _MODELS[asking.agent], chance.randrange(150, 4000), int(40 * whole)
    price = _PRICE.get(model)
    accepted = 0.003 + 0.004 * chance.random()
    return {
        **_state(asking, "complete", asking.at + timedelta(seconds=whole + 0.2)),
        "phases": {
            "accepted": round(accepted, 6),
            "thinking": round(accepted + 0.15 * chance.random(), 6),
            "first_token": round(first, 6),
            "last_token": round(whole, 6),
            "finished": round(whole + 0.1 + 0.1 * chance.random(), 6),
        },
        "usage": {
            "model": model,
            "input_tokens": inwards,
            "output_tokens": outwards,
            "cost_usd": None if price is None else round(price * (inwards / 4 + outwards), 8),
        },
    }


def _stop(chance: Random, asking: Asking, after: float) -> Iterator[tuple[str, Event]]:
    stop, asked = _id(chance), asking.at + timedelta(seconds=after)
    took = 0.09 * math.exp(chance.gauss(0, 0.6)) * (400 if chance.random() < SLOW else 1)
    done = asked + timedelta(seconds=took)
    yield "audit.runs", {**_state(asking, "cancel_requested", asked), "stop_id": stop}
    yield "audit.runs", _state(asking, "cancelled", done)
    yield (
        "audit.runs",
        {
            **_of_run(asking),
            "type": "run.cancel",
            "at": _text(done),
            "stop_id": stop,
            "source": _one_of(chance, _STOPS),
            "requested": True,
            "acknowledged": True,
            "latency_ms": round(took * 1000, 3),
            "requested_at": _text(asked),
            "acknowledged_at": _text(done),
        },
    )


def _reaction(chance: Random, asking: Asking) -> Event:
    common = {
        "at": _text(asking.at),
        "channel": asking.channel or "gateway",
        "tenant_id": asking.tenant,
        "connection": asking.connection,
        "event_id": asking.event_id,
        "directory_revision": 3,
        "candidate_count": 2,
    }
    if chance.random() < MATCHED:
        return {
            **common,
            "type": "reaction.match",
            "rule_name": chance.choices(_RULES, (6, 3, 2, 1))[0],
            "sender": "U1",
            "filter_summary": "a channel",
            "run_id": asking.run_id if chance.random() < LED else None,
        }
    return {**common, "type": "reaction.skip", "reason": _one_of(chance, _SKIPS)}


def _decision(asking: Asking, decision: Event) -> Event:
    return {
        "type": "decision.made",
        "at": _text(asking.at),
        "decision": decision,
        "source_partition": 0,
        "source_offset": 0,
        "connection": asking.connection,
        "tenant_id": asking.tenant,
        "event_id": asking.event_id,
        "event_type": "app_mention",
        "received_at": _text(asking.at),
        "directory_revision": 3,
        "sent": [asking.run_id],
    }


def _state(asking: Asking, state: str, at: datetime) -> Event:
    return {
        **_of_run(asking),
        "type": "run.state",
        "at": _text(at),
        "state": state,
        "trigger": "mention",
        "agent_id": asking.agent,
        "event_id": asking.event_id,
        "received_at": _text(asking.at),
        "reason": None,
        "phases": None,
        "usage": None,
    }


def _of_run(asking: Asking) -> Event:
    return {
        "run_id": asking.run_id,
        "tenant_id": asking.tenant,
        "connection": asking.connection,
        "session": asking.session,
        "channel": asking.channel,
        "stop_id": None,
        "origin": asking.origin,
    }


def _record(chance: Random, topic: str, offset: int, said: tuple[Asking, Event]) -> Kept:
    asking, event = said
    key = (asking.session or asking.run_id) if topic == "audit.runs" else asking.connection
    attributes = Attributes(_id(chance), event["type"], "/threadline/router", asking.at)
    value = json.dumps(event, separators=(",", ":")).encode()
    return Kept(topic, 0, offset, int(asking.at.timestamp() * 1000), key.encode(), attributes.to_headers(), value)


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _id(chance: Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


def _one_of(chance: Random, weighted: tuple[tuple[str, int], ...]) -> str:
    names, weights = zip(*weighted, strict=True)
    return str(chance.choices(names, weights)[0])
