"""How a process with one loop keeps whoever waits for an answer from waiting for anything else."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final, TypeVar

IN_A_TURN: Final = 8
"""Things that take some 0.1 ms each: a millisecond, then others have their turn."""
YOUNG, YOUNGER_TURNS, OLDER_TURNS = 10_000, 5, 200

Each = TypeVar("Each")


async def in_turns(things: Iterable[Each], at_once: int = IN_A_TURN) -> AsyncIterator[Each]:
    """All of them, as they were when it began; now and then everything else that is ready goes first."""
    every: Sequence[Each] = list(things)
    for number, each in enumerate(every, start=1):
        yield each
        if number % at_once == 0 and number < len(every):
            await asyncio.sleep(0)


def tidy() -> None:
    """What is loaded by now is never looked through again for what nobody needs; what comes is, in small portions."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, YOUNGER_TURNS, OLDER_TURNS)
