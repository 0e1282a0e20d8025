import json
from copy import deepcopy
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.attributes import Attributes
from schemas.envelope import Received, SlackEnvelope
from schemas.record import decode, encode
from schemas.slack import SEALED_FIELDS
from schemas.topics import SLACK_INBOUND
from services.ingress.decisions.masking import DEEPEST, TooDeep, masked, masked_bytes
from tests.samples import AT, event_callback

SECRET = "s3kr3t-of-slack"
NAMES = ("token", *sorted(SEALED_FIELDS))
PLAIN_NAMES = (st.text(max_size=8) | st.sampled_from(["event", "state", "view", "tokens"])).filter(
    lambda name: name not in NAMES
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN_NAMES, inner, max_size=3),
    max_leaves=8,
)
PLAIN = st.dictionaries(PLAIN_NAMES, JSON)
MARKS = b"token secret url hooks %".split()
BYTES = st.binary().filter(lambda raw: not any(mark in raw.lower() for mark in MARKS))


def sealed(secret: str) -> str:
    return f"sealed {secret}"


def left_out(_: str) -> None:
    return None


def nested(levels: int) -> dict[str, Any]:
    inside: Any = "x"
    for _ in range(levels):
        inside = [inside]
    return {"a": inside}


def test_the_token_is_dropped() -> None:
    payload = event_callback({"type": "message"})
    assert masked({"token": SECRET, **payload}, sealed) == payload


@pytest.mark.parametrize(
    ("payload", "stored", "unsealed"),
    [
        ({"response_url": "r"}, {"response_url": "sealed r"}, {}),
        ({"bot_access_token": "b"}, {"bot_access_token": "sealed b"}, {}),
        ({"response_url": ""}, {}, {}),
        (
            {"event": {"type": "function_executed", "bot_access_token": "b"}},
            {"event": {"type": "function_executed", "bot_access_token": "sealed b"}},
            {"event": {"type": "function_executed"}},
        ),
        (
            {"response_urls": [{"block_id": "1", "response_url": "r"}, {"response_url": "s"}, None]},
            {"response_urls": [{"block_id": "1", "response_url": "sealed r"}, {"response_url": "sealed s"}, None]},
            {"response_urls": [{"block_id": "1"}, {}, None]},
        ),
    ],
)
def test_what_may_be_posted_or_called_with_is_sealed_or_left_out(payload: Any, stored: Any, unsealed: Any) -> None:
    assert masked(payload, sealed) == stored
    assert masked(payload, left_out) == unsealed


def test_what_people_typed_stays_whatever_its_block_is_called() -> None:
    typed = {"view": {"state": {"values": {"token": {"response_url": {"type": "plain_text_input", "value": "mine"}}}}}}
    assert masked(typed, left_out) == typed


@given(PLAIN)
def test_a_payload_without_secrets_is_as_it_was_in_the_same_order(payload: dict[str, Any]) -> None:
    assert masked(payload, left_out) == payload
    assert list(masked(payload, left_out)) == list(payload)


@given(PLAIN, PLAIN, st.randoms(use_true_random=False))
def test_beside_the_secrets_nothing_changes_and_the_input_never_does(
    plain: dict[str, Any], event: dict[str, Any], chance: Random
) -> None:
    items = [*{**plain, "event": {**event, "bot_access_token": SECRET}, **dict.fromkeys(NAMES, SECRET)}.items()]
    chance.shuffle(items)
    payload = dict(items)
    before = deepcopy(payload)
    kept = masked(payload, left_out)
    assert kept == {**plain, "event": event}
    assert list(kept) == [name for name, _ in items if name not in NAMES]
    assert list(masked(payload, sealed)) == [name for name, _ in items if name != "token"]
    assert payload == before
    assert list(payload) == list(before)


def test_whatever_passes_can_be_read_from_the_topic_and_what_is_deeper_does_not_pass() -> None:
    payload = masked(nested(DEEPEST - 1), left_out)
    received = Received(transport="http", received_at=AT, ingress="test")
    envelope = SlackEnvelope(
        at=AT, kind="interactive", connection="A1:T1", event_id="A1:1", received=received, payload=payload
    )
    record = encode(SLACK_INBOUND, envelope, Attributes("A1:1", "slack.envelope", "/test", AT))
    assert decode(SLACK_INBOUND, record.headers, record.value)[1] == envelope
    with pytest.raises(TooDeep):
        masked(nested(DEEPEST + 1), left_out)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        (b'{"token":"s3kr3t","type"', b'{"token":"[redacted]","type"'),
        (b'{"a":{"response_url" \n:\t "s3kr3t"}', b'{"a":{"response_url" \n:\t "[redacted]"}'),
        (b'{"bot_access_token":"a\\"s3kr3t\\\\","b":', b'{"bot_access_token":"[redacted]","b":'),
        (b'{"a":1,"token":"s3kr', b'{"a":1,"token":"[redacted]"'),
        (b'{"token":"s3kr3t\n\xff","b":', b'{"token":"[redacted]","b":'),
        (b"token=s3kr3t&text=hi", b"token=[redacted]&text=hi"),
        (b"text=hi&response_url=https%3A%2F%2Fs3kr3t", b"text=hi&response_url=[redacted]"),
        (b"token=s3kr3t&a=b&token=s3kr3t", b"token=[redacted]&a=b&token=[redacted]"),
    ],
)
def test_secrets_in_what_nobody_could_read_are_hidden_in_their_places(raw: bytes, clean: bytes) -> None:
    assert masked_bytes(raw) == clean


@pytest.mark.parametrize(
    "raw",
    [
        b"payload=%7B%22token%22%3A%22s3kr3t%22%2C%22response_url%22%3A%22https%3A%2F%2Fs3kr3t%22",
        b"payload=%7b%22token%22%3a+%22s3kr3t%22%7d&x=y",
        b"%74oken=s3kr3t&a=b",
        b'{"TOKEN": "s3kr3t"',
        b"{'token': 's3kr3t', 'b'",
        b'{"token":s3kr3t,"b"',
        b'{"\\u0074oken":"s3kr3t"}',
        b'{"a":"\\ud800","token":"s3kr3t"}',
        json.dumps({"token": "s3kr3t", **nested(DEEPEST + 50)}).encode(),
    ],
    ids=range(9),
)
def test_no_other_way_to_write_a_secret_saves_it(raw: bytes) -> None:
    assert b"s3kr3t" not in masked_bytes(raw)


def test_of_json_that_is_whole_the_rest_stays() -> None:
    payload = event_callback({"type": "message", "text": "1+1 is 100 % 2 — ü"})
    hidden = json.loads(masked_bytes(json.dumps({"token": SECRET, **payload}).encode()))
    assert hidden == {"token": "[redacted]", **payload}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\x00 rubbish",
        b'{"tokens":{"bot":["U1"]},"mytoken":"x","text":"a token: b"',
        b'{"text":"the \\"token\\" is gone","response_urls":[]',
        b'["token","x"]',
        b'{ "a" :1}',
        b"text=token%3Dx+y&mytoken=x&tokens=y",
    ],
)
def test_what_only_looks_like_a_secret_stays_as_it_is(raw: bytes) -> None:
    assert masked_bytes(raw) == raw


@given(BYTES, st.sampled_from(NAMES), st.text().filter(lambda text: "%" not in text), st.booleans(), BYTES)
def test_a_field_is_hidden_whatever_it_holds_and_the_bytes_around_it_stay(
    before: bytes, name: str, secret: str, ascii_only: bool, after: bytes
) -> None:
    key, value = f'< "{name}": '.encode(), json.dumps(secret, ensure_ascii=ascii_only).encode()
    assert masked_bytes(before + key + value + after) == before + key + b'"[redacted]"' + after


@given(BYTES)
def test_bytes_without_secrets_are_as_they_were(raw: bytes) -> None:
    assert masked_bytes(raw) == raw


def test_json_that_breaks_off_anywhere_shows_no_secret() -> None:
    payload = {"token": SECRET, "response_urls": [{"response_url": f'"{SECRET}\\'}], "bot_access_token": SECRET}
    raw = json.dumps(payload).encode()
    assert not [cut for cut in range(len(raw) + 1) if b"s3kr3t" in masked_bytes(raw[:cut])]
