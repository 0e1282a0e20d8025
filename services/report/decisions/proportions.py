"""Whether two rates differ by more than chance: how often chance alone would make them differ so much."""

import math
from typing import Final, Literal

Method = Literal["exact", "z"]

ENOUGH_IN_EACH: Final = 10
"""Where fewer are expected in one of the four cells, the normal curve fits badly and all tables are counted."""
_ALIKE: Final = 1 + 1e-7
"""Tables as likely as the one that was met count as such, although sums of floats differ in their last digit."""


def chance(hits: int, of: int, others: int, of_others: int) -> tuple[float, Method]:
    """The two-sided p-value of `hits` of `of` beside `others` of `of_others`, and by which test.

    Fisher's exact test where counts are small, the z-test of two proportions (pooled) where they are not.
    """
    every, hit = of + of_others, hits + others
    rare = min(of, of_others) * min(hit, every - hit) / every
    if rare < ENOUGH_IN_EACH:
        return _exact(hits, of, hit, every), "exact"
    pooled = hit / every
    error = math.sqrt(pooled * (1 - pooled) * (1 / of + 1 / of_others))
    return math.erfc(abs(hits / of - others / of_others) / error / math.sqrt(2)), "z"


def _exact(hits: int, of: int, hit: int, every: int) -> float:
    """All tables with the same sums that are no likelier than this one."""
    possible = range(max(0, of + hit - every), min(of, hit) + 1)
    logs = {each: _log_ways(hit, each) + _log_ways(every - hit, of - each) for each in possible}
    whole = _log_ways(every, of)
    weights = {each: math.exp(log - whole) for each, log in logs.items()}
    return min(1.0, math.fsum(weight for weight in weights.values() if weight <= weights[hits] * _ALIKE))


def _log_ways(of: int, chosen: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(chosen + 1) - math.lgamma(of - chosen + 1)
