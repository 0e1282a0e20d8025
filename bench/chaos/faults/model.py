"""A model that refuses, thinks for long, falls silent, hangs up, or talks rubbish."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.beds.speaking import Trouble
from bench.chaos.faults.kind import FaultKind, Struck


@asynccontextmanager
async def _trouble(struck: Struck) -> AsyncIterator[None]:
    """As `Trouble` is told."""
    struck.stage.model.trouble = Trouble(**struck.scenario.fault.told)
    try:
        yield
    finally:
        struck.stage.model.trouble = Trouble()


KINDS = {"model_in_trouble": FaultKind(_trouble)}
