"""What the simulator remembers of calls: the last ones whole, and counts of all."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

MOST_UNKNOWN = 1000
"""How many unknown methods are counted by their names."""


@dataclass(slots=True)
class ApiCall:
    """One call of the Web API. Tokens are not in it."""

    number: int
    method: str
    app_id: str | None
    team_id: str | None
    arguments: dict[str, Any]
    at: float
    status: int = 0
    """0 until it is answered."""
    error: str | None = None
    took_ms: float = 0.0
    fault: str | None = None
    answer: dict[str, Any] | None = None


class Calls:
    """The last calls, and how many there were of each method and outcome."""

    def __init__(self, kept: int) -> None:
        self.last: deque[ApiCall] = deque(maxlen=kept)
        self.counts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.unknown: Counter[str] = Counter()
        """Methods that there are not, by name."""
        self.watchers: list[Callable[[ApiCall], None]] = []
        self._number = 0

    def begin(self, method: str, at: float) -> ApiCall:
        """A call comes in."""
        self._number += 1
        call = ApiCall(self._number, method, None, None, {}, at)
        self.last.append(call)
        return call

    def end(self, call: ApiCall) -> None:
        """It is answered."""
        if call.error == "unknown_method":
            named = call.method in self.unknown or len(self.unknown) < MOST_UNKNOWN
            self.unknown[call.method if named else "others"] += 1
        else:
            self.counts[call.method] += 1
        if call.error is not None:
            name = f"{call.method} {call.error}"
            known = name in self.errors or len(self.errors) < MOST_UNKNOWN
            self.errors[name if known else "others"] += 1
        for watcher in self.watchers:
            watcher(call)

    def forget_all(self) -> None:
        """Forgets them."""
        self.last.clear()
        self.counts.clear()
        self.errors.clear()
        self.unknown.clear()
