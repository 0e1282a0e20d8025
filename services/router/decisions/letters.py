"""When so much cannot be understood that the fault must be ours: then a partition is paused, and no more given up."""

from collections import deque
from dataclasses import dataclass, field

LOOKED_AT = 200
"""Of how many envelopes at most the share is taken."""
AT_LEAST = 10
"""Fewer say nothing."""


@dataclass(frozen=True)
class Bound:
    """How much is bearable."""

    in_a_row: int
    percent: float


@dataclass
class Tally:
    """The last envelopes of one partition."""

    in_a_row: int = 0
    lately: deque[bool] = field(default_factory=lambda: deque(maxlen=LOOKED_AT))
    dead: int = 0

    def count(self, *, is_dead: bool) -> None:
        """One more was decided."""
        if len(self.lately) == LOOKED_AT and self.lately[0]:
            self.dead -= 1
        self.lately.append(is_dead)
        self.dead += is_dead
        self.in_a_row = self.in_a_row + 1 if is_dead else 0

    def is_full(self, bound: Bound) -> bool:
        """Whether the next one that cannot be understood is one too many."""
        if self.in_a_row >= bound.in_a_row:
            return True
        return self.dead >= AT_LEAST and self.dead * 100 >= bound.percent * len(self.lately)
