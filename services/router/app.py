"""The composition root of the router: what is built of what, in which order it starts, and in which it leaves."""

import asyncio
import logging
import os
import threading
from collections.abc import Coroutine, Iterable
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

from schemas.attributes import Attributes
from schemas.operation import LettersPaused
from schemas.record import encode
from schemas.topics import AUDIT_OPERATIONS, ROUTER_JOURNAL, SLACK_INBOUND, name_of
from services.directory import metrics as directory_metrics
from services.directory.lookup import Directory, Surroundings, directory
from services.kit import process
from services.kit.fault import Fault
from services.kit.kafka.metrics import CATALOGUE as KAFKA_METRICS
from services.kit.kafka.presence import with_brokers
from services.kit.process import Process
from services.kit.slots import member_name
from services.kit.telemetry.instruments import Instruments
from services.router import metrics
from services.router.adapters.decider import SOURCE, InboundDecider
from services.router.adapters.gauges import Gauges
from services.router.adapters.losses import PAUSED, place_to_begin
from services.router.adapters.operations import Operations, follow, read_all
from services.router.adapters.tenants import Tenants
from services.router.decisions.letters import Bound, Tally
from services.router.settings import SERVICE, RouterSettings
from services.router.stream.beginning import Beginning, Standing
from services.router.stream.consumer import Watch
from services.router.stream.flow import WAITS, Flow, Lanes
from services.router.stream.journal import Journal
from services.router.stream.lane import Lane, Letter
from services.router.stream.pulse import Pulse
from services.router.stream.reading import Place, Reading
from services.router.stream.watchdog import Watchdog
from services.router.stream.worker import Membership, Worker

log = logging.getLogger(__name__)

SNAPSHOT = "router-directory.json"
CATALOGUE = (*metrics.CATALOGUE, *KAFKA_METRICS, *directory_metrics.CATALOGUE)
CLEARED = "its journal is of another log, and is being cleared"
LOOK_EVERY_S = 1.0
LEAVE_WITHIN_S, LEFT_WITHIN_S = 5.0, 9.0
LEFT_WITHOUT = 3
"""The exit code of a router that was told to leave, and was not let go by Faust."""


class Broken(Fault):
    """It cannot go on."""


def run(settings: RouterSettings) -> int:
    """Runs it until it is told to leave. Gives the exit code."""
    return process.run(SERVICE, settings, CATALOGUE, lambda running: _begin(settings, running))


async def _begin(settings: RouterSettings, running: Process) -> None:
    running.health.ready["group"] = lambda: "it is starting"
    for name in ("aiokafka", "faust", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)
    await with_brokers(settings, running, lambda: _work(settings, running))


async def _work(settings: RouterSettings, running: Process) -> None:
    async with AsyncExitStack() as stack:
        name = stack.enter_context(member_name(settings.state_folder, SERVICE))
        surroundings = Surroundings(running.clock, running.emitter, settings.state_folder / SNAPSHOT)
        known = await stack.enter_async_context(directory(settings, surroundings))
        router = Router(settings, running, known, await read_all(settings))
        await router.run(settings.router_name or name)


class Router:
    """Everything that one process has."""

    def __init__(self, settings: RouterSettings, running: Process, known: Directory, operations: Operations) -> None:
        self._settings, self._running, self._operations = settings, running, operations
        instruments = Instruments(running.clock, running.emitter, running.tracer)
        bound = Bound(settings.router_letters_in_a_row, settings.router_letters_percent)
        tenants = Tenants(settings.rate_limit_per_minute)
        self._decider = InboundDecider(known, tenants, bound, instruments)
        self._decider.pause = self._pause
        self._standings: dict[int, Standing] = {}
        self._reading = Reading(f"{settings.topic_prefix}{SLACK_INBOUND.name}")
        self._pulse = Pulse(running.clock, settings.router_session_s)
        main, audit = (Lane(name, settings, instruments, self._pulse) for name in ("main", "audit"))
        self._lanes = Lanes(main, audit)
        journal = Journal(ROUTER_JOURNAL, settings)
        self._flow = Flow(self._reading, journal, self._lanes, self._decider, settings.router_in_flight)
        running.health.ready["group"] = lambda: None if self._flow.is_loaded else "it waits for its partitions"
        running.health.ready["lanes"] = self._lanes.trouble
        running.health.ready["partitions"] = self._halts

    async def run(self, name: str) -> None:
        """Until it is told to leave."""
        group, folder = f"{self._settings.topic_prefix}{SERVICE}", self._settings.state_folder
        membership = Membership(group, name, self._settings.router_session_s, folder)
        watch = Watch(self._reading, self._begin, self._flow.committed)
        worker = Worker(self._settings, membership, watch, self._flow)
        gauges = Gauges(self._running.emitter, self._running.clock, self._reading, self._flow, self._lanes)
        watchdog = Watchdog(self._reading, self._flow, self._lanes, self._settings.router_stall_s)
        parts: dict[str, Coroutine[Any, Any, None]] = {
            "the main lane": self._lanes.main.run(),
            "the audit lane": self._lanes.audit.run(),
            "hearing of operators": follow(self._settings, self._operations, self._changed),
            "looking after itself": self._look(worker, gauges, watchdog),
            "the pulse": self._pulse.run(),
            "Faust": worker.run(),
            "waiting to be told": _wait(self._running.stopping),
        }
        tasks = {asyncio.create_task(part): what for what, part in parts.items()}
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._leave(worker, tasks)
        for task in ended:
            if (error := task.exception()) is not None:
                raise Broken(
                    f"{tasks[task]} failed: the router cannot go on, and loses nothing. Start it again"
                ) from error

    async def _leave(self, worker: Worker, tasks: "Iterable[asyncio.Task[None]]") -> None:
        """What is decided is written and committed first; then everything ends."""
        _end_in_any_case()
        self._flow.stop_taking()
        await self._lanes.drained(LEAVE_WITHIN_S)
        await worker.commit()
        self._decider.counting.tell()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, worker: Worker, gauges: Gauges, watchdog: Watchdog) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            worker.check()
            lags = worker.lags()
            gauges.set(sum(lags.values()), self._flow.forget())
            self._decider.counting.tell()
            watchdog.look(self._running.clock.monotonic(), lags)

    def _begin(self, partition: int, standing: Standing) -> Beginning:
        beginning = self._place_to_begin(partition, standing)
        self._standings[partition] = standing
        self._decider.begin_anew(partition)
        if beginning.halted is not None:
            log.critical("partition %d is not read: %s", partition, beginning.halted)
        if standing.commit is not None and not beginning.is_of_another_log:
            self._flow.committed(partition, standing.commit)
        if beginning.is_of_another_log and beginning.halted is None:
            self._void(partition, beginning.at)
            return replace(beginning, halted=CLEARED, is_elsewhere=False)
        return beginning

    def _place_to_begin(self, partition: int, standing: Standing) -> Beginning:
        memory = self._flow.memory(partition)
        return place_to_begin(partition, standing, memory.highest() if memory is not None else None, self._operations)

    def _void(self, partition: int, at: int) -> None:
        """What is remembered of a log that is no more is let go, before anything of the new one is read."""

        def gone() -> None:
            asyncio.get_running_loop().call_soon(go_on)

        def go_on() -> None:
            log.warning("partition %d: what was remembered of a log that is no more is gone", partition)
            if (place := self._reading.places.get(partition)) is not None and place.halted == CLEARED:
                self._reading.go_on_at(partition, at)

        self._flow.void(partition, gone)

    def _changed(self, partition: int) -> None:
        """An operator has decided something about a partition."""
        place, standing = self._reading.places.get(partition), self._standings.get(partition)
        if place is None or standing is None or place.halted in {WAITS, CLEARED}:
            return
        is_paused = partition in self._operations.paused
        if place.halted is None:
            if is_paused:
                self._reading.halt(partition, place.expected, PAUSED)
        elif place.halted == PAUSED:
            if not is_paused:
                self._decider.begin_anew(partition)
                self._flow.resume(partition)
                log.warning("partition %d is read on", partition)
        else:
            self._after_a_loss(partition, standing, place)

    def _after_a_loss(self, partition: int, standing: Standing, place: Place) -> None:
        beginning = self._place_to_begin(partition, standing)
        if not beginning.is_elsewhere or beginning.halted is not None:
            return
        log.warning("partition %d is read on behind a loss that was accepted", partition)
        if beginning.is_of_another_log:
            place.halted = CLEARED
            self._void(partition, beginning.at)
        else:
            self._reading.go_on_at(partition, beginning.at)

    def _pause(self, partition: int, offset: int, tally: Tally) -> None:
        """So much cannot be understood that nothing more is given up on before somebody has looked."""
        event = LettersPaused(
            at=self._running.clock.now(),
            pause_id=self._running.ids.new(),
            partition=partition,
            offset=offset,
            consecutive=tally.in_a_row,
            of_the_last=tally.dead,
        )
        log.critical(
            "partition %d is paused at offset %d: %d envelopes in a row, and %d of the last %d, could not be "
            "understood, so that the fault may be ours. Nothing is lost. `threadline dlq list` shows them, `threadline "
            "dlq resume` goes on",
            *(partition, offset, tally.in_a_row, tally.dead, len(tally.lately)),
        )
        attributes = Attributes(event.pause_id, name_of(LettersPaused), SOURCE, event.at)
        encoded = encode(AUDIT_OPERATIONS, event, attributes)
        self._operations.paused[partition] = event
        self._lanes.audit.put([Letter(AUDIT_OPERATIONS, str(partition), encoded.value, encoded.headers, stays=True)])

    def _halts(self) -> str | None:
        halted = {number: place.halted for number, place in self._reading.places.items() if place.halted}
        return "; ".join(f"partition {number}: {why}" for number, why in sorted(halted.items())) or None


def _end_in_any_case() -> None:
    """Faust may wait for a broker that is away, and its thread may outlive it. Nothing is lost by leaving without."""
    ending = threading.Timer(LEFT_WITHIN_S, os._exit, (LEFT_WITHOUT,))
    ending.daemon = True
    ending.start()


async def _wait(stopping: asyncio.Event) -> None:
    await stopping.wait()
