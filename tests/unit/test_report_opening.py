"""Records opened by the batch: none harms another."""

import json
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from services.report.decisions.columns import EVENT
from services.report.decisions.opening import Sealed, opened
from tests.report.log import events, rubbish, value_of

values = st.lists(events.map(value_of) | rubbish, max_size=12)


def open_all(found: list[bytes]) -> pl.DataFrame:
    return opened(Sealed([f"id-{row}" for row in range(len(found))], found, lambda _: None))


@given(values)
def test_each_is_read_as_if_it_were_alone(found: list[bytes]) -> None:
    alone = [open_all([value]).drop("id") for value in found]
    together = open_all(found).drop("id")
    assert together.equals(pl.concat([pl.DataFrame(schema=EVENT).drop("id"), *alone]))


@given(st.lists(events, max_size=8))
def test_what_our_writers_write_counts_and_says_what_it_says(found: list[dict[str, Any]]) -> None:
    rows = open_all([value_of(event) for event in found])
    assert rows["trouble"].null_count() == len(found)
    for event, row in zip(found, rows.iter_rows(named=True), strict=True):
        for name in ("type", "run_id", "tenant_id", "session", "state", "requested", "latency_ms", "rule_name"):
            assert row[name] == event.get(name), name
        assert row["first_token"] == (event.get("phases") or {}).get("first_token")
        assert row["cost_usd"] == (event.get("usage") or {}).get("cost_usd")
        assert row["kind"] == event.get("decision", {}).get("kind")
        assert row["at"].isoformat().replace("+00:00", "Z") == event["at"]


def troubles(*found: bytes | dict[str, Any]) -> list[str | None]:
    return open_all([each if isinstance(each, bytes) else value_of(each) for each in found])["trouble"].to_list()


def test_what_does_not_count_says_why() -> None:
    at = "2026-03-02T09:15:00Z"
    assert troubles(b"", b"{", b"[1]", b"\xff", b'{"type":"a"}{"type":"b"}') == ["unreadable"] * 5
    assert (
        troubles({"type": "run.dreams", "at": at}, {"type": "run.state", "at": at, "state": "dreaming"})
        == ["unknown_event"] * 2
    )
    assert (
        troubles(
            {"at": at},
            {"type": "run.state", "state": "start", "run_id": "r"},
            {"type": "run.state", "at": "noon", "state": "start", "run_id": "r"},
            {"type": "run.state", "at": "2026-03-02T09:15:00", "state": "start", "run_id": "r"},
            {"type": "run.state", "at": at, "state": "start"},
            {"type": "run.state", "at": at, "state": "start", "run_id": ""},
            {"type": "run.cancel", "at": at},
            {"type": "reaction.skip", "at": at},
        )
        == ["incomplete"] * 8
    )
    assert troubles({"type": "run.state", "at": at, "state": "cancel_requested"}) == [None]


def test_an_event_that_does_not_say_its_type_is_what_its_header_says() -> None:
    value = value_of({"at": "2026-03-02T09:15:00Z", "reason": "no_match"})
    rows = opened(Sealed(["a", "b"], [value, b"{"], ["reaction.skip", "run.state"].__getitem__))
    assert rows["type"].to_list() == ["reaction.skip", "run.state"]
    assert rows["trouble"].to_list() == [None, "unreadable"]


def test_a_moment_in_any_zone_is_read() -> None:
    at = ["2026-03-02T09:15:00Z", "2026-03-02T11:15:00+02:00", "2026-03-02T09:15:00.250+00:00"]
    rows = open_all([json.dumps({"type": "reaction.skip", "at": each, "reason": "channel"}).encode() for each in at])
    assert [each.isoformat() for each in rows["at"]] == [
        *("2026-03-02T09:15:00+00:00", "2026-03-02T09:15:00+00:00", "2026-03-02T09:15:00.250000+00:00"),
    ]
