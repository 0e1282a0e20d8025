"""Takes away what is over for so long that it is not kept any more."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

import asyncpg

from services.directory.faults import DatabaseAway, told
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.partitions import Partition, remove_old
from services.supervisor.decisions.keeping import Keeping

log = logging.getLogger(__name__)

EVERY_S: Final = 3600.0
FIRST_S: Final = 60.0
"""A start has other things to do."""


class Removing:
    """Looks at the partitions in hand, now and then."""

    def __init__(self, given: Given, partitions: Callable[[], Sequence[Partition]]) -> None:
        self._partitions, self._database, self._clock = partitions, given.database, given.instruments.clock
        self._kept = timedelta(days=given.settings.supervisor_keep_days)

    async def run(self) -> None:
        """Until it is cancelled."""
        await asyncio.sleep(FIRST_S)
        while True:
            keeping = Keeping(self._kept, self._clock.now())
            try:
                with told():
                    removed = [
                        await remove_old(self._database, each.number, keeping.before) for each in self._partitions()
                    ]
            except (DatabaseAway, asyncpg.PostgresError) as error:
                log.warning(
                    "tasks that are over for long cannot be taken away (%s); it is tried again in an hour",
                    type(error).__name__,
                )
            else:
                if sum(removed):
                    log.info("%d tasks that were over for %d days are taken away", sum(removed), self._kept.days)
            await asyncio.sleep(EVERY_S)
