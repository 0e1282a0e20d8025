"""When Python looks for what nobody needs any more: while little goes on, since all else waits for it."""

import gc
from typing import Final

YOUNG, YOUNGER_TURNS, NEVER = 5_000, 10, 1_000_000
CALM: Final = 50
"""So few runs go on that nobody notices."""
DUE, OVERDUE = 200, 5_000
"""Runs that ended since the last time: so many make it worth while, so many make it urgent."""


class Tidying:
    """What is loaded when it begins is never looked through. With a thousand runs the rest takes a second."""

    def __init__(self) -> None:
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG, YOUNGER_TURNS, NEVER)
        self._ended = 0

    def look(self, running: int, ended: int) -> None:
        """So many go on, and so many have ended since the process began."""
        new = ended - self._ended
        if new >= OVERDUE or (new >= DUE and running <= CALM):
            self._ended = ended
            gc.collect()
