"""Every run of this process: which waits, which goes on, and which of them a stop is about."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from schemas.command import Place
from schemas.stop import StopRequested
from schemas.stopping import Stoppable, is_about, may_end
from schemas.topics import RUNS_COMMANDS
from services.kit.fault import where_of
from services.kit.kafka.consumer import processing
from services.kit.telemetry.instruments import Instruments
from services.responder import metrics
from services.responder.adapters.life import Life
from services.responder.adapters.run import Run
from services.responder.decisions.effects import Subject
from services.responder.decisions.starting import Bounds, Starting

log = logging.getLogger(__name__)

DROPPED_WITHIN_S: Final = 5.0
REFUSAL_IS_NEWS: Final = timedelta(minutes=1)
ENDED_IS_NEWS_S, MOST_ENDED = 600.0, 1_000
"""How long, and of how many runs, it is known that they were there."""
MOST_UNACCOUNTED: Final = 500
"""So many runs may be over of which no audit knows yet; then none is started until it does."""
TOO_LATE_AFTER_S: Final = 2.0
"""A stop may come before its run: only then is it said that it came behind one."""


@dataclass(eq=False)
class _Held:
    run: Run
    done: list[Callable[[], None]]
    task: "asyncio.Task[None] | None" = None
    is_dropped: bool = False
    has_thread: bool = False
    """Whether the next in its thread waits for it."""


@dataclass(frozen=True)
class Ended:
    """A run that is over, as a stop that came too late must know it."""

    stoppable: Stoppable
    subject: Subject
    place: Place
    at: float


class Runs:
    """Starts them when it is their turn, and tells them of stops."""

    def __init__(self, life: Life, bounds: Bounds, kept: timedelta, instruments: Instruments) -> None:
        self._life, self._kept, self._tracer = life, kept, instruments.tracer
        self._clock, self._emitter = instruments.clock, instruments.emitter
        self._refused: set[tuple[str, str]] = set()
        self._starting: Starting[_Held] = Starting(bounds)
        self._held: dict[str, _Held] = {}
        self._stops: dict[str, StopRequested] = {}
        self._ended: OrderedDict[str, Ended] = OrderedDict()
        self._waiting: OrderedDict[str, Stoppable] = OrderedDict()
        """Runs that wait for people: who asks those hears of stops, too, and ends them."""
        self._unaccounted = 0
        self.ended = 0
        """How many, since it began."""
        self._met: set[str] = set()
        """Stops that were about some run here."""
        self.refused: Callable[[StopRequested, Run], None] = lambda *_: None
        """Hears of a stop whose asker may not end the run."""
        self.too_late: Callable[[StopRequested, Ended], None] = lambda *_: None
        """Hears of a stop that was about nothing but a run that was over."""
        self.failed: Callable[[BaseException], None] = lambda _: None
        """Hears of what was not foreseen."""

    def take(self, run: Run, done: Callable[[], None]) -> None:
        """One more. `done` hears that all it led to stands."""
        held = self._held.get(run.name)
        if held is not None:
            log.warning("run %s was asked for twice under different names; it is answered once", run.command.run_id)
            self._emitter.count(metrics.REPEATED)
            held.done.append(done)
            return
        self._waiting.pop(run.command.run_id, None)
        held = self._held[run.name] = _Held(run, [done])
        run.told = partial(self._look_again, held)
        self._look_again(held)
        self._starting.add(run.subject.tenant_id, run.subject.key, held)
        self._go_on()

    def hear(self, stop: StopRequested) -> None:
        """Somebody wants runs to end."""
        now = self._clock.now()
        if stop.stop_id in self._stops or now - stop.at > self._kept:
            return
        self._stops = {name: each for name, each in self._stops.items() if now - each.at <= self._kept}
        self._stops[stop.stop_id] = stop
        self._met &= self._stops.keys()
        for held in list(self._held.values()):
            self._end(held, stop)
        if now - stop.at < REFUSAL_IS_NEWS:
            asyncio.get_running_loop().call_later(TOO_LATE_AFTER_S, self._look_back, stop)

    async def drop(self, partitions: frozenset[int]) -> None:
        """Others have these partitions now: returns when nothing more is done for their runs here."""
        ending = []
        for name, held in list(self._held.items()):
            if held.run.subject.partition in partitions:
                del self._held[name]
                held.is_dropped = True
                if held.task is not None:
                    held.task.cancel()
                    ending.append(held.task)
        if ending:
            await asyncio.wait(ending, timeout=DROPPED_WITHIN_S)

    async def leave(self) -> None:
        """Ends everything where it is."""
        await self.drop(frozenset(held.run.subject.partition for held in self._held.values()))

    @property
    def running(self) -> int:
        """How many go on."""
        return self._starting.running

    def tell(self) -> None:
        """Sets the gauges."""
        self._emitter.set(metrics.RUNNING, self.running)
        self._emitter.set(metrics.WAITING, self._starting.waiting)

    def _look_again(self, held: _Held) -> None:
        """A stop may have named a message that is known only now, or have come before its run."""
        for stop in self._stops.values():
            self._end(held, stop)

    def _look_back(self, stop: StopRequested) -> None:
        """A stop that met nothing may be about what is over since a moment."""
        if stop.stop_id in self._met or any(is_about(stop, each) for each in self._waiting.values()):
            return
        since = self._clock.monotonic() - ENDED_IS_NEWS_S
        found = next((each for each in reversed(self._ended.values()) if is_about(stop, each.stoppable)), None)
        if found is not None and found.at >= since:
            self.too_late(stop, found)

    def _is_over(self, run: Run) -> None:
        if run.waits:
            self._waiting[run.command.run_id] = run.stoppable
            while len(self._waiting) > MOST_ENDED:
                self._waiting.popitem(last=False)
            return
        self.ended += 1
        self._ended[run.command.run_id] = Ended(run.stoppable, run.subject, run.command.place, self._clock.monotonic())
        while len(self._ended) > MOST_ENDED:
            self._ended.popitem(last=False)

    def _end(self, held: _Held, stop: StopRequested) -> None:
        run = held.run
        if not is_about(stop, run.stoppable) or run.is_over:
            return
        self._met.add(stop.stop_id)
        if run.waits:
            return
        if may_end(stop, run.stoppable):
            run.end_by(stop)
        elif (stop.stop_id, run.command.run_id) not in self._refused:
            self._refused.add((stop.stop_id, run.command.run_id))
            if self._clock.now() - stop.at < REFUSAL_IS_NEWS:
                self.refused(stop, run)

    def _go_on(self) -> None:
        if self._unaccounted >= MOST_UNACCOUNTED:
            return
        for held in self._starting.next():
            held.has_thread = True
            held.task = asyncio.create_task(self._live(held))

    async def _live(self, held: _Held) -> None:
        """The next in its thread begins when it is over; it is done with when the audit knows of it."""
        try:
            if not held.is_dropped:
                await self._live_and_account(held)
        except asyncio.CancelledError:
            if not held.is_dropped:
                self.failed(RuntimeError("a run was cancelled by nobody of ours"))
        except Exception as error:  # noqa: BLE001 - the process ends, and its successor begins where this one was
            log.error("run %s ended in a way that was not foreseen: %s", held.run.command.run_id, where_of(error))  # noqa: TRY400 - its words could quote people
            self.failed(error)
        else:
            if not held.is_dropped:
                self._held.pop(held.run.name, None)
                for done in held.done:
                    done()
        self._leave_thread(held)

    async def _live_and_account(self, held: _Held) -> None:
        run = held.run
        with processing(RUNS_COMMANDS, run.subject.command_id, run.trace, self._tracer) as span:
            span.set_attribute("threadline.run_id", run.command.run_id)
            await self._life.live(run)
            span.set_attribute("threadline.run_ended", run.phase)
            self._is_over(run)
            self._leave_thread(held)
            await self._account(run)

    async def _account(self, run: Run) -> None:
        self._unaccounted += 1
        try:
            await self._life.account(run)
        finally:
            self._unaccounted -= 1
            self._go_on()

    def _leave_thread(self, held: _Held) -> None:
        if held.has_thread:
            held.has_thread = False
            self._starting.done(held)
            self._go_on()
