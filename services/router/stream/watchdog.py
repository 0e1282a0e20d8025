"""Ends the process when it stands still for no reason: whoever started it starts it anew, and nothing is lost."""

import logging
import os
from typing import Any

from services.router.stream.flow import Flow, Lanes
from services.router.stream.reading import Reading

log = logging.getLogger(__name__)

STANDS_STILL = 71


class Watchdog:
    """Looks now and then. Who waits for the broker, for Postgres or for an operator does not stand still."""

    def __init__(self, reading: Reading, flow: Flow[Any], lanes: Lanes, most_s: float) -> None:
        self._reading, self._flow, self._lanes = reading, flow, lanes
        self._most_s = most_s
        self._seen: dict[int, int] = {}
        self._since: float | None = None

    def stands_still_s(self, now: float, lag: int) -> float:
        """For how long nothing has moved, though something waits."""
        places = self._reading.places
        watermarks = {number: place.watermark for number, place in places.items()}
        waits = bool(self._lanes.trouble()) or self._flow.parked() > 0 or any(each.halted for each in places.values())
        if lag == 0 or waits or watermarks != self._seen or self._since is None:
            self._seen, self._since = watermarks, now
        return now - self._since

    def look(self, now: float, lag: int) -> None:
        """Ends the process where that is too long."""
        still_s = self.stands_still_s(now, lag)
        if still_s > self._most_s:
            log.critical("%d records wait, and nothing has moved for %.0f s: the process ends", lag, still_s)
            logging.shutdown()
            os._exit(STANDS_STILL)
