"""The gate that every call to Slack goes through: it keeps to Slack's limits, and lets last words overtake edits."""

import asyncio
import heapq
from collections.abc import Hashable
from dataclasses import dataclass, field
from itertools import count

from services.kit.clock import Clock
from services.kit.telemetry.emitter import Emitter
from services.responder import metrics
from services.responder.decisions.pace import EDITS_A_SECOND, Allowance, Urgency, allowances

MOST_ALLOWANCES = 10_000


@dataclass(order=True)
class _Waiting:
    urgency: Urgency
    turn: int
    method: str = field(compare=False)
    channel: str | None = field(compare=False)
    granted: "asyncio.Future[None]" = field(compare=False)


class _Desk:
    """One workspace."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._allowances: dict[str, Allowance] = {}
        self._rests: dict[str, float] = {}
        """By method, until when Slack wants nothing of it."""
        self._timer: asyncio.TimerHandle | None = None
        self._turns = count()

    async def turn(self, method: str, channel: str | None, urgency: Urgency) -> None:
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, _Waiting(urgency, next(self._turns), method, channel, granted))
        self._serve()
        try:
            await granted
        finally:
            if not granted.done():
                granted.cancel()

    def is_free(self, method: str, channel: str | None) -> bool:
        return self._wait_s(method, channel, Urgency.EDIT, self._clock.monotonic()) <= 0

    def rest(self, method: str, seconds: float) -> None:
        self._rests[method] = max(self._rests.get(method, 0.0), self._clock.monotonic() + seconds)

    def _serve(self) -> None:
        """Grants what may go now, the most urgent first; who must wait holds up only what draws on the same."""
        now, soonest = self._clock.monotonic(), float("inf")
        left: list[_Waiting] = []
        while self._waiting:
            one = heapq.heappop(self._waiting)
            if one.granted.done():
                continue
            wait_s = self._wait_s(one.method, one.channel, one.urgency, now)
            if wait_s <= 0:
                for allowance in self._drawn_on(one.method, one.channel, now):
                    allowance.take(now)
                one.granted.set_result(None)
            else:
                soonest = min(soonest, wait_s)
                left.append(one)
        self._waiting = left
        heapq.heapify(self._waiting)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if left:
            self._timer = asyncio.get_running_loop().call_later(soonest, self._serve)
        elif len(self._allowances) > MOST_ALLOWANCES:
            self._allowances = {name: each for name, each in self._allowances.items() if not each.is_full(now)}

    def _wait_s(self, method: str, channel: str | None, urgency: Urgency, now: float) -> float:
        waits = [each.wait_s(now, urgency) for each in self._drawn_on(method, channel, now)]
        return max([self._rests.get(method, 0.0) - now, 0.0, *waits])

    def _drawn_on(self, method: str, channel: str | None, now: float) -> list[Allowance]:
        found = []
        for name, (most, per_s) in allowances(method, channel).items():
            allowance = self._allowances.get(name)
            if allowance is None:
                allowance = self._allowances[name] = Allowance.full(most, per_s, now)
            found.append(allowance)
        return found


class Gate:
    """A desk for each workspace."""

    def __init__(self, clock: Clock, emitter: Emitter) -> None:
        self._clock, self._emitter = clock, emitter
        self._desks: dict[Hashable, _Desk] = {}
        self._edits = Allowance.full(EDITS_A_SECOND, EDITS_A_SECOND, clock.monotonic())

    async def turn(self, workspace: Hashable, method: str, channel: str | None, urgency: Urgency) -> None:
        """Returns when the call may be made."""
        began = self._clock.monotonic()
        if urgency is Urgency.EDIT:
            await asyncio.sleep(self._edits.reserve(began))
        await self._desk(workspace).turn(method, channel, urgency)
        self._emitter.observe(metrics.GATE_SECONDS, self._clock.monotonic() - began, urgency=urgency.name.lower())

    def is_free(self, workspace: Hashable, method: str, channel: str | None) -> bool:
        """Whether an edit could go at once."""
        return self._desk(workspace).is_free(method, channel)

    def rest(self, workspace: Hashable, method: str, seconds: float) -> None:
        """Slack wants nothing of a method for so long."""
        self._desk(workspace).rest(method, seconds)

    def _desk(self, workspace: Hashable) -> _Desk:
        return self._desks.setdefault(workspace, _Desk(self._clock))
