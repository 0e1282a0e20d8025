"""Runs that wait for people, and the stops that are about them: whichever is known later meets the other."""

import logging
from collections import OrderedDict
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from schemas.agent import Intervention, ToolsWanted
from schemas.record import CannotRead
from schemas.stop import StopRequested
from schemas.topics import RUNS_STOPS
from services.directory.faults import DatabaseAway
from services.kit.kafka.consumer import Record, onward, reader, record_of
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.queries import Queries
from services.supervisor.adapters.sending import send_all
from services.supervisor.decisions import runs
from services.supervisor.decisions.following import Following

log = logging.getLogger(__name__)

REMEMBERED: Final = timedelta(hours=1)
MOST: Final = 5_000


class Waiting:
    """Every supervisor hears every stop, without a group, from an hour back. What several lead to has one name."""

    def __init__(self, given: Given, queries: Queries) -> None:
        self._settings, self._producer, self._queries = given.settings, given.producer, queries
        self._clock = given.instruments.clock
        self._stops: OrderedDict[str, StopRequested] = OrderedDict()
        self._asked: OrderedDict[str, ToolsWanted] = OrderedDict()

    async def run(self) -> None:
        """Hears stops until it is cancelled."""
        async with reader(self._settings, RUNS_STOPS, self._clock.now() - REMEMBERED) as consumer:
            async for raw in onward(consumer):
                await self._hear(record_of(raw, self._settings.topic_prefix))

    def stood(self, asked: ToolsWanted) -> Iterator[Following]:
        """A run waits since now, as stands in the log; where somebody stopped it meanwhile it is ended."""
        self._forget()
        self._asked[asked.run_id] = asked
        for stop in self._stops.values():
            led_to = runs.stopped(stop, [(asked.run_id, asked.agent_id, asked.run)])
            yield from (each for each in led_to if isinstance(each.event, Intervention))  # who may not was told so

    async def _hear(self, record: Record) -> None:
        try:
            _, event = record.decode()
        except CannotRead as error:
            log.error("a stop cannot be understood, and ends nothing that waits: %s", error)  # noqa: TRY400 - the words say it
            return
        if isinstance(event, StopRequested) and event.source != runs.SOURCE:  # what was ordered here is no news
            self._forget()
            self._stops[event.stop_id] = event
            await send_all(self._producer, await self._about(event))

    async def _about(self, stop: StopRequested) -> list[Following]:
        """Those that wait now, of the tables and of what they have not yet."""
        try:
            known = await self._queries.waiting_runs(stop.tenant_id, [*self._asked])
        except DatabaseAway as fault:
            log.warning("a stop meets only runs that began to wait within the last hour: %s", fault)
            known = {}
        found = [
            (task.task_id, task.agent_id, task.run) for task in known.values() if task.run is not None and task.waits
        ]
        for asked in self._asked.values():
            task = known.get(asked.run_id)
            is_old = task is None or task.run is None or task.run.round < asked.run.round
            if is_old and asked.run.place.tenant_id == stop.tenant_id:
                found.append((asked.run_id, asked.agent_id, asked.run))
        return list(runs.stopped(stop, found))

    def _forget(self) -> None:
        since = self._clock.now() - REMEMBERED
        for kept in (self._stops, self._asked):
            while kept and (len(kept) > MOST or next(iter(kept.values())).at < since):
                kept.popitem(last=False)
