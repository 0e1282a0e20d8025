"""A record as a line and back."""

import contextlib
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.lines import Kept, NoRecord, line_of, record_of
from tests.report.log import record, rubbish, value_of
from tests.samples import run_state

maybe_bytes = st.none() | st.binary(max_size=30)
values = st.one_of(
    maybe_bytes,
    rubbish,
    st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=3).map(value_of),
)
kept = st.builds(
    Kept,
    topic=st.sampled_from(["audit.runs", "slack.effects"]),
    partition=st.integers(0, 99),
    offset=st.integers(0, 1 << 60),
    appended_ms=st.integers(0, 1 << 50),
    key=maybe_bytes,
    headers=st.lists(st.tuples(st.text(max_size=9), maybe_bytes), max_size=4).map(tuple),
    value=values,
)


@given(kept)
@example(Kept("audit.runs", 0, 0, 0, b',"value":', ((',"value":', b',"value":'),), b'{"a":"\xe2\x80\xa8"}'))
@example(Kept("audit.runs", 0, 0, 0, None, (), b"null"))
@example(Kept("audit.runs", 0, 0, 0, None, (), b'{"value":{"value":1},"value":2}'))
def test_every_record_comes_back_byte_for_byte(one: Kept) -> None:
    line = line_of(one)
    assert b"\n" not in line
    assert record_of(line) == one


def test_a_value_stands_as_it_is_for_people_and_jq() -> None:
    value = run_state().model_dump_json().encode()
    line = line_of(record(value, 7))
    assert value in line
    facts = json.loads(line)
    assert facts["value"]["run_id"] == "run-1"
    assert (facts["topic"], facts["partition"], facts["offset"], facts["id"]) == ("audit.runs", 0, 7, "id-7")


def test_a_line_that_another_program_laid_out_anew_holds_the_same_json() -> None:
    one = record(run_state().model_dump_json().encode(), 7)
    again = record_of(json.dumps(json.loads(line_of(one)), indent=1, sort_keys=True).encode())
    assert again.value is not None
    assert one.value is not None
    assert json.loads(again.value) == json.loads(one.value)
    assert (again.key, again.headers, again.offset) == (one.key, one.headers, one.offset)


@pytest.mark.parametrize(
    "line",
    [
        *(b"", b"{", b"[]", b"5", b"{}", b'{"topic":"audit.runs"}', b'{"topic":5,"partition":0,"offset":0}'),
        *(b'{"topic":"a","partition":true,"offset":0}', b'{"topic":"a","partition":0,"offset":0,"headers":[1]}'),
        *(
            b'{"topic":"a","partition":0,"offset":0,"value_base64":"*"}',
            b'{"topic":"a","partition":0,"offset":0,"key":7}',
        ),
    ],
)
def test_what_holds_no_record_says_so_and_quotes_nothing(line: bytes) -> None:
    with pytest.raises(NoRecord, match=r"^it is no JSON|^it has no |^something in it|base64|unpack") as refused:
        record_of(line)
    assert "audit.runs" not in str(refused.value)


@given(st.binary(max_size=60) | rubbish)
def test_no_line_is_met_with_anything_but_a_record_or_a_refusal(line: bytes) -> None:
    with contextlib.suppress(NoRecord):
        record_of(line)
