"""Words of a streamed answer are merged, and nothing else is: what a client reads is the same, in fewer events."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bench.beds.models import Says, in_anthropics_words, in_openais_words
from services.responder.decisions.merging import Merging


def openai(*choices: dict[str, Any], **more: Any) -> bytes:
    """One event as OpenAI's servers send it."""
    body = {
        "id": "c1",
        "model": "m",
        "choices": [{"index": 0, "finish_reason": None, **each} for each in choices],
        **more,
    }
    return f"data: {json.dumps(body)}\n\n".encode()


def data_in(wire: bytes) -> list[Any]:
    """What the events say."""
    lines = [line.removeprefix(b"data:").strip() for line in wire.splitlines() if line.startswith(b"data:")]
    return [json.loads(line) if line.startswith(b"{") else line for line in lines]


def words_in(wire: bytes) -> str:
    """The answer that stands in events."""
    said = []
    for data in data_in(wire):
        match data:
            case {"choices": [{"delta": {"content": str(text)}}]} | {"delta": {"text": str(text)}}:
                said.append(text)
            case _:
                pass
    return "".join(said)


def is_words(data: Any) -> bool:
    """Whether an event is a piece of the answer."""
    return isinstance(data, dict) and words_in(b"data: " + json.dumps(data).encode()) != ""


@given(
    text=st.text(max_size=300),
    chunk=st.integers(1, 20),
    cuts=st.lists(st.integers(0, 5000), max_size=30),
    data=st.data(),
)
def test_the_words_are_the_same_however_the_bytes_arrive(
    text: str, chunk: int, cuts: list[int], data: st.DataObject
) -> None:
    says = Says(text, chunk=chunk)
    shape = data.draw(st.sampled_from([in_openais_words, in_anthropics_words]))
    wire = b"".join(shape(says, "m"))
    places = sorted({0, len(wire), *(each for each in cuts if each < len(wire))})
    merging = Merging()
    read = b""
    for begin, end in pairwise(places):
        read += merging.take(wire[begin:end])
        if data.draw(st.booleans()):
            read += merging.give()
    read += merging.end()
    assert words_in(read) == words_in(wire)
    assert [each for each in data_in(read) if not is_words(each)] == [
        each for each in data_in(wire) if not is_words(each)
    ]


def test_words_in_a_row_are_one_event_and_the_rest_stays_byte_for_byte() -> None:
    first, second = openai({"delta": {"content": "Hello "}}), openai({"delta": {"content": "there."}})
    end = openai({"delta": {}, "finish_reason": "stop"})
    merging = Merging()
    assert merging.take(first + second) == b""
    assert merging.holds
    merged, rest = (passed := merging.take(end))[: -len(end)], passed[-len(end) :]
    assert data_in(merged)[0]["choices"][0]["delta"]["content"] == "Hello there."
    assert rest == end


def test_what_is_alone_is_not_written_anew() -> None:
    odd = b'data: {"choices":[{"delta":{"content":"\\u00e9" }}]  ,"x":1}\r\n\r\n'
    merging = Merging()
    assert merging.take(odd) == b""
    assert merging.give() == odd


def test_what_says_more_than_words_passes_at_once_and_in_its_order() -> None:
    call = openai({"delta": {"content": "x", "tool_calls": [{"index": 0}]}})
    usage = openai({"delta": {"content": "x"}}, usage={"prompt_tokens": 3})
    last = openai({"delta": {"content": "x"}, "finish_reason": "length"})
    two = openai({"delta": {"content": "x"}}, {"delta": {"content": "y"}})
    word = openai({"delta": {"content": "a"}})
    for event in (call, usage, last, two, b"data: [DONE]\n\n", b": ping\n\n", b"data: {rubbish\n\n", b"data: 7\n\n"):
        merging = Merging()
        assert merging.take(word) == b""
        assert merging.take(event) == word + event


def test_answers_that_come_side_by_side_are_not_mixed() -> None:
    one, two = openai({"delta": {"content": "a"}}), openai({"index": 1, "delta": {"content": "b"}})
    merging = Merging()
    assert merging.take(one + two) == one
    assert merging.end() == two


def test_what_never_ends_is_not_kept_for_ever() -> None:
    merging = Merging()
    endless = b"x" * (1 << 20) + b"y"
    assert merging.take(endless) == endless
    assert merging.end() == b""
