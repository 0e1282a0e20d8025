"""Whether the supervisor can be reached, told in the log when that changes."""

import time

from threadline_agent.address import Address
from threadline_agent.notices import LOG

QUIET_S = 60.0


class Reach:
    """One line when it goes away and one when it is back, whoever notices; and one where people must mend something."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._told_at: float | None = None
        self._told: set[str] = set()
        self.why: str | None = None
        """Nothing while it can be reached."""

    def lost(self, why: str, *, mend: str = "") -> None:
        """It could not be reached, or took nothing."""
        self.why = why
        now = time.monotonic()
        quiet = not mend and self._told_at is not None and now - self._told_at < QUIET_S
        if mend in self._told or quiet or (self._told and not mend):
            return
        self._told.add(mend)
        self._told_at = now
        LOG.warning(
            "nothing reaches the supervisor at %s: %s; the agent goes on, what it reports is kept and sent later%s",
            self._address,
            why,
            f" ({mend})" if mend else "",
        )

    def found(self) -> None:
        """It answered."""
        self.why = None
        if self._told:
            self._told.clear()
            LOG.info("the supervisor at %s is back", self._address)
