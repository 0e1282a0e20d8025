"""How well a task is, as a number of a hundred and what that is made of."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.supervisor.decisions.task import Task

LONG_S: Final = 600.0
"""So long people may let an agent wait."""
EMPTY, FULL = 0.5, 1.0
"""Shares of the context between which its points go."""
UNWELL: Final = 50


@dataclass(frozen=True)
class Part:
    """One thing that health is made of."""

    name: str
    points: int
    of: int
    words: str


@dataclass(frozen=True)
class Health:
    """All of them."""

    parts: tuple[Part, ...]

    @property
    def score(self) -> int:
        """Of a hundred."""
        return sum(each.points for each in self.parts)

    @property
    def sign(self) -> str:
        """Green, yellow, red."""
        return "🟢" if self.score >= 80 else "🟡" if self.score >= UNWELL else "🔴"  # noqa: PLR2004 - four of five

    @property
    def words(self) -> str:
        """What is not as it should be."""
        return ", ".join(each.words for each in self.parts if each.points < each.of)


def health_of(task: Task, now: datetime) -> Health:
    """Of a task, at a moment."""
    share = task.context_share or 0.0
    room = min(1.0, max(0.0, (FULL - share) / (FULL - EMPTY)))
    errors = sum(task.errors) / len(task.errors) if task.errors else 0.0
    well = 0.0 if task.status == "error" else 1.0 - errors
    waits_s = max(((now - each.asked_at).total_seconds() for each in task.approvals if each.is_open), default=0.0)
    return Health(
        (
            _part("alive", 30, 0.0 if task.silent_since is not None else 1.0, "nothing is heard of it"),
            _part("errors", 25, well, "it failed" if not well else f"{errors:.0%} of its last steps are errors"),
            _part("context", 20, room, f"{share:.0%} of its context is used"),
            _part("pace", 15, 0.0 if "slow_step" in task.warned else 1.0, "a step takes unusually long"),
            _part("people", 10, 0.0 if waits_s > LONG_S else 1.0, f"somebody lets it wait for {waits_s / 60:.0f} min"),
        )
    )


def _part(name: str, of: int, share: float, words: str) -> Part:
    return Part(name, round(of * share), of, words)
