"""Every run of this process: which waits, which goes on, and which of them a stop is about."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from schemas.stop import StopRequested
from services.kit.clock import Clock
from services.kit.telemetry.emitter import Emitter
from services.responder import metrics
from services.responder.adapters.life import Life, Run
from services.responder.decisions.starting import Bounds, Starting
from services.responder.decisions.stopping import is_about, may_end

log = logging.getLogger(__name__)

STOPS_ARE_KEPT: Final = timedelta(hours=1)


@dataclass(eq=False)
class _Held:
    run: Run
    done: Callable[[], None]
    task: "asyncio.Task[None] | None" = None
    is_dropped: bool = field(default=False)


class Runs:
    """Starts them when it is their turn, and tells them of stops."""

    def __init__(self, life: Life, bounds: Bounds, clock: Clock, emitter: Emitter) -> None:
        self._life, self._clock, self._emitter = life, clock, emitter
        self._starting: Starting[_Held] = Starting(bounds)
        self._held: dict[str, _Held] = {}
        self._stops: dict[str, StopRequested] = {}
        self.refused: Callable[[StopRequested, Run], None] = lambda *_: None
        """Hears of a stop whose asker may not end the run."""
        self.failed: Callable[[BaseException], None] = lambda _: None
        """Hears of what was not foreseen."""

    def take(self, run: Run, done: Callable[[], None]) -> None:
        """One more. `done` hears that all it led to stands."""
        if run.command.run_id in self._held:
            log.warning("run %s was asked for twice under different names; it is answered once", run.command.run_id)
            self._emitter.count(metrics.REPEATED)
            done()
            return
        held = _Held(run, done)
        self._held[run.command.run_id] = held
        for stop in self._stops.values():
            self._end(held, stop)
        self._starting.add(run.subject.tenant_id, run.subject.key, held)
        self._go_on()

    def hear(self, stop: StopRequested) -> None:
        """Somebody wants runs to end."""
        now = self._clock.now()
        if stop.stop_id in self._stops or now - stop.at > STOPS_ARE_KEPT:
            return
        self._stops = {name: each for name, each in self._stops.items() if now - each.at <= STOPS_ARE_KEPT}
        self._stops[stop.stop_id] = stop
        for held in list(self._held.values()):
            self._end(held, stop)

    def drop(self, partitions: frozenset[int]) -> None:
        """Others have these partitions now: nothing more is done for their runs here."""
        for name, held in list(self._held.items()):
            if held.run.subject.partition in partitions:
                del self._held[name]
                held.is_dropped = True
                if held.task is not None:
                    held.task.cancel()

    async def leave(self) -> None:
        """Ends everything where it is."""
        tasks = [held.task for held in self._held.values() if held.task is not None]
        self.drop(frozenset(held.run.subject.partition for held in self._held.values()))
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def count(self) -> int:
        """How many are known."""
        return len(self._held)

    def tell(self) -> None:
        """Sets the gauges."""
        self._emitter.set(metrics.RUNNING, self._starting.running)
        self._emitter.set(metrics.WAITING, self._starting.waiting)

    def _end(self, held: _Held, stop: StopRequested) -> None:
        run = held.run
        if not is_about(stop, run.stoppable) or run.is_over:
            return
        if may_end(stop, run.stoppable):
            run.end_by(stop)
        else:
            self.refused(stop, run)

    def _go_on(self) -> None:
        for held in self._starting.next():
            held.task = asyncio.create_task(self._live(held))

    async def _live(self, held: _Held) -> None:
        try:
            if not held.is_dropped:
                await self._life.live(held.run)
        except asyncio.CancelledError:
            pass  # others go on with it
        except Exception as error:
            log.exception("run %s ended in a way that was not foreseen", held.run.command.run_id)
            self.failed(error)
        else:
            if not held.is_dropped:
                self._held.pop(held.run.command.run_id, None)
                held.done()
        self._starting.done(held)
        self._go_on()


def since(now: datetime) -> datetime:
    """From when on stops are read."""
    return now - STOPS_ARE_KEPT
