"""A figure that we may claim: what it is, what was wanted, what it was held against, and whether it holds."""

import operator
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from typing_extensions import override

_COMPARE = {"<=": operator.le, ">=": operator.ge, "==": operator.eq}


@dataclass(frozen=True)
class Goal:
    """A bound on a figure."""

    is_: Literal["<=", ">=", "=="]
    bound: float

    def holds(self, value: float) -> bool:
        """Whether the figure keeps it."""
        return bool(_COMPARE[self.is_](value, self.bound))

    @override
    def __str__(self) -> str:
        return f"{ {'<=': '≤', '>=': '≥', '==': '='}[self.is_] } {self.bound:g}"


@dataclass(frozen=True)
class Peer:
    """What a figure is held against, measured in the same run."""

    name: str
    value: float


@dataclass(frozen=True)
class Figure:
    """The median of repeated runs, how far they were apart, and how it stands."""

    name: str
    unit: str
    values: tuple[float, ...]
    """One for each run."""
    goal: Goal | None = None
    peer: Peer | None = None
    ratio_goal: Goal | None = None
    """A bound on the ratio to the peer: timings of a shared machine mean little alone."""

    @property
    def value(self) -> float:
        """The median of the runs."""
        return statistics.median(self.values)

    @property
    def ratio(self) -> float | None:
        """How many times the peer it is."""
        return self.value / self.peer.value if self.peer and self.peer.value else None

    @property
    def holds(self) -> bool | None:
        """Whether every goal is kept; none where there is no goal."""
        kept = [self.goal.holds(self.value)] if self.goal else []
        if self.ratio_goal:
            kept.append(self.ratio is not None and self.ratio_goal.holds(self.ratio))
        return all(kept) if kept else None

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "runs": len(self.values),
            "lowest": min(self.values),
            "highest": max(self.values),
            "goal": str(self.goal) if self.goal else None,
            "peer": {"name": self.peer.name, "value": self.peer.value, "unit": self.unit} if self.peer else None,
            "ratio": self.ratio,
            "ratio_goal": str(self.ratio_goal) if self.ratio_goal else None,
            "holds": self.holds,
        }


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that at least `percent` of all samples do not exceed."""
    if not samples:
        raise ValueError("there is no percentile of nothing")
    ordered = sorted(samples)
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[int(rank) - 1]
