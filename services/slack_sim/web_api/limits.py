"""Rate limits: so many calls a minute of a method, by app and workspace, and about one message a second a channel."""

import math
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.slack_sim.world.moments import Moments

TIERS = {1: 1, 2: 20, 3: 50, 4: 100}
"""Calls a minute. A larger number is a limit of its own."""
MINUTE_S = 60.0


class RateLimits(BaseModel):
    """What can be adjusted about rate limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    on: bool = True
    """Whether any call is refused for coming too often."""
    times: float = Field(default=1.0, gt=0)
    """How many times as much as Slack is allowed."""
    per_minute: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """Calls a minute for methods that are to have a limit of their own."""
    posts_per_second: float = Field(default=1.0, gt=0)
    """Messages a second to one channel."""
    posts_burst: int = Field(default=5, ge=1)
    """How many of them may come at once."""
    posts_per_minute: int = Field(default=300, ge=1)
    """Messages a minute in a whole workspace."""


@dataclass(slots=True)
class Bucket:
    """What is left of an allowance."""

    left: float
    at: float


class Limits:
    """Counts calls, and says how long to wait."""

    def __init__(self, moments: Moments) -> None:
        self.rules = RateLimits()
        self._moments = moments
        self._buckets: dict[tuple[str, ...], Bucket] = {}

    def take(self, method: str, tier: int | None, who: tuple[str, str]) -> int | None:
        """Takes one call from a method's allowance; else the seconds to wait."""
        per_minute = self.rules.per_minute.get(method, TIERS.get(tier, tier) if tier else None)
        if not self.rules.on or per_minute is None:
            return None
        allowed = per_minute * self.rules.times
        return self._wait([((method, *who), allowed, allowed / MINUTE_S)])

    def take_post(self, channel: str, who: tuple[str, str]) -> int | None:
        """Takes one message from a channel's and the workspace's allowance; else the seconds to wait."""
        rules = self.rules
        if not rules.on:
            return None
        whole = rules.posts_per_minute * rules.times
        return self._wait(
            [
                (("post", channel, *who), rules.posts_burst * rules.times, rules.posts_per_second * rules.times),
                (("posts", *who), whole, whole / MINUTE_S),
            ]
        )

    def forget_all(self) -> None:
        """Everybody has their whole allowance again."""
        self._buckets.clear()

    def _wait(self, wanted: list[tuple[tuple[str, ...], float, float]]) -> int | None:
        """Takes one from each of some buckets, or from none: then the seconds until all of them have one."""
        now = self._moments.now()
        buckets = []
        wait = 0.0
        for name, capacity, rate in wanted:
            most = max(1.0, capacity)
            bucket = self._buckets.setdefault(name, Bucket(most, now))
            bucket.left = min(most, bucket.left + (now - bucket.at) * rate)
            bucket.at = now
            buckets.append(bucket)
            if bucket.left < 1:
                wait = max(wait, (1 - bucket.left) / rate)
        if wait:
            return max(1, math.ceil(wait))
        for bucket in buckets:
            bucket.left -= 1
        return None
