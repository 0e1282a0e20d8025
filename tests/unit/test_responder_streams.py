"""Where streams are tried, what is added to them, and how the message of one is known again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.responder.decisions.effects import Call, is_effect
from services.responder.decisions.harmless import harmless
from services.responder.decisions.streams import LONGEST_S, REFUSED_FOR_S, Stream, Streams, steady


class Now:
    """A clock that stands."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def test_a_refusal_is_remembered_for_the_channel_or_for_the_whole_connection() -> None:
    now = Now()
    streams = Streams(are_wanted=True, now=now)
    assert streams.failed("A1:T1", "C1", "channel_type_not_supported")
    assert not streams.may_begin("A1:T1", "C1")
    assert streams.may_begin("A1:T1", "C2")
    assert streams.failed("A1:T1", "C2", "unknown_method")
    assert not streams.may_begin("A1:T1", "C3")
    assert streams.may_begin("A1:T2", "C1")
    now.at += REFUSED_FOR_S
    assert streams.may_begin("A1:T1", "C1")


def test_no_answer_is_no_refusal_before_it_comes_again_and_again() -> None:
    streams = Streams(are_wanted=True, now=Now())
    assert [streams.failed("A1:T1", "C1", "no_answer") for _ in range(2)] == [False, False]
    streams.began("A1:T1")
    assert [streams.failed("A1:T1", "C1", "no_answer") for _ in range(3)] == [False, False, True]
    assert not streams.may_begin("A1:T1", "C2")


def test_where_streams_are_not_wanted_none_is_tried() -> None:
    assert not Streams(are_wanted=False, now=Now()).may_begin("A1:T1", "C1")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello wor", "Hello wor"),
        ("Hello @chan", "Hello "),
        ("ask <@U1", "ask "),
        ("see [this](java", "see "),
        ("run `rm", "run "),
        ("今日は良い天気です", "今日は良い天気です"),
        ("half \ufffd", "half "),
        ("@channel", ""),
        ("", ""),
    ],
)
def test_what_may_turn_into_something_else_is_held_back(text: str, shown: str) -> None:
    assert steady(text) == shown


@given(
    words=st.lists(
        st.sampled_from(["hello", "@channel", "<!here>", "<@U7>", "`x`", "[a](b:c)", " ", "\n", "é"]), max_size=40
    )
)
def test_what_is_added_piece_by_piece_calls_nobody(words: list[str]) -> None:
    stream = Stream("1.1", 0.0, "")
    for count in range(len(words) + 1):
        rest = stream.rest(steady(harmless("".join(words[:count]), ())), 10_000, 1.0)
        if rest is None:
            break
        stream.sent += rest
    assert "<!" not in stream.sent
    assert "<@U" not in stream.sent


def test_a_stream_that_is_old_long_or_other_than_it_began_goes_on_by_edits() -> None:
    stream = Stream("1.1", 10.0, "Hello ")
    assert stream.rest("Hello you", 100, 11.0) == "you"
    assert stream.rest("Hallo you", 100, 11.0) is None
    assert stream.rest("Hello you", 5, 11.0) is None
    assert stream.rest("Hello you", 100, 11.0 + LONGEST_S) is None


def test_the_message_of_a_stream_is_known_by_its_app_and_its_first_words() -> None:
    began: dict[str, Any] = {"chunks": [{"type": "markdown_text", "text": "Hello "}, {"type": "blocks", "blocks": []}]}
    made = Call("e1", "chat.startStream", "stream", began)
    ours: dict[str, Any] = {"ts": "1.1", "text": "Hello there", "bot_id": "B1", "app_id": "A1"}
    assert is_effect(ours, made, "A1:T1")
    assert is_effect({**ours, "bot_id": None, "streaming_state": "in_progress"}, made, "A1:T1")
    assert not is_effect({**ours, "app_id": "A2"}, made, "A1:T1")
    assert not is_effect({**ours, "text": "Good day"}, made, "A1:T1")
    assert not is_effect({**ours, "metadata": {"event_type": "threadline_effect"}}, made, "A1:T1")
    assert not is_effect({"ts": "1.1", "text": "Hello there", "user": "U1"}, made, "A1:T1")
