"""Disks that are full, and disks that are slow."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from bench.beds.child import Child, child
from bench.chaos.faults.kind import FaultKind, Struck

SYNCS = "fsync,fdatasync,msync,sync_file_range"
ATTACHED_WITHIN_S = 10.0


@asynccontextmanager
async def _full(struck: Struck) -> AsyncIterator[None]:
    """Nothing more fits, and then there is room again. Who ended meanwhile is started again."""
    stage, place = struck.stage, struck.scenario.place
    disk = stage.disks[place]
    await asyncio.to_thread(disk.fill)
    try:
        yield
    finally:
        disk.empty()
    broker, database = stage.ground.broker, stage.ground.database
    if place == "kafka" and (broker.child is None or not broker.child.is_running):
        await broker.kill()
        await broker.start()
    if place == "postgres" and (database.child is None or not database.child.is_running):
        await database.kill()
        await database.start()


def _no_disk(struck: Struck) -> str | None:
    if struck.scenario.place in struck.stage.disks:
        return None
    return "a small disk must be mounted, which only root may do"


@asynccontextmanager
async def _slow(struck: Struck) -> AsyncIterator[None]:
    """Each time that somebody wants to be sure that something is written, it takes so much longer."""
    delay_us = int(struck.scenario.fault.told["each_s"] * 1e6)
    calls = struck.scenario.fault.told.get("calls", SYNCS)
    async with AsyncExitStack() as stack:
        for number, process in enumerate(_processes(struck)):
            log = struck.stage.folder / f"strace-{number}.log"
            how = ("-e", f"trace={calls}", "-e", f"inject={calls}:delay_enter={delay_us}")
            command = ("strace", "-f", "-q", "-p", str(process.process.pid), *how, "-o", f"{log}.calls")
            tracer = await stack.enter_async_context(child(command, {}, log, struck.stage.folder))
            stack.push_async_callback(_let_go, tracer)
            await _attached(process, tracer)
        yield


async def _attached(process: Child, tracer: Child) -> None:
    status = f"/proc/{process.process.pid}/status"
    async with asyncio.timeout(ATTACHED_WITHIN_S):
        while tracer.is_running:
            with open(status, encoding="utf-8") as file:  # noqa: ASYNC230, PTH123 - the kernel's, and there at once
                traced = next(line for line in file if line.startswith("TracerPid"))
            if traced.split()[1] != "0":
                return
            await asyncio.sleep(0.05)
    raise RuntimeError(f"strace did not attach: {tracer.said()[-500:]}")


async def _let_go(tracer: Child) -> None:
    """It detaches, and what it looked at goes on."""
    tracer.send(signal.SIGINT)
    await tracer.process.wait()


def _processes(struck: Struck) -> list[Child]:
    match struck.scenario.place:
        case "kafka":
            found = [struck.stage.ground.broker.child]
        case "postgres":
            found = [struck.stage.ground.database.child]
        case place:
            found = [worker.child for worker in struck.stage.workers[place]]
    return [each for each in found if each is not None and each.is_running]


def _no_strace(_: Struck) -> str | None:
    return None if shutil.which("strace") else "strace delays the calls: apt-get install strace"


KINDS = {
    "disk_full": FaultKind(_full, missing=_no_disk),
    "disk_slow": FaultKind(_slow, missing=_no_strace),
}
