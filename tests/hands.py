"""A clock that stands still until a test moves its hands."""

from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


class Hands:
    """A `services.kit.clock.Clock` for tests."""

    def __init__(self) -> None:
        self.monotonic_s = 1000.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic_s - 1000.0)

    def monotonic(self) -> float:
        return self.monotonic_s
