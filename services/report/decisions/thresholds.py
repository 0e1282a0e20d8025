"""How much a figure must move to matter."""

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.base import Part

RateName = Literal["completion", "error", "cancel", "match", "skip", "throttle"]
RanksName = Literal["accepted", "thinking", "first_token", "last_token", "finished", "whole", "stop", "tokens", "cost"]
Direction = Literal["up", "down", "either", "neither"]

NotNegative = Annotated[float, Field(ge=0)]


class RateThreshold(Part):
    """Of a rate."""

    worse: Direction
    """Which way is the wrong one; a move the other way is for the better. `neither` is told and fails nothing."""
    points: NotNegative
    """In points of a percentage."""


class RanksThreshold(Part):
    """Of the percentiles of something."""

    worse: Direction
    p50: NotNegative
    """In percent of what it was before."""
    p95: NotNegative
    p99: NotNegative
    least: NotNegative
    """And by no less than this, in seconds, tokens or dollars."""


class Thresholds(Part):
    """All of them."""

    fewest: Annotated[int, Field(ge=1)]
    """Fewer, before or after, are too few to tell."""
    rates: dict[RateName, RateThreshold]
    percentiles: dict[RanksName, RanksThreshold]


def laid_over(shipped: Any, given: Any) -> Any:
    """What was shipped, with what a file names in its place."""
    if not isinstance(shipped, dict) or not isinstance(given, dict):
        return given
    return {**shipped, **{name: laid_over(shipped.get(name), value) for name, value in given.items()}}
