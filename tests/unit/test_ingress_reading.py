import json
import string
from typing import Any, get_args
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import payload_hash
from services.ingress.decisions.reading import (
    LONGEST_REASON,
    Arrived,
    Challenge,
    Delivery,
    Farewell,
    Hello,
    Probe,
    Retry,
    Unreadable,
    of_frame,
    of_request,
    parsed,
)
from tests.samples import event_callback

FORM, AS_JSON = "application/x-www-form-urlencoded", "application/json"
MENTION = event_callback({"type": "app_mention", "user": "U1", "channel": "C1", "ts": "1.0", "text": "hi"})
COMMAND = {"command": "/ask", "text": "", "api_app_id": "A1", "team_id": "T1", "trigger_id": "1.2.a"}
DEEP, HUGE = '{"a": ' * 100_000, f'{{"a": {"9" * 5000}}}'
CLICK = {"type": "block_actions", "api_app_id": "A1", "team": {"id": "T1"}, "actions": []}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["hello", "disconnect", "events_api", "interactive", "slash_commands", "url_verification"])
PAYLOADS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("api_app_id", "team_id", "event_id", "event", "type", "challenge", "team"), JSON)
)
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "type": TYPES | JSON,
        "payload": PAYLOADS | JSON,
        **dict.fromkeys(("envelope_id", "retry_attempt", "retry_reason", "reason", "connection_info"), JSON),
    },
)


def frame(**changes: Any) -> str:
    return json.dumps({"envelope_id": "env-1", "type": "events_api", "payload": MENTION, **changes})


def in_form(fields: Any, app_id: str | None = None) -> Arrived:
    return of_request(urlencode(fields), FORM, app_id, Retry())


@pytest.mark.parametrize(
    ("kind", "payload", "event_id"),
    [("events_api", MENTION, "A1:Ev1"), ("interactive", CLICK, "A1:env-1"), ("slash_commands", COMMAND, "A1:env-1")],
)
def test_a_frame_of_each_kind_is_a_delivery_as_it_was_received(kind: Any, payload: Any, event_id: str) -> None:
    assert of_frame(frame(type=kind, payload=payload), None) == Delivery(kind, payload, "A1:T1", event_id, "env-1")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"type": "hello", "connection_info": {"app_id": "A1"}}, Hello("A1")),
        ({"type": "hello"}, Hello(None)),
        ({"type": "hello", "connection_info": ["A1"]}, Hello(None)),
        ({"type": "hello", "connection_info": {"app_id": 7}}, Hello(None)),
        ({"type": "disconnect", "reason": "warning"}, Farewell("warning")),
        ({"type": "disconnect"}, Farewell("unknown")),
        ({"type": "disconnect", "reason": {"why": "warning"}}, Farewell("unknown")),
    ],
)
def test_slack_says_hello_and_farewell(said: Any, meant: Arrived) -> None:
    assert of_frame(json.dumps(said), "A1") == meant


@pytest.mark.parametrize("text", ["", "hello", "[]", '"x"', "null", "{", '{"a": NaN}', DEEP, HUGE], ids=range(9))
def test_what_is_no_json_object_is_unreadable_by_any_way(text: str) -> None:
    ways = [of_frame(text, "A1"), of_request(text, AS_JSON, "A1", Retry()), in_form({"payload": text}, "A1")]
    for arrived in ways:
        assert isinstance(arrived, Unreadable)
        assert (arrived.reason, arrived.envelope_id) == ("not_json", None)


@pytest.mark.parametrize("odd", [None, 7, True, "", [], ["events_api"], {}])
@pytest.mark.parametrize("field", ["type", "payload"])
def test_an_envelope_with_an_odd_field_can_still_be_acknowledged(field: str, odd: Any) -> None:
    arrived = of_frame(frame(**{field: odd}), "A1")
    assert isinstance(arrived, Unreadable)
    reason = "no_connection" if (field, odd) == ("payload", {}) else "not_an_envelope"
    assert (arrived.reason, arrived.envelope_id) == (reason, "env-1")


@pytest.mark.parametrize("odd", [None, 7, True, "", [], ["env-1"], {"id": "env-1"}])
def test_an_envelope_without_an_id_is_no_envelope(odd: Any) -> None:
    arrived = of_frame(frame(envelope_id=odd), "A1")
    assert isinstance(arrived, Unreadable)
    assert (arrived.reason, arrived.envelope_id) == ("not_an_envelope", None)


@pytest.mark.parametrize("attempt", [2, "2"])
def test_a_retry_has_a_number(attempt: object) -> None:
    assert Retry.of(attempt, None).attempt == 2


@pytest.mark.parametrize(
    "attempt", [-1, 1.5, True, "²", "٣", " 2", "2\n", "", "9" * 5000, 10**4000, None, []], ids=range(12)
)
def test_a_retry_without_a_number_is_said_to_be_none(attempt: object) -> None:
    assert Retry.of(attempt, None).attempt == 0


@pytest.mark.parametrize(
    ("reason", "words"),
    [("timeout", "timeout"), ("x" * 500, "x" * LONGEST_REASON), ("a\nb", None), ("", None), (7, None), (None, None)],
)
def test_a_retry_has_a_reason_of_one_line_or_none(reason: object, words: str | None) -> None:
    assert Retry.of(1, reason).reason == words


def test_a_delivery_knows_that_it_comes_again() -> None:
    again = of_frame(frame(retry_attempt=1, retry_reason="timeout"), None)
    assert again == Delivery("events_api", MENTION, "A1:T1", "A1:Ev1", "env-1", 1, "timeout")
    posted = of_request(json.dumps(MENTION), AS_JSON, None, Retry(2, "http_error"))
    assert posted == Delivery("events_api", MENTION, "A1:T1", "A1:Ev1", None, 2, "http_error")


def test_a_shortcut_belongs_to_the_app_that_it_came_to_and_to_nobody_without_one() -> None:
    shortcut = {"type": "shortcut", "callback_id": "ask", "team": {"id": "T1"}, "user": {"id": "U1"}}
    text = frame(type="interactive", payload=shortcut)
    assert of_frame(text, "A1") == Delivery("interactive", shortcut, "A1:T1", "A1:env-1", "env-1")
    assert of_frame(text, None) == Unreadable("no_connection", "the payload has no api_app_id", "env-1")


def test_a_payload_names_its_app_before_the_socket_does() -> None:
    assert of_frame(frame(), "A2") == of_frame(frame(), "A1")


def test_an_address_is_verified_by_saying_the_challenge_back() -> None:
    asked = {"type": "url_verification", "token": "t", "challenge": "3eZb"}
    assert of_request(json.dumps(asked), AS_JSON, None, Retry()) == Challenge("3eZb")
    odd = of_request(json.dumps({**asked, "challenge": 7}), AS_JSON, "A1", Retry())
    assert isinstance(odd, Unreadable)


def test_a_check_of_the_certificate_is_no_event() -> None:
    assert in_form({"ssl_check": "1", "token": "t"}) == Probe()
    assert isinstance(in_form({"ssl_check": "0", "token": "t"}), Unreadable)


def test_a_form_brings_an_interaction_or_a_slash_command() -> None:
    click = in_form({"payload": json.dumps(CLICK)})
    assert click == Delivery("interactive", CLICK, "A1:T1", f"A1:{payload_hash(CLICK)}")
    command = in_form(COMMAND)  # with `text` empty, and there
    assert command == Delivery("slash_commands", COMMAND, "A1:T1", f"A1:{payload_hash(COMMAND)}")
    assert isinstance(in_form({"text": "/ask"}), Unreadable)


def test_of_a_field_that_comes_twice_the_last_counts() -> None:
    command = in_form([*COMMAND.items(), ("text", "one"), ("text", "two")])
    assert isinstance(command, Delivery)
    assert command.payload == {**COMMAND, "text": "two"}


def test_escapes_that_are_no_utf8_become_the_character_for_that() -> None:
    command = of_request(urlencode(COMMAND).replace("text=", "text=%ff%fe+caf%C3%A9"), FORM, None, Retry())
    assert isinstance(command, Delivery)
    assert command.payload["text"] == "\N{REPLACEMENT CHARACTER}" * 2 + " café"


@given(st.text(), st.sampled_from([FORM, AS_JSON, "", "text/plain"]))
def test_any_text_at_all_is_one_of_the_union(text: str, content_type: str) -> None:
    assert isinstance(of_frame(text, "A1"), get_args(Arrived))
    assert isinstance(of_request(text, content_type, "A1", Retry()), get_args(Arrived))


@given(FRAMES | JSON, st.sampled_from([None, "A1"]))
def test_any_json_in_any_place_is_one_of_the_union(said: Any, app_id: str | None) -> None:
    assert isinstance(of_frame(json.dumps(said), app_id), get_args(Arrived))


@given(PAYLOADS | JSON, st.sampled_from([None, "A1"]), st.sampled_from(["payload", "command", "ssl_check"]))
def test_any_json_in_any_body_is_one_of_the_union(said: Any, app_id: str | None, field: str) -> None:
    text = json.dumps(said)
    assert isinstance(of_request(text, AS_JSON, app_id, Retry()), get_args(Arrived))
    assert isinstance(in_form({field: text}, app_id), get_args(Arrived))


@given(FRAMES, st.text(min_size=1))
def test_whatever_has_an_envelope_id_keeps_it(said: dict[str, Any], envelope_id: str) -> None:
    arrived = of_frame(json.dumps({**said, "envelope_id": envelope_id}), "A1")
    assert isinstance(arrived, Delivery | Unreadable)
    assert arrived.envelope_id == envelope_id


BROKEN = ["%s", '"%s"', '["%s"]', '{"a": "%s', '{"%s": 1,}', '{"a": %s}', '{"a": "\\%s"}', '{"a": "" %s', "{%s: 1}"]


@given(st.sampled_from(BROKEN), st.text(string.ascii_letters + string.digits, min_size=6))
def test_the_error_of_broken_json_never_quotes_it(broken: str, rest: str) -> None:
    secret = f"secret-{rest}"
    with pytest.raises(ValueError, match=r"\S") as caught:
        parsed(broken.replace("%s", secret))
    assert secret not in str(caught.value)
