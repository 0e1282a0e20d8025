"""Open-loop load: what comes next does not wait for what came before, as people do not wait for each other.

Each latency counts from the moment at which the call was due. A system that stalls is charged for everybody who came
while it did, and not only for the one call that was under way.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from services.kit.clock import Clock, SystemClock

Call = Callable[[int], Awaitable[None]]
"""Does the n-th thing, and returns when it is done."""


@dataclass
class Outcome:
    """What came of a load."""

    offered_per_s: float
    latencies_ms: list[float] = field(default_factory=list)
    late_starts_ms: list[float] = field(default_factory=list)
    """How far behind its time each call was begun: the load generator's own fault, and worth a look."""
    failures: list[str] = field(default_factory=list)


async def open_loop(rate: float, count: int, call: Call, clock: Clock | None = None) -> Outcome:
    """Begins `count` calls, `rate` a second, whatever becomes of them; returns when all are done."""
    clock = clock or SystemClock()
    outcome = Outcome(rate)
    begun = clock.monotonic()

    async def one(number: int, due: float) -> None:
        outcome.late_starts_ms.append((clock.monotonic() - due) * 1000)
        try:
            await call(number)
        except Exception as error:  # noqa: BLE001 - whatever it was, it is counted and told
            outcome.failures.append(f"{type(error).__name__}: {error}")
        else:
            outcome.latencies_ms.append((clock.monotonic() - due) * 1000)

    async with asyncio.TaskGroup() as group:
        for number in range(count):
            due = begun + number / rate
            if (ahead := due - clock.monotonic()) > 0:
                await asyncio.sleep(ahead)
            group.create_task(one(number, due))
    return outcome
