"""Whether the supervisor can be reached, told in the log when that changes."""

import time

from threadline_agent.address import Address
from threadline_agent.notices import LOG

QUIET_S = 60.0


class Reach:
    """One line when it goes away and one when it is back, however many threads notice."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._told_at: float | None = None
        self._was_told = False
        self.why: str | None = None
        """Nothing while it can be reached."""

    def lost(self, why: str, *, mend: str = "") -> None:
        """It could not be reached, or took nothing."""
        was, self.why = self.why, why
        now = time.monotonic()
        if was is None and (self._told_at is None or now - self._told_at > QUIET_S):
            self._told_at = now
            self._was_told = True
            LOG.warning(
                "nothing reaches the supervisor at %s: %s; the agent goes on, what it reports is kept and sent later%s",
                self._address,
                why,
                f" ({mend})" if mend else "",
            )

    def found(self) -> None:
        """It answered."""
        self.why = None
        if self._was_told:
            self._was_told = False
            LOG.info("the supervisor at %s is back", self._address)
