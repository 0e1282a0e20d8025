"""Processes that are killed, told to leave, held up, gone for a while, or joined by another."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.beds.worker import Worker
from bench.chaos.faults.kind import FaultKind, Struck
from bench.chaos.stage import READY_WITHIN_S, Stage

AGAIN_AFTER_S = (0.2, 1.5)
"""How long somebody has been starting who is struck once more."""


@dataclass(frozen=True)
class Part:
    """What can be ended and started, whatever it is."""

    kill: Callable[[], Awaitable[None]]
    leave: Callable[[], Awaitable[None]]
    start: Callable[[], Awaitable[None]]
    hold_up: Callable[[], None]
    let_go: Callable[[], None]


def parts(stage: Stage, place: str) -> list[Part]:
    """Those that stand at a place: the first of them is struck, where only one is."""
    broker, database = stage.ground.broker, stage.ground.database
    match place:
        case "kafka":
            return [Part(broker.kill, broker.stop, broker.start, broker.hold_up, broker.let_go)]
        case "postgres":
            return [Part(database.kill, database.stop, database.start, database.hold_up, database.let_go)]
        case "everything":
            named = ("kafka", "postgres", "router", "responder", "ingress")
            return [part for each in named for part in parts(stage, each)]
        case _:
            return [_of(worker) for worker in stage.workers[place]]


def _of(worker: Worker) -> Part:
    def hold_up() -> None:
        if worker.child is not None:
            worker.child.hold_up()

    def let_go() -> None:
        if worker.child is not None:
            worker.child.let_go()

    return Part(
        kill=lambda: worker.end(gently=False),
        leave=lambda: worker.end(gently=True),
        start=worker.start,
        hold_up=hold_up,
        let_go=let_go,
    )


def _struck(struck: Struck) -> list[Part]:
    found = parts(struck.stage, struck.scenario.place)
    return found if struck.scenario.place == "everything" else found[:1]


async def _end(found: list[Part], *, gently: bool) -> None:
    """All at once."""
    await asyncio.gather(*(part.leave() if gently else part.kill() for part in found))


async def _start(found: list[Part]) -> None:
    """One after the other, as they need each other."""
    for part in found:
        await part.start()


@asynccontextmanager
async def _kill(struck: Struck) -> AsyncIterator[None]:
    """Kill -9, and started again at once; as often as it is told, each time before it could settle."""
    await _again_and_again(struck, gently=False)
    yield


@asynccontextmanager
async def _terminate(struck: Struck) -> AsyncIterator[None]:
    """SIGTERM, and started again; as often as it is told."""
    await _again_and_again(struck, gently=True)
    yield


async def _again_and_again(struck: Struck, *, gently: bool) -> None:
    found = _struck(struck)
    for time in range(struck.scenario.fault.told.get("times", 1)):
        if time > 0:
            await asyncio.sleep(struck.chance.uniform(*AGAIN_AFTER_S))
        await _end(found, gently=gently)
        await _start(found)


@asynccontextmanager
async def _pause(struck: Struck) -> AsyncIterator[None]:
    """Held up, and let go: it does not know that time passed."""
    found = _struck(struck)
    for part in found:
        part.hold_up()
    try:
        yield
    finally:
        for part in found:
            part.let_go()


@asynccontextmanager
async def _absence(struck: Struck) -> AsyncIterator[None]:
    """Kill -9, and gone for as long as it lasts."""
    found = _struck(struck)
    await _end(found, gently=False)
    yield
    await _start(found)


@asynccontextmanager
async def _rolling(struck: Struck) -> AsyncIterator[None]:
    """Each process is told to leave and started again, one after the other, as in an upgrade."""
    for worker in list(struck.stage.workers[struck.scenario.place]):
        await worker.end(gently=True)
        await worker.start()
        await worker.until_ready(READY_WITHIN_S)
    yield


@asynccontextmanager
async def _rebalance(struck: Struck) -> AsyncIterator[None]:
    """Another process joins, and leaves again: kill -9, or told to."""
    place = struck.scenario.place
    another = struck.stage.worker(place, len(struck.stage.workers[place]))
    await another.start()
    await another.until_ready(READY_WITHIN_S)
    yield
    await another.end(gently=struck.chance.random() < 0.5)  # noqa: PLR2004 - a coin


KINDS = {
    "kill": FaultKind(_kill),
    "terminate": FaultKind(_terminate),
    "pause": FaultKind(_pause),
    "absence": FaultKind(_absence),
    "rolling_restart": FaultKind(_rolling),
    "rebalance": FaultKind(_rebalance),
}
