"""What a fault is to whoever plays it."""

import random
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from bench.chaos.scenario import Scenario
from bench.chaos.stage import Stage


@dataclass(frozen=True)
class Struck:
    """Where and how it strikes."""

    stage: Stage
    scenario: Scenario
    chance: random.Random

    @property
    def services(self) -> list[str]:
        """The services at its place."""
        place = self.scenario.place
        return ["ingress", "router", "responder"] if place == "everything" else [place]


def _nothing(_: Struck) -> None:
    return


def _can(_: Struck) -> str | None:
    return None


@dataclass(frozen=True)
class FaultKind:
    """One kind of fault."""

    strikes: Callable[[Struck], AbstractAsyncContextManager[None]]
    """Entering it is the strike; by leaving it all is well again. It need not last: a kill is over at once."""
    prepares: Callable[[Struck], None] = _nothing
    """Done before anything is started."""
    missing: Callable[[Struck], str | None] = _can
    """Why it cannot be played on this machine, and how it could be."""
