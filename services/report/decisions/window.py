"""The cancel window: how long after a request the end of a run still counts as that request's doing."""

from typing import Final

import polars as pl

from services.report.decisions.ranks import at
from services.report.decisions.runs import MICRO

LADDER_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
WITHOUT_MEASURE_S: Final = 60
ENOUGH: Final = 20
"""Fewer latencies say too little about what is usual."""
ROOM: Final = 3
"""So many times what 95 of 100 stops take."""


def choose(latencies: pl.Series) -> tuple[float, str]:
    """The window in seconds for latencies in microseconds, and how it was chosen, in words.

    A stop that takes hold does so within a narrow span; what ends a run much later was something else. So the window is
    three times the 95th percentile of all latencies in the log, rounded up to a step that people can read.
    """
    sound = latencies.filter(latencies >= 0)
    if len(sound) < ENOUGH:
        return WITHOUT_MEASURE_S, f"{len(sound)} latencies are too few to choose by: it is {WITHOUT_MEASURE_S} s"
    usual = (at(sound.sort(), 95) or 0) / MICRO
    window = next((step for step in LADDER_S if step >= ROOM * usual), LADDER_S[-1])
    return window, f"the first step at or above {ROOM} × the 95th percentile of {len(sound)} latencies ({usual:.3f} s)"
