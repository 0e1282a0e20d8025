"""A router to which nothing happens: decides a log in one process, one record after the other."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from schemas.decision import DeadLettered, Ignored
from services.directory.document import Tenant as Described
from services.directory.document import TenantFacts
from services.router.adapters.opening import Opened, opened
from services.router.adapters.tenants import tenant_of
from services.router.decisions.decide import decide
from services.router.decisions.facts import Facts, Tenant
from services.router.decisions.outcome import Outcome
from services.router.stream.deciding import Source
from services.router.stream.memory import Memory
from services.router.stream.row import Row

SLACK_IN_A_FLOAT = 1e-6


class Undisturbed:
    """What every other router must have decided, too."""

    def __init__(self, tenants: Iterable[Described], per_minute: int) -> None:
        self._tenants: dict[str, Tenant] = {
            each.connections[0].workspace: tenant_of(_facts(each), per_minute) for each in tenants
        }
        self._memories: dict[int, Memory] = defaultdict(Memory)

    def decide(self, source: Source) -> dict[str, Any]:
        """The decision, as it stands on audit.decisions."""
        found = opened(source)
        memory = self._memories[source.partition]
        now = max(memory.clock, found.at)
        outcome = self._outcome(found, memory, now)
        memory.keep(source.offset, Row(now, memory.lasting(outcome.changes, now), outcome.changes, b""))
        memory.settle(source.offset)
        decision: dict[str, Any] = json.loads(outcome.decision.model_dump_json())
        return decision

    def _outcome(self, found: Opened, memory: Memory, now: float) -> Outcome:
        if found.dead is not None:
            return Outcome(DeadLettered(reason=found.dead.reason))
        if found.event is None:
            return Outcome(Ignored(reason="unknown_event"))
        tenant = self._tenants.get(found.event.connection.partition(":")[2])
        return decide(found.event, Facts(tenant, 0, memory), datetime.fromtimestamp(now, UTC))


def _facts(tenant: Described) -> TenantFacts:
    return TenantFacts.model_validate(tenant.model_dump(exclude={"installations"}))


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
