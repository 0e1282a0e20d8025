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


class Measures(NamedTuple):
    """What a checkpoint says beside its words, as it was given: anything at all."""

    progress: object = None
    step: object = None
    tokens: object = None
    cost: object = None


def fitted(
    action: object, level: Level, status: object, measures: Measures, details: Mapping[str, object]
) -> AgentCheckpoint:
    """A checkpoint out of whatever was given."""
    return AgentCheckpoint(
        action=fit.words(action, fit.ACTION, "action") or NOTHING_SAID,
        status=AgentStatus.WORKING if status is AgentStatus.WORKING else _reported(status),
        level=level,
        progress=None if measures.progress is None else fit.fraction(measures.progress),
        step=None if measures.step is None else fit.words(measures.step, fit.STEP, "step"),
        tokens=None if measures.tokens is None else fit.tokens(measures.tokens),
        cost=None if measures.cost is None else fit.cost(measures.cost),
        details=fit.details(details) if details else None,
    )


def _reported(status: object) -> AgentStatus:
    if isinstance(status, str) and status in REPORTED:
        return AgentStatus(status)
    warn_once("status", "a program is starting, working, paused or in error; anything else is taken as working")
    return AgentStatus.WORKING
