"""What a service's `/metrics` page says, and how fast its counters grow."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field

WINDOW_S = 60.0


def sums(page: str, names: Collection[str]) -> dict[str, float]:
    """For each of these metrics that stands on the page, its value, all labels together."""
    found: dict[str, float] = {}
    for line in page.splitlines():
        name = line.partition(" ")[0].partition("{")[0]
        if name in names:
            found[name] = found.get(name, 0.0) + float(line.rpartition(" ")[2])
    return found


@dataclass
class Pace:
    """How much a counter grew within the last minute. A process that was started anew counts from nothing."""

    _seen: deque[tuple[float, float]] = field(default_factory=deque)
    """Moments, and what all processes together had counted by then."""
    _last: float | None = None

    def hear(self, now: float, value: float) -> None:
        """The counter stands there now."""
        before = self._seen[-1][1] if self._seen else 0.0
        last = value if self._last is None else self._last
        grown = value - last if value >= last else value
        self._last = value
        self._seen.append((now, before + grown))
        while len(self._seen) > 1 and self._seen[1][0] <= now - WINDOW_S:
            self._seen.popleft()

    def a_minute(self) -> float | None:
        """None until it was heard of."""
        return self._seen[-1][1] - self._seen[0][1] if self._seen else None
