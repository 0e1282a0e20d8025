"""How far a task is, as it was said."""

from collections.abc import Mapping
from dataclasses import dataclass
from sys import getsizeof
from typing import Literal, NamedTuple

from threadline_agent import fit
from threadline_agent.fit import Json
from threadline_agent.notices import warn_once
from threadline_agent.status import REPORTED, AgentStatus

Level = Literal["info", "warning", "error"]
NOTHING_SAID = "(nothing said)"
_BASE_WEIGHT = 200
_LONGEST = 1000
_FRACTIONS = (float, type(None))


@dataclass(frozen=True, slots=True)
class AgentCheckpoint:
    """What one checkpoint says."""

    action: str
    status: AgentStatus = AgentStatus.WORKING
    level: Level = "info"
    progress: float | None = None
    """From 0 to 1."""
    step: str | None = None
    tokens: int | None = None
    """Tokens that the model sees now."""
    cost: float | None = None
    """What it cost in USD since the checkpoint before."""
    details: Mapping[str, Json] | None = None

    @property
    def weight(self) -> int:
        """About how many bytes of memory it takes."""
        step = getsizeof(self.step) if self.step else 0
        details = fit.weight(self.details) if self.details else 0
        return _BASE_WEIGHT + getsizeof(self.action) + step + details

    def as_fields(self) -> dict[str, Json]:
        """As the supervisor takes it."""
        return {
            "action": self.action,
            "status": self.status.value,
            "level": self.level,
            "progress": self.progress,
            "step": self.step,
            "context_used": self.tokens,
            "cost_usd": self.cost,
            "details": dict(self.details) if self.details else None,
        }

    def __str__(self) -> str:
        parts = [
            f"{self.progress:.0%}" if self.progress is not None else None,
            f"step {self.step}" if self.step else None,
            f"{self.tokens:,} tokens" if self.tokens is not None else None,
            f"{self.cost:.4g} USD" if self.cost else None,
            *(f"{key} {value}" for key, value in (self.details or {}).items()),
        ]
        told = ", ".join(part for part in parts if part)
        return f"{self.action} ({told})" if told else self.action


class Said(NamedTuple):
    """A checkpoint as it was given: anything at all. Where it is plain, it is made fit by the sender."""

    action: object
    level: Level
    status: object
    progress: object
    step: object
    tokens: object
    cost: object
    details: Mapping[str, object]

    def is_plain(self) -> bool:
        """Whether nobody can change what it says beside its details, and none of that is large."""
        action, _, status, progress, step, tokens, cost, _ = self
        return (
            type(action) is str
            and len(action) <= _LONGEST
            and (status is AgentStatus.WORKING or status is AgentStatus.ERROR)
            and type(progress) in _FRACTIONS
            and (step is None or (type(step) is str and len(step) <= _LONGEST))
            and (tokens is None or (type(tokens) is int and 0 <= tokens <= fit.MOST_TOKENS))
            and type(cost) in _FRACTIONS
        )

    @property
    def weight(self) -> int:
        """About how many bytes of memory it takes."""
        step = getsizeof(self.step) if self.step is not None else 0
        return _BASE_WEIGHT + getsizeof(self.action) + step + (fit.weight(self.details) if self.details else 0)

    def fitted(self) -> AgentCheckpoint:
        """A checkpoint out of it."""
        return AgentCheckpoint(
            action=fit.words(self.action, fit.ACTION, "action") or NOTHING_SAID,
            status=_reported(self.status),
            level=self.level,
            progress=fit.fraction(self.progress),
            step=fit.words(self.step, fit.STEP, "step"),
            tokens=fit.tokens(self.tokens),
            cost=fit.cost(self.cost),
            details=fit.details(self.details) if self.details else None,
        )


def _reported(status: object) -> AgentStatus:
    if isinstance(status, str) and status in REPORTED:
        return AgentStatus(status)
    warn_once("status", "a program is starting, working, paused or in error; anything else is taken as working")
    return AgentStatus.WORKING
