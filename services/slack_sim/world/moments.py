"""The time in the simulated Slack: it can be advanced, and what is due then happens at once."""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from services.kit.clock import Clock
from services.slack_sim.world.entities import Counters

FIXED_START_US = 1_700_000_000 * 10**6
"""Where time begins under a seed."""
FIXED_STEP_US = 1000


@dataclass(order=True, slots=True)
class Timer:
    """Something that is to happen. Setting `then` to nothing calls it off."""

    due: float
    number: int
    then: Callable[[], None] | None = field(compare=False)


class Moments:
    """What time it is there, and what is due when."""

    def __init__(self, clock: Clock, counters: Counters) -> None:
        self._clock = clock
        self._counters = counters
        self._timers: list[Timer] = []
        self._number = 0
        self._armed: asyncio.TimerHandle | None = None
        self._armed_for = float("inf")

    def now(self) -> float:
        """Seconds since 1970, as far ahead as it was advanced. Lifetimes are measured by it."""
        return self._clock.now().timestamp() + self._counters.ahead_s

    def really(self) -> float:
        """The machine's own time, which signatures must carry."""
        return self._clock.now().timestamp()

    def stamp(self) -> str:
        """A ts that no message had before."""
        counters = self._counters
        counters.last_us = us = max(self._calendar_us(), counters.last_us + (FIXED_STEP_US if counters.fixed else 1))
        return f"{us // 10**6}.{us % 10**6:06d}"

    def seconds(self) -> int:
        """The time as events tell it: under a seed, that of the last message."""
        counters = self._counters
        return max(self._calendar_us(), counters.last_us) // 10**6 if counters.fixed else int(self.now())

    def _calendar_us(self) -> int:
        if self._counters.fixed:
            return FIXED_START_US + int(self._counters.advanced_s * 10**6)
        return int(self.now() * 10**6)

    async def advance(self, seconds: float, before_each: Callable[[], Awaitable[None]]) -> None:
        """Moves time forward. What is due within it happens in its order, each at its time."""
        left = seconds
        await before_each()
        while self._timers and (gap := self._timers[0].due - self.now()) <= left:
            if self._timers[0].then is None:
                heapq.heappop(self._timers)
                continue
            self._counters.ahead_s += max(0.0, gap)
            left -= max(0.0, gap)
            self._run_next()
            await before_each()
        self._counters.ahead_s += left
        self._counters.advanced_s += seconds
        self._arm()

    def after(self, seconds: float, then: Callable[[], None]) -> Timer:
        """Has something happen later."""
        self._number += 1
        timer = Timer(self.now() + seconds, self._number, then)
        heapq.heappush(self._timers, timer)
        if timer.due < self._armed_for:
            self._arm()
        return timer

    def forget_all(self) -> None:
        """Calls everything off."""
        self._timers.clear()
        if self._armed is not None:
            self._armed.cancel()
        self._armed, self._armed_for = None, float("inf")

    def _run(self) -> None:
        self._armed, self._armed_for = None, float("inf")
        while self._timers and (self._timers[0].then is None or self._timers[0].due <= self.now()):
            self._run_next()
        self._arm()

    def _run_next(self) -> None:
        then = heapq.heappop(self._timers).then
        if then is not None:
            then()

    def _arm(self) -> None:
        if self._armed is not None:
            self._armed.cancel()
        if not self._timers:
            self._armed, self._armed_for = None, float("inf")
            return
        self._armed_for = self._timers[0].due
        self._armed = asyncio.get_running_loop().call_later(max(0.0, self._armed_for - self.now()), self._run)
