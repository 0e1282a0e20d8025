"""What a suite is: something that is run several times on a bed of real parts, and the figures that come of it."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.figure import Figure
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.local import kafka, postgres
from services.local.home import Home
from services.local.state import StackState


@dataclass(frozen=True)
class Bed:
    """What suites run on: a stack of their own, on this machine, with the parts that the suite named."""

    stack: StackState | None
    """None where the suite named no part."""
    home: Home
    seed: int
    only: str = "*"
    """Which scenarios of a suite that has some."""

    @property
    def kafka(self) -> KafkaSettings:
        """The broker."""
        return kafka.settings_at(self._address_of(kafka.NAME))

    @property
    def database(self) -> DatabaseSettings:
        """The database."""
        return postgres.Database.at(self.home, self._address_of(postgres.NAME)).settings()

    def _address_of(self, part: str) -> str:
        if self.stack is None:
            raise LookupError(f"the suite did not name {part} as a part")
        return self.stack.address_of(part)


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
    parts: tuple[str, ...] = (kafka.NAME,)
    """What the bed has; nothing where a suite brings its own."""
