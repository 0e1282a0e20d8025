"""Rows, and the memory that is made of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.stream import row
from services.router.stream.memory import Memory
from services.router.stream.row import Row, Unreadable


def kept(*changes: tuple[str, object, float], at: float = 0.0, until: float = 100.0) -> Row:
    return Row(at, until, changes, b"{}")


@given(
    st.floats(0, 2e9),
    st.lists(st.tuples(st.text(max_size=20), st.none() | st.lists(st.integers()), st.floats(0, 2e9)), max_size=4),
    st.binary(max_size=40),
)
def test_a_row_is_read_as_it_was_written(at: float, changes: list[tuple[str, object, float]], said: bytes) -> None:
    written = Row(at, at, tuple(changes), said)
    assert row.decode(row.encode(written)) == written


@pytest.mark.parametrize("value", [b"", b"{}", b"[1,2]", b"[1,2,[]]", b"[1,2,[[]]]\n{}", b"\xff\n{}", b'["a",2,[]]\n'])
def test_what_is_no_row_is_unreadable(value: bytes) -> None:
    with pytest.raises(Unreadable):
        row.decode(value)


def test_a_key_stands_until_its_time_is_over() -> None:
    memory = Memory({5: kept(("a", 1, 60.0))})
    found = memory.get("a", 59.9)
    assert found is not None
    assert (found.value, found.offset) == (1, 5)
    assert memory.get("a", 60.0) is None
    assert memory.get("b", 0.0) is None


def test_rows_count_in_the_order_of_the_source_whatever_the_order_of_the_journal() -> None:
    rows = {9: kept(("a", "new", 60.0), at=2.0), 5: kept(("a", "old", 60.0), at=1.0)}
    found = Memory(rows).get("a", 0.0)
    assert found is not None
    assert (found.value, found.offset) == ("new", 9)
    late = Memory({9: rows[9]})
    late.keep(5, rows[5])
    found = late.get("a", 0.0)
    assert found is not None
    assert found.value == "new", "what is older gives way"
    assert late.clock == 2.0


def test_a_row_is_known_until_it_is_settled() -> None:
    memory = Memory({5: kept(), 6: kept()})
    assert memory.row(5) is not None
    memory.settle(6)
    assert memory.row(5) is None
    assert memory.row(6) is not None


def test_what_is_over_is_forgotten_once_time_is_certain_to_have_passed() -> None:
    memory = Memory({5: kept(("a", 1, 30.0), until=30.0), 6: kept(("a", 2, 90.0), at=10_000.0, until=20_000.0)})
    assert memory.forget(10) == [], "nothing is settled: either may be decided again"
    memory.settle(6)
    assert memory.forget(10) == []
    memory.settle(7)
    assert memory.forget(10) == [5]
    found = memory.get("a", 60.0)
    assert found is not None
    assert found.offset == 6, "a newer row stands under the key"
    assert (memory.live_rows, memory.highest()) == (1, 6)


def test_forgetting_is_done_in_slices() -> None:
    memory = Memory({offset: kept((f"k{offset}", 1, 30.0), at=10_000.0, until=30.0) for offset in range(10)})
    memory.settle(10)
    assert len(memory.forget(4)) == 4
    assert (len(memory), memory.live_rows) == (6, 6)
    assert len(memory.forget(100)) == 6
    assert (len(memory), memory.live_rows, memory.highest()) == (0, 0, None)


def test_a_row_outlives_the_rows_behind_it() -> None:
    """Or an older row would come forth when it is forgotten."""
    memory = Memory({1: kept(("a", 1, 500.0), until=500.0)})
    assert memory.lasting([("a", 2, 60.0)], at=10.0) == 500.0
    assert memory.lasting([("b", 2, 60.0)], at=10.0) == 60.0
    assert memory.lasting([], at=10.0) == 10.0


@given(st.data())
def test_a_memory_that_was_read_again_is_the_one_that_was_there(data: st.DataObject) -> None:
    """However much was forgotten in between, what still stands is the same."""
    live, journal = Memory(), {}
    now = 0.0
    for offset in range(data.draw(st.integers(1, 40))):
        now += data.draw(st.floats(0, 200))
        keys = data.draw(st.lists(st.sampled_from("abc"), unique=True, max_size=2))
        changes = tuple((key, offset, now + data.draw(st.floats(0, 1000))) for key in keys)
        decided = Row(now, live.lasting(changes, now), changes, b"")
        live.keep(offset, decided)
        journal[offset] = decided
        if data.draw(st.booleans()):
            live.settle(offset - data.draw(st.integers(0, 3)))
            for gone in live.forget(5):
                del journal[gone]
    again = Memory(journal)
    for key in "abc":
        assert live.get(key, now) == again.get(key, now)
