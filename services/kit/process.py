"""How a process lives: set up, serve, work until it is told to stop, and leave in order."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TypeVar

from opentelemetry.trace import Tracer

from services.kit import logs
from services.kit.clock import Clock, SystemClock
from services.kit.fault import Fault
from services.kit.fresh_ids import FreshIds, RandomIds
from services.kit.groups import ProcessSettings
from services.kit.health import Health
from services.kit.http import Served, operations, served
from services.kit.settings import load
from services.kit.telemetry.catalogue import Metric
from services.kit.telemetry.emitter import Emitter
from services.kit.telemetry.metrics import metrics_of
from services.kit.telemetry.traces import tracer_for

log = logging.getLogger(__name__)

GRACE_S = 10.0
"""How long a process may take to leave before it is cut short."""
CUT_SHORT_S = 5.0
"""And how long that may take."""


@dataclass(frozen=True)
class Process:
    """What a service is given to work with."""

    service: str
    clock: Clock
    ids: FreshIds
    emitter: Emitter
    tracer: Tracer
    health: Health
    stopping: asyncio.Event
    """Set when it is time to leave."""
    address: Served


Work = Callable[[Process], Awaitable[None]]
AnySettings = TypeVar("AnySettings", bound=ProcessSettings)


def begin(service: str, kind: type[AnySettings], runs: Callable[[AnySettings], int]) -> int:
    """Reads the settings and runs. What is wrong with them is said in a line, before there is a log."""
    try:
        settings = load(kind)
    except Fault as fault:
        sys.stderr.write(f"{service}: {fault}\n")
        return 1
    return runs(settings)


def run(service: str, settings: ProcessSettings, catalogue: Iterable[Metric], work: Work) -> int:
    """Runs a service until its work is done or a signal comes. Gives the process's exit code."""
    logs.set_up(service, settings, settings.secrets())
    try:
        return asyncio.run(_live(service, settings, catalogue, work))
    except Fault as fault:
        log.error("%s", fault)  # noqa: TRY400 - it was foreseen: its message says all there is to know
        return 1


async def _live(service: str, settings: ProcessSettings, catalogue: Iterable[Metric], work: Work) -> int:
    stopping = _stop_on_signals()
    async with AsyncExitStack() as stack:
        metrics = metrics_of(settings.otel_service_name or service, catalogue, on=settings.metrics)
        health = Health()
        health.ready["stopping"] = lambda: "it is leaving" if stopping.is_set() else None
        tracer = stack.enter_context(tracer_for(service, settings))
        address = await stack.enter_async_context(
            served(operations(health, metrics), settings.http_host, settings.http_port)
        )
        process = Process(service, SystemClock(), RandomIds(), metrics.emitter, tracer, health, stopping, address)
        log.info("%s serves %s/health and /metrics", service, address)
        return await _work_until_stopped(process, work)


async def _work_until_stopped(process: Process, work: Work) -> int:
    working = asyncio.ensure_future(work(process))
    told = asyncio.ensure_future(process.stopping.wait())
    await asyncio.wait({working, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not working.done():
        await asyncio.wait({working}, timeout=GRACE_S)
    if not working.done():
        log.warning("%s did not leave within %.0f s and is cut short", process.service, GRACE_S)
        working.cancel()
        await asyncio.wait({working}, timeout=CUT_SHORT_S)
    if not working.done():
        log.error("%s does not even end when cut short: the process ends without it", process.service)
        logging.shutdown()
        os._exit(1)
    if working.cancelled():
        return 1
    error = working.exception()
    if isinstance(error, Fault):
        raise error
    if error is not None:
        log.error("%s failed: %s", process.service, error, exc_info=error)
        return 1
    return 0


def _stop_on_signals() -> asyncio.Event:
    """Set by the first SIGTERM or Ctrl-C. A second one ends the process at once, as by default."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()

    def told(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        stopping.set()
        log.info("%s: leaving", number.name)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told, number)
    return stopping
