"""How sure a percentile is: the values between which the true one lies, whatever the values are like.

Of n values so many lie at or below the true percentile as a binomial count says, whatever their distribution. So two of
the values in order, one on each side, hold it between them with a chance that follows from n alone. Where n is so small
that even its first or last value is not sure enough, there is no limit on that side.
"""

import math
from functools import lru_cache
from typing import Final

ONE_IN: Final = 1000
"""Limits of both sides miss the true percentile no more often than once in so many times."""
_TAIL: Final = 1 / ONE_IN / 2
_FAR: Final = 8
"""So many deviations below the mean, and eight more, there is nothing left that counts."""


@lru_cache(maxsize=4096)
def places(count: int, percent: int) -> tuple[int | None, int | None]:
    """The places in order, from 1 on, of the limits of a percentile of so many values."""
    low = _lower(count, percent / 100)
    mirrored = _lower(count, (100 - percent) / 100)
    return low or None, count + 1 - mirrored if mirrored else None


def _lower(count: int, share: float) -> int:
    """The last place with hardly a chance to lie above the true percentile; 0 where there is none.

    The value in place l lies above it only where fewer than l of all lie at or below it.
    """
    mean = count * share
    begin = max(0, math.floor(mean - _FAR * math.sqrt(mean * (1 - share)) - _FAR))
    chance = math.exp(_log_chance(begin, count, share))
    total, place = 0.0, begin
    while total + chance <= _TAIL and place < count:
        total += chance
        chance *= (count - place) / (place + 1) * share / (1 - share)
        place += 1
    return place


def _log_chance(hits: int, count: int, share: float) -> float:
    ways = math.lgamma(count + 1) - math.lgamma(hits + 1) - math.lgamma(count - hits + 1)
    return ways + hits * math.log(share) + (count - hits) * math.log1p(-share)
