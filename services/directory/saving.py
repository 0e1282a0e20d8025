"""Saving what is known, now and again, for as long as a process runs."""

import asyncio
import logging
from collections.abc import Callable

from services.directory.holding import TenantRecord
from services.directory.snapshot import Snapshot
from services.kit.clock import Clock

log = logging.getLogger(__name__)

EVERY_S = 1.0
SHARE = 20.0
"""A big directory is saved less often: of the time, at most one part in so many goes into it."""


class Saver:
    """Saves when something changed since it last did."""

    def __init__(self, snapshot: Snapshot, records: Callable[[], tuple[TenantRecord, ...]], clock: Clock) -> None:
        self._snapshot, self._records, self._clock = snapshot, records, clock
        self._unsaved = False

    def changed(self) -> None:
        """There is something to save."""
        self._unsaved = True

    async def run(self) -> None:
        """Until it is cancelled."""
        took = 0.0
        while True:
            await asyncio.sleep(max(EVERY_S, SHARE * took))
            began = self._clock.monotonic()
            await self.save()
            took = self._clock.monotonic() - began

    async def save(self) -> None:
        """Once, if there is something to save. What cannot be saved is told, and tried again."""
        if not self._unsaved:
            return
        self._unsaved = False
        try:
            await asyncio.to_thread(self._snapshot.save, self._records(), self._clock.now())
        except (OSError, ValueError) as error:
            self._unsaved = True
            log.warning(
                "the directory's snapshot could not be saved (%s): should this process start again while Postgres is "
                "away, it would know less. Mend THREADLINE_STATE_FOLDER",
                error.strerror if isinstance(error, OSError) else type(error).__name__,
            )
