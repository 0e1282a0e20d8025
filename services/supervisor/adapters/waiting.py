"""Runs that wait for people, and stops that may be about them: what a moment ago was, and no table has yet."""

from collections import OrderedDict
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from schemas.agent import ToolsWanted, WaitingRun
from schemas.stop import StopRequested
from services.kit.clock import Clock
from services.supervisor.adapters.queries import Queries
from services.supervisor.decisions import runs
from services.supervisor.decisions.following import Following

REMEMBERED: Final = timedelta(minutes=1)
MOST: Final = 5_000
Waits = tuple[str, str, WaitingRun]
"""A run, its agent, and how it waits."""


class Waiting:
    """Stops and suspensions come by two topics: whichever comes later meets the other."""

    def __init__(self, queries: Queries, clock: Clock) -> None:
        self._queries, self._clock = queries, clock
        self._stops: OrderedDict[str, StopRequested] = OrderedDict()
        self._asked: OrderedDict[str, ToolsWanted] = OrderedDict()

    def wanted(self, asked: ToolsWanted) -> Iterator[Following]:
        """A run waits; where somebody stopped it a moment ago it is ended at once."""
        self._forget()
        self._asked[asked.run_id] = asked
        yield from runs.waits(asked)
        for stop in self._stops.values():
            yield from runs.stopped(stop, [(asked.run_id, asked.agent_id, asked.run)])

    async def stopped(self, stop: StopRequested) -> Iterator[Following]:
        """Somebody wants runs to end. What was ordered here is no news."""
        self._forget()
        if stop.source == runs.SOURCE:
            return iter(())
        self._stops[stop.stop_id] = stop
        known = await self._queries.waiting_runs(stop.tenant_id, [*self._asked])
        asked = [each for each in self._asked.values() if each.run_id not in known]
        found: list[Waits] = [(each.run_id, each.agent_id, each.run) for each in asked]
        found += [
            (task.task_id, task.agent_id, task.run)
            for task in known.values()
            if task.run is not None and any(each.is_open for each in task.approvals)
        ]
        mine = [each for each in found if each[2].place.tenant_id == stop.tenant_id]
        return runs.stopped(stop, mine)

    def _forget(self) -> None:
        since = self._clock.now() - REMEMBERED
        for kept in (self._stops, self._asked):
            while kept and (len(kept) > MOST or next(iter(kept.values())).at < since):
                kept.popitem(last=False)
