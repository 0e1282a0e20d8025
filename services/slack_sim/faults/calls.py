"""Faults of the Web API: calls that are slow, refused, cut off, or whose answer is lost after they took effect."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["ratelimited", "status", "status_after", "error", "cut", "lost_before", "lost_after"]


class CallFault(BaseModel):
    """What is to go wrong with calls."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    method: str = "*"
    """Which methods, such as `chat.*`."""
    kind: Kind | None = None
    """`ratelimited` and `error` refuse; `status` answers with an HTTP error before anything is done, `status_after`
    when all is done; `cut` breaks off in mid-answer; `lost_before` drops the connection before anything is done,
    `lost_after` when all is done. None only delays."""
    delay_s: float = Field(default=0.0, ge=0)
    """How long the answer is held back."""
    status: int = Field(default=503, ge=400, le=599)
    """With `status` and `status_after`."""
    error: str = "internal_error"
    """With `error`: Slack's code."""
    retry_after_s: int = Field(default=1, ge=0)
    """With `ratelimited`."""
    times: int | None = Field(default=None, ge=1)
    """How many calls it hits; all of them otherwise."""
    share: float = Field(default=1.0, ge=0, le=1)
    """How many of the calls it hits, by chance."""
    app_id: str | None = None
    """Only one app's calls."""


@dataclass
class Standing:
    """A fault, and how often it may still hit."""

    fault: CallFault
    left: int | None


class CallFaults:
    """Every fault that stands."""

    def __init__(self, seed: str) -> None:
        self._chance = Random(f"{seed}/calls")  # noqa: S311 - it picks what goes wrong, and keeps no secret
        self._standing: list[Standing] = []

    def add(self, fault: CallFault) -> None:
        """One more. The first that fits hits."""
        self._standing.append(Standing(fault, fault.times))

    def clear(self) -> None:
        """None any more."""
        self._standing.clear()

    def hitting(self, method: str, app_id: str | None) -> CallFault | None:
        """The fault that hits this call."""
        for standing in self._standing:
            fault = standing.fault
            if not fnmatchcase(method, fault.method) or fault.app_id not in {None, app_id}:
                continue
            if fault.share < 1 and self._chance.random() >= fault.share:
                continue
            if standing.left is not None:
                standing.left -= 1
                if standing.left == 0:
                    self._standing.remove(standing)
            return fault
        return None
