"""Where a partition is read on: nothing is ever left out without a word."""

from typing import Any

import pytest

from schemas.operation import LettersPaused, LettersResumed, LossAccepted
from services.router.adapters.losses import PAUSED, place_to_begin
from services.router.adapters.operations import Operations
from services.router.stream.beginning import Beginning, Gap, Standing, gap_in, is_accepted
from tests.samples import AT


@pytest.mark.parametrize(
    ("standing", "highest", "gap"),
    [
        (Standing(None, 0, 9), None, None),
        (Standing(None, 5, 9), None, None),
        (Standing(5, 5, 9), 3, None),
        (Standing(9, 5, 9), 3, None),
        (Standing(None, 0, 9), 6, Gap("commit_gone", None, 7)),
        (Standing(None, 8, 9), 6, Gap("commit_gone", None, 8)),
        (Standing(None, 0, 5), 1000, Gap("log_replaced", 1000, 0)),
        (Standing(3, 5, 9), 2, Gap("events_gone", 3, 5)),
        (Standing(12, 0, 4), 11, Gap("log_replaced", 12, 0)),
    ],
)
def test_a_gap_is_seen(standing: Standing, highest: int | None, gap: Gap | None) -> None:
    assert gap_in(standing, highest) == gap


def accepted(**changes: Any) -> LossAccepted:
    facts: dict[str, Any] = {"at": AT, "kind": "events_gone", "partition": 0, "first_lost": 3, "go_on_at": 5}
    return LossAccepted(**{**facts, **changes})


def test_only_this_very_gap_is_accepted() -> None:
    gap = Gap("events_gone", 3, 5)
    assert is_accepted(gap, accepted())
    assert is_accepted(gap, accepted(go_on_at=6))
    for other in (accepted(first_lost=2), accepted(kind="commit_gone", first_lost=None), accepted(go_on_at=4), None):
        assert not is_accepted(gap, other)
    assert not is_accepted(Gap("commit_gone", None, 9), accepted(kind="commit_gone", first_lost=None, go_on_at=7))


def test_a_gap_halts_a_partition_until_it_is_accepted() -> None:
    standing = Standing(3, 5, 9)
    found = place_to_begin(0, standing, 2, Operations())
    assert found.at == 5
    assert "offsets 3 to 4" in str(found.halted)
    assert "accept-loss" in str(found.halted)
    assert place_to_begin(0, standing, 2, Operations(accepted={0: accepted()})) == Beginning(5, is_elsewhere=True)
    assert place_to_begin(1, Standing(None, 5, 9), None, Operations()) == Beginning(5)


def test_a_pause_holds_over_restarts_until_somebody_has_looked() -> None:
    operations = Operations()
    paused = LettersPaused(at=AT, pause_id="p", partition=0, offset=7, consecutive=3, of_the_last=3)
    assert operations.take(paused) == 0
    assert place_to_begin(0, Standing(7, 0, 9), 6, operations) == Beginning(7, PAUSED)
    assert operations.take(LettersResumed(at=AT, partition=0, offset=7)) == 0
    assert place_to_begin(0, Standing(7, 0, 9), 6, operations) == Beginning(7)
