"""What a log must have led to: the decisions of a router to which nothing happens, and what a limit allows."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from services.directory.document import Tenant
from services.router.replay.directories import Directory
from services.router.replay.redeciding import Redecider
from services.router.stream.deciding import Source

SLACK_IN_A_FLOAT = 1e-6


class Undisturbed:
    """What every other router must have decided, too."""

    def __init__(self, tenants: Iterable[Tenant], per_minute: int) -> None:
        self._directory = Directory((each.standing() for each in tenants), per_minute)
        self._redecider = Redecider()

    def decide(self, source: Source) -> dict[str, Any]:
        """The decision, as it stands on audit.decisions."""
        again = self._redecider.decide(source, self._directory.owner)
        decision: dict[str, Any] = json.loads(again.decision.model_dump_json())
        return decision


def over_granted(granted: Mapping[str, list[float]], per_minute: int) -> int:
    """Windows in which a connection was granted more than its capacity and what fills in them."""
    over = 0
    for unsorted in granted.values():
        times = sorted(unsorted)
        over += sum(
            last - first + 1 > per_minute + per_minute / 60 * (times[last] - times[first]) + SLACK_IN_A_FLOAT
            for last in range(len(times))
            for first in range(max(0, last - 3 * per_minute), last + 1)
        )
    return over
