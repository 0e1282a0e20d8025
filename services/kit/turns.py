"""How a process with one loop keeps whoever waits for an answer from waiting for anything else."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final, TypeVar

IN_A_TURN: Final = 8
"""Things that take some 0.1 ms each: a millisecond, then others have their turn."""
SWEEP_EVERY_S: Final = 60.0

Each = TypeVar("Each")


async def in_turns(things: Iterable[Each], at_once: int = IN_A_TURN) -> AsyncIterator[Each]:
    """All of them, as they were when it began; now and then everything else that is ready goes first."""
    every: Sequence[Each] = list(things)
    for number, each in enumerate(every, start=1):
        yield each
        if number % at_once == 0 and number < len(every):
            await asyncio.sleep(0)


def tidy() -> None:
    """From here on nothing is looked through for what nobody needs: counting references finds it, but for what fails.

    Looking through the young ones took a twentieth of a supervisor's time and held everything up for 20 to 70 ms, to
    find nothing. Who goes on for long sweeps.
    """
    gc.collect()
    gc.freeze()
    gc.disable()


async def sweep() -> None:
    """Now and then, whatever refers to itself: errors do, with where they were raised. It takes some 0.1 s."""
    while True:
        await asyncio.sleep(SWEEP_EVERY_S)
        gc.collect()
