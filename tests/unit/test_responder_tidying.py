"""What nobody needs any more is looked for while little goes on, and in the end all the same."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from services.responder.adapters.tidying import CALM, DUE, OVERDUE, Tidying


@pytest.fixture
def looks() -> Iterator[list[int]]:
    """The generations that were looked through."""
    before, found = gc.get_threshold(), list[int]()

    def seen(phase: str, info: dict[str, Any]) -> None:
        if phase == "start" and info["generation"] == 2:
            found.append(2)

    gc.callbacks.append(seen)
    yield found
    gc.callbacks.remove(seen)
    gc.unfreeze()
    gc.set_threshold(*before)


def test_it_looks_when_it_is_calm_and_worth_while_and_when_it_must(looks: list[int]) -> None:
    tidying = Tidying()
    looks.clear()
    tidying.look(0, DUE - 1)
    tidying.look(CALM + 1, OVERDUE - 1)
    assert looks == []
    tidying.look(CALM, DUE)
    assert len(looks) == 1
    tidying.look(0, DUE + 1)
    assert len(looks) == 1
    tidying.look(CALM + 1000, DUE + OVERDUE)
    assert len(looks) == 2


def test_what_goes_round_in_circles_goes_when_it_looks(looks: list[int]) -> None:
    class Round:
        me: "Round"

    tidying = Tidying()
    one = Round()
    one.me = one
    del one
    tidying.look(0, DUE)
    assert looks
    assert not [each for each in gc.get_objects() if isinstance(each, Round)]
