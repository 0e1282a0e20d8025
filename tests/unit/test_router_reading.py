"""Where a member stands: no hole is handed over, and nothing is committed that was not done here."""

from services.router.stream.reading import Reading


def reading(start: int = 10, generation: int = 3) -> Reading:
    found = Reading("in")
    found.begin(0, generation, start)
    return found


def test_offsets_are_handed_over_without_a_hole() -> None:
    found = reading()
    assert found.hand_over(0, 10) == 10
    assert found.hand_over(0, 12) == 11, "11 must be fetched first"
    assert found.holes == 1
    assert found.hand_over(0, 9) is None, "from before the seek"
    assert found.hand_over(0, 11) == 11
    assert found.hand_over(0, 12) == 12
    assert found.hand_over(7, 0) is None, "not ours"


def test_what_got_lost_on_its_way_is_asked_for_again_once() -> None:
    found = reading()
    for offset in (10, 11, 12, 13):
        assert found.hand_over(0, offset) == offset
    assert found.take(0, 10, 3)
    assert not found.take(0, 12, 3)
    assert not found.take(0, 13, 3)
    assert found.rewinds() == {0: 11}
    assert found.rewinds() == {}
    assert found.hand_over(0, 14) == 11
    assert found.hand_over(0, 11) == 11
    assert found.take(0, 11, 3)
    assert not found.take(0, 11, 3), "a second time"


def test_another_generation_is_another_assignment() -> None:
    found = reading(generation=3)
    assert not found.take(0, 10, 2)
    found.done(0, 10, 2)
    assert found.may_commit(0, 3) is None
    assert found.take(0, 10, 3)
    found.done(0, 10, 3)
    assert found.may_commit(0, 3) == 11
    assert found.may_commit(0, 4) is None
    found.begin(0, 4, 11)
    found.done(0, 15, 3)
    assert found.may_commit(0, 4) is None


def test_a_halted_partition_is_read_on_from_where_it_stopped() -> None:
    found = reading()
    for offset in (10, 11, 12):
        found.hand_over(0, offset)
    assert found.take(0, 10, 3)
    found.halt(0, 11, "wait")
    assert not found.take(0, 11, 3)
    assert found.hand_over(0, 13) is None
    assert found.rewinds() == {}
    found.resume(0)
    assert found.rewinds() == {0: 11}
    assert found.hand_over(0, 11) == 11
    assert found.take(0, 11, 3)


def test_a_partition_may_be_read_on_elsewhere() -> None:
    found = reading()
    found.halt(0, 10, "gone")
    found.go_on_at(0, 40)
    assert found.rewinds() == {0: 40}
    assert found.may_commit(0, 3) == 40, "even before anything is read there"
    assert found.hand_over(0, 40) == 40
    assert found.take(0, 40, 3)
    found.done(0, 40, 3)
    assert found.may_commit(0, 3) == 41


def test_what_is_not_ours_any_more_is_forgotten() -> None:
    found = reading()
    found.begin(1, 3, 0)
    found.keep_only({1})
    assert set(found.places) == {1}
