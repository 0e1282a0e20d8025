"""How much a tenant's programs may report: a bucket of events for each, in this process."""

from dataclasses import dataclass, field
from typing import Final

BURST_S: Final = 4.0
"""So many seconds' worth of events may come at once."""
LEAST_BURST: Final = 100.0
"""The largest request always finds room in a full bucket."""


@dataclass
class Pace:
    """The buckets of all tenants. There are no more of them than tenants that have tokens."""

    per_s: float
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    """How much was left, and when."""

    @property
    def burst(self) -> float:
        """What a full bucket holds."""
        return max(LEAST_BURST, BURST_S * self.per_s)

    def wait_s(self, tenant_id: str, events: int, now: float) -> float:
        """Takes them out of the tenant's bucket, all or none. Gives 0, or after how long there is room for them."""
        left, at = self._left.get(tenant_id, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.per_s)
        wanting = events - left
        self._left[tenant_id] = (left if wanting > 0 else -wanting), now
        return max(0.0, wanting / self.per_s)
