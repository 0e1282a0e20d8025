import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import EnvelopeKind, Received, SlackEnvelope
from services.ingress.decisions.comparing import (
    Comparison,
    Message,
    Sighting,
    Skip,
    Stretch,
    compare,
    sighting_of,
    sighting_of_line,
)
from tests.samples import AT, event_callback

TS = "1772442900.000100"
ONE, TWO, THREE = (Message("C1", f"177244290{n}.000100") for n in range(3))
EVENT = {"type": "message", "channel": "C1", "user": "U1", "text": "hello", "ts": TS}
DAY = Stretch(ONE.at - timedelta(hours=1), ONE.at + timedelta(hours=1))


def envelope(event: Any, kind: EnvelopeKind = "events_api", event_id: str = "A1:Ev1") -> SlackEnvelope:
    return SlackEnvelope(
        at=AT,
        kind=kind,
        connection="A1:T1",
        event_id=event_id,
        received=Received(transport="socket", received_at=AT, ingress="test"),
        payload=event_callback(event),
    )


def ours(message: Message, event_id: str, kind: str = "message", connection: str = "A1:T1") -> Sighting:
    return Sighting(message, kind, event_id, connection)


def theirs(message: Message, event_id: str | None = None, kind: str = "") -> Sighting:
    return Sighting(message, kind, event_id)


def result(**changes: Any) -> Comparison:
    nothing: dict[str, Any] = {
        "both": 0,
        "only_ours": (),
        "only_theirs": (),
        "doubled_ours": (),
        "doubled_theirs": (),
        "repeated": 0,
    }
    return Comparison(**{**nothing, **changes})


def test_a_message_has_the_time_that_its_ts_says() -> None:
    assert ONE.at == datetime(2026, 3, 2, 9, 15, 0, 100, UTC)


def test_each_side_has_what_the_other_missed() -> None:
    found = compare([ours(TWO, "1"), ours(ONE, "2")], [theirs(THREE), theirs(TWO)], DAY)
    assert found == result(both=1, only_ours=(ONE,), only_theirs=(THREE,))
    assert found.differs


def test_a_mention_comes_as_two_events_and_is_one_message() -> None:
    here = [ours(ONE, "1"), ours(ONE, "2", "app_mention")]
    there = [theirs(ONE, "3", "app_mention"), theirs(ONE, "4", "message")]
    found = compare(here, there, DAY)
    assert found == result(both=1)
    assert not found.differs


def test_a_delivery_that_came_again_is_a_repeat_and_no_double() -> None:
    found = compare([ours(ONE, "1"), ours(ONE, "1"), ours(ONE, "1")], [theirs(ONE)], DAY)
    assert found == result(both=1, repeated=2)
    assert not found.differs


def test_the_same_event_under_two_event_ids_is_a_double_of_ours() -> None:
    found = compare([ours(ONE, "1"), ours(ONE, "2"), ours(ONE, "2")], [theirs(ONE)], DAY)
    assert found == result(both=1, doubled_ours=(ONE,), repeated=1)
    assert found.differs


def test_two_apps_that_get_the_same_message_have_doubled_nothing() -> None:
    assert compare([ours(ONE, "A1:1"), ours(ONE, "A2:1", connection="A2:T1")], [theirs(ONE)], DAY) == result(both=1)


@pytest.mark.parametrize(
    "there",
    [
        [theirs(ONE), theirs(ONE)],
        [theirs(ONE, "1", "message"), theirs(ONE, "2", "message")],
        [theirs(ONE, "1", "message"), theirs(ONE, "1", "app_mention")],
    ],
    ids=["the same type", "another event id", "the same event id"],
)
def test_a_bridge_doubles_what_it_has_twice(there: list[Sighting]) -> None:
    assert compare([ours(ONE, "1")], there, DAY) == result(both=1, doubled_theirs=(ONE,))


def test_both_sides_are_cut_alike_and_the_ends_belong_to_the_stretch() -> None:
    here, there = [ours(each, each.ts) for each in (ONE, TWO, THREE)], [theirs(each) for each in (ONE, TWO, THREE)]
    assert compare(here, there, Stretch(TWO.at, TWO.at)) == result(both=1)
    assert compare(here, [], Stretch(TWO.at, THREE.at)) == result(only_ours=(TWO, THREE))
    assert compare([], there, Stretch(ONE.at, TWO.at)) == result(only_theirs=(ONE, TWO))


FACTS = st.builds(
    Sighting,
    st.sampled_from([ONE, TWO, THREE]),
    st.sampled_from(["message", "app_mention"]),
    st.sampled_from(["1", "2", "3"]),
    st.just("A1:T1"),
)


@given(st.lists(FACTS), st.lists(FACTS))
def test_nothing_is_counted_twice_or_not_at_all(here: list[Sighting], there: list[Sighting]) -> None:
    found = compare(here, there, DAY)
    every = {each.message for each in [*here, *there]}
    assert found.both + len(found.only_ours) + len(found.only_theirs) == len(every)
    assert compare(reversed(here), reversed(there), DAY).only_ours == found.only_ours
    assert not compare(here, here[:0], DAY).only_theirs


def test_what_an_envelope_says_of_a_message() -> None:
    assert sighting_of(envelope(EVENT)) == Sighting(ONE, "message", "A1:Ev1", "A1:T1")
    assert sighting_of(envelope({**EVENT, "type": "app_mention"})) == Sighting(ONE, "app_mention", "A1:Ev1", "A1:T1")


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({**EVENT, "subtype": "message_changed"}, "events_api"),
        ({**EVENT, "subtype": "message_deleted"}, "events_api"),
        ({**EVENT, "type": "reaction_added"}, "events_api"),
        ({**EVENT, "type": ["message"]}, "events_api"),
        ({**EVENT, "ts": "yesterday"}, "events_api"),
        ("text", "events_api"),
        (EVENT, "interactive"),
    ],
)
def test_an_envelope_about_anything_else_is_not_compared(event: Any, kind: EnvelopeKind) -> None:
    assert sighting_of(envelope(event, kind)) is None


@pytest.mark.parametrize(
    "line",
    [
        EVENT,
        event_callback(EVENT),
        {"type": "events_api", "envelope_id": "e-1", "payload": event_callback(EVENT)},
        {"event": {"event": {"payload": event_callback(EVENT)}}},
        {"level": "info", "payload": EVENT},
        json.loads(envelope(EVENT).model_dump_json()),
        {"channel": "C1", "ts": TS},
        {"channel_id": "C1", "channel": "general", "message_ts": TS, "ts": "2026-03-02T09:15:01Z"},
        {"channel": {"id": "C1", "name": "general"}, "event_ts": TS, "type": "incoming"},
        {"event": {"channel": "C1", "ts": TS}},
        {"channel": "C1", "ts": 1772442907.25, "event_ts": TS},
        {"channel": "C1", "ts": "1772442900.0001"},
        {"channel": "C1", "ts": 1772442900.0001},
    ],
)
def test_a_line_of_a_bridge_is_read_in_every_form(line: Any) -> None:
    found = sighting_of_line(json.dumps(line))
    assert isinstance(found, Sighting)
    assert found.message == ONE


def test_a_line_says_its_event_id_and_its_type_where_it_has_them() -> None:
    assert sighting_of_line(json.dumps(event_callback(EVENT))) == theirs(ONE, "Ev1", "message")
    assert sighting_of_line(json.dumps({"channel": "C1", "ts": TS, "event_id": "Ev2"})) == theirs(ONE, "Ev2")
    assert sighting_of_line(json.dumps({"channel": "C1", "ts": TS, "event_id": 7})) == theirs(ONE)


@pytest.mark.parametrize(
    "line",
    [
        {**EVENT, "subtype": "message_changed"},
        event_callback({**EVENT, "subtype": "message_deleted"}),
        event_callback({"type": "anything_new", "channel": "C1", "event_ts": TS}),
        {"type": "member_joined_channel", "channel": "C1", "event_ts": TS},
        {"type": "pin_added", "channel_id": "C1", "event_ts": TS},
        {"type": "interactive", "payload": {"type": "block_actions", "channel": {"id": "C1"}}},
        {"type": "slash_commands", "payload": {"command": "/mara", "channel_id": "C1"}},
        {"type": "hello", "num_connections": 1},
    ],
)
def test_a_line_about_anything_else_is_not_compared(line: Any) -> None:
    assert sighting_of_line(json.dumps(line)) is Skip.NO_MESSAGE


@pytest.mark.parametrize(
    "line",
    [
        "",
        "not json",
        "[1, 2]",
        '"text"',
        "[" * 100_000,
        '{"channel": "C1", "ts": ' + "9" * 5000 + "}",
        '{"channel": "C1"}',
        '{"ts": "1772442900.000100"}',
        '{"channel": "general", "ts": "1772442900.000100"}',
        '{"channel": "C1", "ts": "1772442900"}',
        '{"channel": "C1", "ts": 1772442900}',
        '{"channel": "C1", "ts": 1e999999999}',
        '{"channel": "C1", "ts": "٣.٣"}',
        '{"channel": ["C1"], "ts": ["1772442900.000100"], "type": {}, "event_id": []}',
        '{"channel": "C1", "ts": "999999999999.000100"}',
    ],
)
def test_any_other_line_is_unreadable(line: str) -> None:
    assert sighting_of_line(line) is Skip.UNREADABLE


NAMES = st.sampled_from(
    ["event", "payload", "type", "subtype", "channel", "channel_id", "id", "ts", "message_ts", "event_ts", "event_id"]
)
TEXTS = st.sampled_from(["message", "app_mention", "C1", TS, "0.1", "99999999999.999999"]) | st.text(max_size=9)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=30,
)


@given(st.text() | VALUES.map(json.dumps))
def test_reading_a_line_never_fails(line: str) -> None:
    found = sighting_of_line(line)
    assert isinstance(found, Skip | Sighting)
    if isinstance(found, Sighting):
        assert found.message.at.tzinfo is UTC
        assert found.message.ts == f"{int(found.message.ts[:-7])}{found.message.ts[-7:]}"
        compare([found], [found], DAY)


@given(st.sampled_from(["event", "payload"]), st.integers(1, 4))
def test_wrappings_change_nothing(name: str, times: int) -> None:
    line: Any = EVENT
    for _ in range(times):
        line = {name: line}
    assert sighting_of_line(json.dumps(line)) == theirs(ONE, None, "message")
