"""What a suite is: something that is run several times on a bed of real parts, and the figures that come of it."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench.figure import Figure
from services.kit.groups import KafkaSettings


@dataclass(frozen=True)
class Bed:
    """What suites run on: a stack of their own, on this machine."""

    kafka: KafkaSettings
    home: Path
    seed: int


@dataclass(frozen=True)
class Measured:
    """What one run gave."""

    figures: dict[str, float]
    raw: dict[str, Any] = field(default_factory=dict)
    """Every sample, kept beside the figures."""


@dataclass(frozen=True)
class Suite:
    """One suite of measurements or faults."""

    name: str
    kind: Literal["bench", "chaos"]
    what: str
    runs: int
    run: Callable[[Bed, int], Coroutine[Any, Any, Measured]]
    """Given the bed and the number of the run."""
    judge: Callable[[list[Measured]], list[Figure]]
