"""Ends the process when a partition stands still for no reason: whoever started it starts it anew. Nothing is lost."""

import logging
import os
from collections.abc import Mapping
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
        self._since: dict[int, tuple[int, float]] = {}
        """By partition, a watermark, and since when it stands there without a reason."""

    def stands_still_s(self, now: float, lags: Mapping[int, int]) -> float:
        """For how long the slowest partition has not moved, though something waits in it."""
        since = {}
        for number, lag in lags.items():
            place = self._reading.places[number]
            before = self._since.get(number)
            reason = lag == 0 or place.halted is not None or self._flow.waits(number) or bool(self._lanes.trouble())
            stands = before is not None and before[0] == place.watermark and not reason
            since[number] = before if stands and before is not None else (place.watermark, now)
        self._since = since
        return now - min((at for _, at in since.values()), default=now)

    def look(self, now: float, lags: Mapping[int, int]) -> None:
        """Ends the process where that is too long."""
        still_s = self.stands_still_s(now, lags)
        if still_s > self._most_s:
            log.critical("records wait, and nothing has moved for %.0f s: the process ends", still_s)
            logging.shutdown()
            os._exit(STANDS_STILL)
