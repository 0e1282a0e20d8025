"""Notices that this process stood still for so long that others have its work: then it ends, and says nothing more."""

import asyncio
import logging
import os

from services.kit.clock import Clock

log = logging.getLogger(__name__)

STOOD_STILL = 72
BEATS = 10.0
"""In each session."""


class Pulse:
    """Beats as long as the process runs. A paused one must not write what it decided with what it knew before."""

    def __init__(self, clock: Clock, session_s: float) -> None:
        self._clock, self._session_s = clock, session_s
        self._beat_at = clock.monotonic()

    async def run(self) -> None:
        """Beats until it is cancelled."""
        while True:
            self.check()
            self._beat_at = self._clock.monotonic()
            await asyncio.sleep(self._session_s / BEATS)

    def missed_s(self) -> float:
        """How long there was no beat."""
        return self._clock.monotonic() - self._beat_at

    def check(self) -> None:
        """Ends the process where it missed a whole session."""
        if self.missed_s() > self._session_s:
            log.critical("the process stood still for %.0f s: others have its partitions, so it ends", self.missed_s())
            logging.shutdown()
            os._exit(STOOD_STILL)
