import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from schemas.attributes import Attributes
from schemas.record import CannotRead, CannotWrite, UnknownEvent, decode, encode
from schemas.run import PhaseTimes, RunState
from schemas.topics import AUDIT_RUNS, RUNS_STOPS
from tests.samples import AT, run_state

ATTRIBUTES = Attributes("id-1", "run.state", "/threadline/router", AT)


def test_an_event_comes_back_as_it_was_written() -> None:
    record = encode(AUDIT_RUNS, run_state(), ATTRIBUTES)
    assert decode(AUDIT_RUNS, record.headers, record.value) == (ATTRIBUTES, run_state())


def test_the_same_event_is_the_same_bytes() -> None:
    assert encode(AUDIT_RUNS, run_state(), ATTRIBUTES) == encode(AUDIT_RUNS, run_state(), ATTRIBUTES)


def test_a_writer_may_not_add_fields_or_bend_types() -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        run_state(mood="good")
    with pytest.raises(ValidationError, match="datetime"):
        run_state(at="2026-03-02T09:15:00Z")


def test_a_reader_leaves_out_what_it_does_not_know() -> None:
    newer = {**json.loads(run_state().model_dump_json()), "mood": "good", "phases": {"accepted": 0.1, "dreaming": 2.0}}
    _, event = decode(AUDIT_RUNS, ATTRIBUTES.to_headers(), json.dumps(newer).encode())
    assert isinstance(event, RunState)
    assert event.phases is not None
    assert event.phases.accepted == 0.1


def test_a_newer_type_is_unknown_and_no_fault() -> None:
    newer = Attributes("id-1", "run.state.v2", "/threadline/router", AT)
    assert decode(AUDIT_RUNS, newer.to_headers(), b"{}") == (newer, UnknownEvent("run.state.v2"))


@pytest.mark.parametrize(
    "value", [None, b"", b"not json", b"[]", b"{}", b'{"type":"run.state","at":"yesterday"}', b"\xff\xfe"]
)
def test_rubbish_is_refused_without_being_quoted(value: bytes | None) -> None:
    with pytest.raises(CannotRead) as refused:
        decode(AUDIT_RUNS, ATTRIBUTES.to_headers(), value)
    assert "yesterday" not in str(refused.value)


def test_an_error_names_every_wrong_field() -> None:
    with pytest.raises(CannotRead, match=r"tenant_id: missing.*connection: missing"):
        decode(AUDIT_RUNS, ATTRIBUTES.to_headers(), b'{"type":"run.state","at":"2026-03-02T09:15:00Z","state":"start"}')


def test_an_event_cannot_be_written_where_it_does_not_belong() -> None:
    with pytest.raises(CannotWrite, match=r"runs\.stops"):
        encode(RUNS_STOPS, run_state(), ATTRIBUTES)


def test_a_string_that_is_no_text_is_refused_before_it_is_sent() -> None:
    with pytest.raises(CannotWrite, match="JSON"):
        encode(AUDIT_RUNS, run_state(reason="\ud800"), ATTRIBUTES)


@pytest.mark.parametrize("missing", ["ce_id", "ce_type", "ce_source", "ce_time"])
def test_a_record_without_its_headers_is_refused(missing: str) -> None:
    headers = [header for header in ATTRIBUTES.to_headers() if header[0] != missing]
    with pytest.raises(CannotRead, match=missing):
        decode(AUDIT_RUNS, headers, b"{}")


@pytest.mark.parametrize("time", [b"soon", b"2026-03-02T09:15:00"])
def test_a_time_without_a_zone_is_no_time(time: bytes) -> None:
    headers = [(name, time if name == "ce_time" else value) for name, value in ATTRIBUTES.to_headers()]
    with pytest.raises(CannotRead, match="ce_time"):
        decode(AUDIT_RUNS, headers, b"{}")


def test_headers_are_cloudevents_in_binary_mode_with_the_trace_beside_them() -> None:
    attributes = Attributes("id-1", "run.state", "/threadline/router", AT, traceparent="00-1-2-01")
    assert dict(attributes.to_headers()) == {
        "ce_specversion": b"1.0",
        "ce_id": b"id-1",
        "ce_type": b"run.state",
        "ce_source": b"/threadline/router",
        "ce_time": b"2026-03-02T09:15:00.250000Z",
        "content-type": b"application/json",
        "traceparent": b"00-1-2-01",
    }
    assert Attributes.from_headers(attributes.to_headers()) == attributes


def test_moments_are_kept_in_utc() -> None:
    vienna = datetime(2026, 3, 2, 10, 15, 0, 250000, timezone(timedelta(hours=1)))
    event = run_state(at=vienna)
    assert event.at.tzinfo is UTC
    assert event.model_dump_json() == run_state().model_dump_json()


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00"])
def test_a_moment_outside_of_the_calendar_is_refused_and_no_crash(moment: str) -> None:
    headers = [(name, moment.encode() if name == "ce_time" else value) for name, value in ATTRIBUTES.to_headers()]
    with pytest.raises(CannotRead):
        decode(AUDIT_RUNS, headers, b"{}")
    value = json.dumps({**json.loads(run_state().model_dump_json()), "at": moment}).encode()
    with pytest.raises(CannotRead):
        decode(AUDIT_RUNS, ATTRIBUTES.to_headers(), value)


def test_what_cannot_be_read_again_cannot_be_written() -> None:
    with pytest.raises(ValidationError, match="finite"):
        PhaseTimes(accepted=float("inf"))


def test_an_error_never_quotes_what_stood_in_the_record() -> None:
    stop = {"type": "stop.requested", "at": "2026-03-02T09:15:00Z", "target": {"by": "my password is hunter2"}}
    with pytest.raises(CannotRead) as refused:
        decode(RUNS_STOPS, replace(ATTRIBUTES, type="stop.requested").to_headers(), json.dumps(stop).encode())
    assert "hunter2" not in str(refused.value)
    assert "target" in str(refused.value)
