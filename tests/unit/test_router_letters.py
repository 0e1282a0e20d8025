"""When a partition is paused for its dead letters."""

from schemas.operation import LettersPaused, LettersResumed
from services.router.adapters.operations import Operations
from services.router.decisions.letters import Bound, Tally
from tests.samples import AT


def counted(*dead: bool) -> Tally:
    tally = Tally()
    for each in dead:
        tally.count(is_dead=each)
    return tally


BOUND = Bound(in_a_row=5, percent=20)


def test_so_many_in_a_row_are_too_many() -> None:
    assert not counted(*[True] * 4).is_full(BOUND)
    assert counted(*[True] * 5).is_full(BOUND)
    assert not counted(*[True] * 5, *[False]).is_full(BOUND)


def test_so_large_a_share_is_too_large_and_is_seen_early() -> None:
    assert counted(*[True, True, True, False] * 4).is_full(BOUND)
    assert not counted(*[True] * 4, *[False] * 4, *[True] * 4).is_full(BOUND), "eight say nothing"
    assert not counted(*([True] + [False] * 9) * 20).is_full(BOUND)
    assert counted(*[False] * 400, *[True, True, True, False] * 14).is_full(BOUND), "only the last 200 count"


def paused(offset: int) -> LettersPaused:
    return LettersPaused(at=AT, pause_id=f"p{offset}", partition=0, offset=offset, consecutive=1, of_the_last=1)


def test_reading_the_operations_again_ends_no_pause_that_holds() -> None:
    operations = Operations()
    operations.paused[0] = paused(9)  # our own, and not on the topic yet
    history = Operations()
    for event in (paused(7), LettersResumed(at=AT, partition=0, offset=7)):
        history.take(event)
    operations.replace_by(history)
    assert operations.paused[0].offset == 9
    history.take(paused(9))
    history.take(LettersResumed(at=AT, partition=0, offset=9))
    operations.replace_by(history)
    assert operations.paused == {}
