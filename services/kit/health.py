"""Whether a process is alive, whether it is ready to work, and why not."""

from collections.abc import Callable
from dataclasses import dataclass, field

Check = Callable[[], str | None]
"""Says what is wrong, or nothing."""


@dataclass
class Health:
    """The checks of one process. Alive: worth keeping. Ready: able to do its work."""

    live: dict[str, Check] = field(default_factory=dict)
    ready: dict[str, Check] = field(default_factory=dict)

    def report(self) -> "HealthReport":
        """What the checks say now."""
        dead, unready = _wrong(self.live), _wrong(self.ready)
        return HealthReport(live=not dead, ready=not dead and not unready, reasons={**unready, **dead})


@dataclass(frozen=True)
class HealthReport:
    """What `/health` answers."""

    live: bool
    ready: bool
    reasons: dict[str, str]
    """By the check's name, what is wrong."""


def _wrong(checks: dict[str, Check]) -> dict[str, str]:
    return {name: reason for name, check in checks.items() if (reason := check()) is not None}
