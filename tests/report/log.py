"""Logs as tests make them: events of every kind, and records that hold them."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from schemas.attributes import Attributes
from schemas.lines import Kept
from services.kit.groups import KafkaSettings
from services.report.adapters.putting import putter
from services.report.decisions.opening import NEEDED

Event = dict[str, Any]

BEGIN = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
TOPIC_OF = {"run": "audit.runs", "decision": "audit.decisions", "reaction": "audit.reactions"}

moments = st.integers(0, 7 * 86_400_000_000).map(
    lambda micro: (BEGIN + timedelta(microseconds=micro)).isoformat().replace("+00:00", "Z")
)
"""With and without a fraction, as pydantic writes them."""
seconds = st.floats(0, 400, allow_nan=False) | st.sampled_from([0.1, 0.25, 1.0, 2.5])


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What an old log may lack."""
    return st.none() | strategy


_names = {
    "tenant_id": st.sampled_from(["acme", "globex"]),
    "session": st.sampled_from(["T1:C1:1.0", "T1:C1:2.0", "T1:D1:3.0"]),
    "channel": st.sampled_from(["C1", "C2", "D1"]),
    "origin": st.sampled_from(["channel", "dm", "gateway"]),
    "stop_id": st.sampled_from(["stop-1", "stop-2"]),
}
_of_run = {name: maybe(strategy) for name, strategy in _names.items()}
_runs = st.sampled_from([f"run-{number}" for number in range(8)])
_sources = st.sampled_from(["command", "button", "emoji"])


def _event(kind: str, required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Event]:
    fixed = {"type": st.just(kind), "at": moments, **required}
    return st.fixed_dictionaries(fixed, optional=optional)


events: st.SearchStrategy[Event] = st.one_of(
    _event(
        "run.state",
        {"run_id": _runs, "state": st.sampled_from(["start", "complete", "cancel_requested", "cancelled", "error"])},
        {
            **_of_run,
            "trigger": maybe(st.sampled_from(["mention", "dm", "gateway"])),
            "agent_id": maybe(st.sampled_from(["mara", "otto"])),
            "reason": maybe(st.sampled_from(["model_timeout", "model_refused"])),
            "received_at": maybe(moments),
            "phases": maybe(st.fixed_dictionaries({}, optional={"first_token": maybe(seconds), "finished": seconds})),
            "usage": maybe(
                st.fixed_dictionaries(
                    {"model": st.sampled_from(["rehearsal", "openai:gpt"]), "input_tokens": st.integers(0, 9999)},
                    optional={"output_tokens": st.integers(0, 9999), "cost_usd": maybe(st.floats(0, 2))},
                )
            ),
        },
    ),
    _event("run.state", {"state": st.just("cancel_requested"), "stop_id": _names["stop_id"]}, {}),
    _event(
        "run.cancel",
        {"run_id": _runs},
        {
            "source": _sources,
            "requested": st.booleans(),
            "acknowledged": st.booleans(),
            "latency_ms": maybe(st.floats(-50, 90_000)),
            "stop_id": maybe(_names["stop_id"]),
            "requested_at": maybe(moments),
            "acknowledged_at": maybe(moments),
        },
    ),
    _event("run.feedback", {"verdict": st.sampled_from(["good", "bad"])}, {"run_id": _runs}),
    _event(
        "decision.made",
        {
            "decision": st.one_of(
                st.fixed_dictionaries({"kind": st.just("dispatched"), "run_id": _runs}),
                st.fixed_dictionaries({"kind": st.just("ignored"), "reason": st.sampled_from(["edited", "no_agent"])}),
                st.fixed_dictionaries(
                    {
                        "kind": st.just("throttled"),
                        "bucket": st.sampled_from(["connection", "user"]),
                        "told_by": st.sampled_from(["notice", "nothing"]),
                    }
                ),
                st.fixed_dictionaries(
                    {
                        "kind": st.just("control"),
                        "stop_id": _names["stop_id"],
                        "source": _sources,
                        "permitted": st.booleans(),
                    }
                ),
            )
        },
        {"tenant_id": maybe(_names["tenant_id"])},
    ),
    _event(
        "reaction.match",
        {"rule_name": st.sampled_from(["greet", "escalate"])},
        {"tenant_id": _names["tenant_id"], "run_id": maybe(_runs)},
    ),
    _event("reaction.skip", {"reason": st.sampled_from(["no_match", "channel"])}, {"tenant_id": _names["tenant_id"]}),
)

rubbish = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            *(b"", b" ", b"null", b"[1]", b"5", b'"text"', b"{}", b"{", b'{"type":"run.state"', b'{"type":"a"}{}'),
            *(b'{"type":"a"},{"type":"b"}', b'{"n":NaN}', b'{"type":"run.state","at":"noon"}', b"\xff\xfe{}"),
            *(b'{"type":"run.dreams","at":"2026-03-02T09:15:00Z"}', b'{\n"type":\n"reaction.skip"}', b"[" * 5000),
            *(b'{"type":5,"at":true}', b'{"type":{"a":[1]},"decision":7,"phases":"x"}', b'\xef\xbb\xbf{"type":"a"}'),
            b'{"type":"run.state","state":"dreaming","at":"2026-03-02T09:15:00Z"}',
        ]
    ),
)
"""What may stand where an event should."""


def value_of(event: Event) -> bytes:
    """As our writers write it."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def record(event: Event | bytes, offset: int, *, record_id: str | None = "", key: bytes | None = b"A1:T1") -> Kept:
    """A record that holds an event. Its id is made of its offset, unless another is given, or None."""
    value = event if isinstance(event, bytes) else value_of(event)
    said = str(event.get("type")) if isinstance(event, dict) else "run.state"
    topic = TOPIC_OF[said.partition(".")[0]] if said in NEEDED else "audit.runs"
    at = BEGIN + timedelta(milliseconds=offset)
    headers = Attributes(f"id-{offset}" if record_id == "" else record_id or "x", said, "/threadline/router", at)
    kept = [(name, value) for name, value in headers.to_headers() if name != "ce_id" or record_id is not None]
    return Kept(topic, 0, offset, int(at.timestamp() * 1000), key, tuple(kept), value)


async def put(settings: KafkaSettings, records: Sequence[Kept]) -> None:
    """Puts records on their topics."""
    async with putter(settings, sorted({each.topic for each in records}), onto_others=True) as putting:
        for each in records:
            await putting.add(each)
        await putting.settle()
