"""Whether a model that failed is asked again, when, or another in its place."""

from dataclasses import dataclass
from typing import Final

from services.responder.decisions.words import Trouble

PASSING: Final[frozenset[Trouble]] = frozenset(
    {"rate_limited", "overloaded", "unavailable", "timeout", "connection", "broken_answer"}
)
"""Troubles that are often over soon."""
NOT_THE_PROVIDERS: Final[frozenset[Trouble]] = frozenset({"rejected", "too_long", "filtered", "no_such_model"})
"""Troubles of this one question or model, which say nothing about the provider."""
TRIES: Final = 3
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0
LONGEST_WAIT_S: Final = 30.0
"""Longer than that nobody is kept waiting for a provider that names a time."""
FAILURES_TO_OPEN: Final = 5
OPEN_S: Final = 30.0


def pause_before(tried: int, trouble: Trouble, wanted_s: float | None, chance: float) -> float | None:
    """How long to wait before the same model is asked again; none where that makes no sense.

    `chance` between 0 and 1 spreads those who wait, so that they do not all come back at once.
    """
    if trouble not in PASSING or tried >= TRIES:
        return None
    if wanted_s is not None:
        return wanted_s + chance if wanted_s <= LONGEST_WAIT_S else None
    doubled: float = FIRST_PAUSE_S * 2.0 ** (tried - 1)
    return min(LONGEST_PAUSE_S, doubled) * (0.5 + chance)


@dataclass
class Breaker:
    """A provider that failed again and again is left alone for a while, and then tried once."""

    failures: int = 0
    open_until: float = float("-inf")
    is_trying: bool = False

    def may_ask(self, now: float) -> bool:
        """Whether it is asked at all."""
        if self.failures < FAILURES_TO_OPEN:
            return True
        if now < self.open_until or self.is_trying:
            return False
        self.is_trying = True
        return True

    def answered(self) -> None:
        """It works."""
        self.failures, self.is_trying = 0, False

    def failed(self, trouble: Trouble, now: float) -> None:
        """It does not. What is wrong with one question is not held against it."""
        self.is_trying = False
        if trouble not in NOT_THE_PROVIDERS:
            self.failures += 1
            self.open_until = now + OPEN_S

    def let_be(self) -> None:
        """Nobody waits for the answer any more: it says nothing about the provider."""
        self.is_trying = False
