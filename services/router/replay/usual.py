"""An agent's usual run: the medians of what its completed runs used in a stretch of the log."""

from array import array
from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from schemas.base import Event
from schemas.record import CannotRead, UnknownEvent
from schemas.run import RunState, Usage
from schemas.topics import AUDIT_RUNS
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import reader, record_of, to_end
from services.router.replay.replay import Stretch


@dataclass(frozen=True, slots=True)
class Usual:
    """What a run of an agent comes to, as a rule."""

    runs: int
    """So many completed runs say it."""
    input_tokens: float
    output_tokens: float
    cost_usd: float | None
    """Of those whose model has a price; none where no model has one."""

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "runs": self.runs,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": self.cost_usd,
        }


@dataclass(frozen=True)
class _Numbers:
    input_tokens: "array[int]" = field(default_factory=lambda: array("q"))
    output_tokens: "array[int]" = field(default_factory=lambda: array("q"))
    cost_usd: "array[float]" = field(default_factory=lambda: array("d"))


class Spent:
    """What each agent's completed runs used. Four numbers are kept of a run, and nothing else."""

    def __init__(self) -> None:
        self._by_agent: dict[tuple[str, str], _Numbers] = defaultdict(_Numbers)
        self._runs: set[int] = set()
        """Those that are in it: an end may be written twice."""

    def take(self, event: Event | UnknownEvent) -> None:
        """One record of audit.runs."""
        match event:
            case RunState(
                state="complete",
                run_id=str() as run,
                agent_id=str() as agent_id,
                usage=Usage() as usage,
                tenant_id=tenant_id,
            ) if hash(run) not in self._runs:
                self._runs.add(hash(run))
                numbers = self._by_agent[tenant_id, agent_id]
                numbers.input_tokens.append(usage.input_tokens)
                numbers.output_tokens.append(usage.output_tokens)
                if usage.cost_usd is not None:
                    numbers.cost_usd.append(usage.cost_usd)
            case _:
                pass

    def usual(self, tenant_id: str, agent_id: str) -> Usual | None:
        """An agent's usual run; nothing where none was completed."""
        numbers = self._by_agent.get((tenant_id, agent_id))
        if numbers is None:
            return None
        return Usual(
            runs=len(numbers.input_tokens),
            input_tokens=median(numbers.input_tokens),
            output_tokens=median(numbers.output_tokens),
            cost_usd=median(numbers.cost_usd) if numbers.cost_usd else None,
        )


async def spent(settings: KafkaSettings, stretch: Stretch) -> Spent:
    """As audit.runs tells it of a stretch."""
    found, until_ms = Spent(), stretch.until.timestamp() * 1000
    async with reader(settings, AUDIT_RUNS, stretch.since) as consumer:
        async for raw in to_end(consumer):
            if raw.timestamp >= until_ms:
                continue
            try:
                _, event = record_of(raw, settings.topic_prefix).decode()
            except CannotRead:
                continue  # nobody knows what it used
            found.take(event)
    return found
