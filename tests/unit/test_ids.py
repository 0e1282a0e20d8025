from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from schemas.ids import payload_hash, record_id, run_id, thread_key


def test_ids_are_fixed_forever_since_logs_hold_them() -> None:
    assert run_id("A1:T1", "message:C1:1.0") == "9620dc85-bfb1-577f-ae27-4a9c53e2e3e4"
    assert record_id("slack.inbound", 2, 1841, 0) == "3976a5b9-26ab-5e14-abdf-08a213aefef1"


@given(st.integers(0, 1000), st.integers(0, 10**12), st.integers(0, 50))
def test_the_same_source_gives_the_same_id(partition: int, offset: int, index: int) -> None:
    first = record_id("slack.inbound", partition, offset, index)
    assert first == record_id("slack.inbound", partition, offset, index)
    assert UUID(first).version == 5


def test_digits_cannot_slide_from_one_part_to_the_next() -> None:
    assert record_id("slack.inbound", 1, 11, 1) != record_id("slack.inbound", 11, 1, 1)
    assert run_id("A1:T1", "x") != run_id("A1:T", "1x")


def test_a_thread_is_keyed_by_team_channel_and_root() -> None:
    assert thread_key("T1", "C1", "1.0") == "T1:C1:1.0"


def test_a_payloads_hash_does_not_depend_on_the_order_of_its_fields() -> None:
    assert payload_hash({"a": 1, "b": "ü"}) == payload_hash({"b": "ü", "a": 1})
    assert payload_hash({"text": "\ud800"}), "a lone surrogate is legal in JSON"
