"""How much a tenant's programs may report: an allowance of events for each, in this process."""

from dataclasses import dataclass, field
from typing import Final

from services.supervisor.decisions.allowance import Allowance

BURST_S: Final = 4.0
"""So many seconds' worth of events may come at once."""
LEAST_BURST: Final = 100.0
"""The largest request always finds room in a full one."""


@dataclass
class Pace:
    """The allowances of all tenants. There are no more of them than tenants that have tokens."""

    per_s: float
    _of: dict[str, Allowance] = field(default_factory=dict)

    @property
    def burst(self) -> float:
        """What may come at once."""
        return max(LEAST_BURST, BURST_S * self.per_s)

    def wait_s(self, tenant_id: str, events: int, now: float) -> float:
        """Takes them from the tenant's allowance, all or none. Gives 0, or after how long there is room for them."""
        allowance = self._of.get(tenant_id)
        if allowance is None:
            allowance = self._of[tenant_id] = Allowance.full(self.burst, self.per_s, now)
        wait_s = allowance.wait_s(now, events)
        if wait_s <= 0:
            allowance.take(now, events)
        return wait_s
