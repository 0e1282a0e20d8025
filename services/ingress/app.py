"""The composition root of ingress: what is built of what, in which order it opens, and in which it leaves."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.web.async_client import AsyncWebClient

from services.directory import metrics as directory_metrics
from services.ingress import metrics
from services.ingress.adapters.broker import Broker
from services.ingress.adapters.door import Door
from services.ingress.adapters.intake import Intake
from services.ingress.adapters.receiver import Receiver
from services.ingress.adapters.sockets import AppSockets
from services.ingress.adapters.spools import Spools
from services.ingress.apps import NoApps, SlackApp, app_places, apps_of
from services.ingress.sealing import leave_out, seal_with
from services.ingress.settings import IngressSettings
from services.kit import process
from services.kit.fault import Fault
from services.kit.kafka.metrics import CATALOGUE as KAFKA_METRICS
from services.kit.process import Process
from services.kit.secrets.source import Secrets
from services.kit.telemetry.instruments import Instruments

log = logging.getLogger(__name__)

SERVICE = "ingress"
CATALOGUE = (*metrics.CATALOGUE, *KAFKA_METRICS, *directory_metrics.CATALOGUE)
SLACK_ANSWERS_WITHIN_S = 10
LOOK_FOR_SPOOLS_EVERY_S = 60.0


class Broken(Fault):
    """It cannot go on."""


@dataclass(frozen=True)
class Ingress:
    """What the ways in are built of."""

    settings: IngressSettings
    process: Process
    instruments: Instruments
    intake: Intake
    receiver: Receiver
    client: AsyncWebClient
    name: str
    broken: asyncio.Event = field(default_factory=asyncio.Event)
    """Set where something ended that should only end when it is told to: the process ends, and is started again."""

    def ended(self, task: "asyncio.Task[None]") -> None:
        """For tasks that should only end when they are told to."""
        if not task.cancelled() and (error := task.exception()) is not None:
            log.critical("a part of ingress failed in a way that was not foreseen", exc_info=error)
            self.broken.set()


def run(settings: IngressSettings) -> int:
    """Runs it until it is told to leave. Gives the exit code."""
    return process.run(SERVICE, settings, CATALOGUE, lambda running: _work(settings, running))


async def _work(settings: IngressSettings, running: Process) -> None:
    spools = Spools(settings.spool_folder, settings.spool_size)
    apps = apps_of(app_places(settings.ingress_apps), Secrets(settings), settings.slack_app_id)
    instruments = Instruments(running.clock, running.emitter, running.tracer)
    number, spool = spools.take()
    name = settings.ingress_name or f"{socket.gethostname()[:48]}-{number}"
    async with AsyncExitStack() as stack:
        broker = Broker(settings, instruments)
        intake = await stack.enter_async_context(Intake(spool, broker, instruments, settings.ingress_broker_patience_s))
        running.health.live["intake"] = lambda: "it keeps nothing any more" if intake.broken.is_set() else None
        running.health.ready["intake"] = intake.trouble
        opened = asyncio.Event()
        running.health.ready["start"] = lambda: None if opened.is_set() else "it is starting"
        receiver = Receiver(name, intake, instruments, _sealing(settings))
        client = AsyncWebClient(base_url=settings.slack_api_url, timeout=SLACK_ANSWERS_WITHIN_S)
        ingress = Ingress(settings, running, instruments, intake, receiver, client, name)
        doors = [await _door(app, ingress) for app in apps]
        with_sockets = [
            (app, door)
            for app, door in zip(apps, doors, strict=True)
            if settings.ingress_sockets and await app.has_app_token()
        ]
        _refuse_no_way_in(settings, with_sockets)
        if settings.database_url is not None or settings.ingress_http:
            # Imported where it is wanted: the directory and the addresses cost memory.
            from services.ingress.addresses import opened_addresses  # noqa: PLC0415

            await stack.enter_async_context(opened_addresses(ingress, doors))
        if not await intake.ready(settings.ingress_drain_first_s):
            log.warning("the ways in open before the spool is drained: what comes in waits behind what is in it")
        for app, door in with_sockets:
            await stack.enter_async_context(_opened_sockets(app, door, ingress))
        opened.set()
        stack.push_async_callback(_ended, asyncio.create_task(_look_for_spools(spools, number, running)))
        await _until_told(running, intake.broken, ingress.broken)


def _sealing(settings: IngressSettings) -> Any:
    seal_for = seal_with(settings)
    if seal_for is None:
        log.warning(
            "THREADLINE_SEALING_KEYS is not set: response_url is left out of what is stored, and commands and clicks "
            "are answered without it; `threadline secrets new-key` makes a key"
        )
    return seal_for or leave_out


async def _door(app: SlackApp, ingress: Ingress) -> Door:
    secret = await app.signing_secret() if ingress.settings.ingress_http else None
    return Door(app, secret.get_secret_value() if secret else None, ingress.client, ingress.receiver)


def _refuse_no_way_in(settings: IngressSettings, with_sockets: list[Any]) -> None:
    if with_sockets or settings.ingress_http:
        return
    raise NoApps(
        "there is no app token: set SLACK_APP_TOKEN (xapp-…, in the app's settings under Basic Information, App-Level "
        "Tokens, scope connections:write), or name where it is found in THREADLINE_INGRESS_APPS, or switch on "
        "THREADLINE_INGRESS_HTTP. Nothing was opened"
    )


@asynccontextmanager
async def _opened_sockets(app: SlackApp, door: Door, ingress: Ingress) -> AsyncIterator[None]:
    sockets = AppSockets(app, door, ingress.client, ingress.instruments, ingress.settings.ingress_slots)
    ingress.process.health.ready[f"slack {app.label}"] = sockets.trouble
    running = asyncio.create_task(sockets.run())
    running.add_done_callback(ingress.ended)
    try:
        yield
        await sockets.finish()
    finally:
        await _ended(running)


async def _look_for_spools(spools: Spools, mine: int, running: Process) -> None:
    """A process that is gone for good may have left something behind."""
    told: set[int] = set()
    while True:
        left = await asyncio.to_thread(spools.left_behind, mine)
        running.emitter.set(metrics.SPOOLS_LEFT_BEHIND, len(left))
        for found in left:
            if found.number in told:
                continue
            if found.trouble is not None:
                log.error("%s", found.trouble)
            elif found.contents is not None:
                log.warning(
                    "the spool %s has no owner, and %d acknowledged envelopes wait in it: `threadline ingress adopt "
                    "%d` writes them to the broker",
                    *(found.file, found.contents.records, found.number),
                )
        told = {found.number for found in left}
        await asyncio.sleep(LOOK_FOR_SPOOLS_EVERY_S)


async def _until_told(running: Process, *broken: asyncio.Event) -> None:
    told = [asyncio.create_task(each.wait()) for each in (running.stopping, *broken)]
    try:
        await asyncio.wait(told, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in told:
            task.cancel()
    if any(each.is_set() for each in broken):
        raise Broken("ingress cannot go on; nothing that was acknowledged is lost. Start it again")


async def _ended(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    waiting: Awaitable[Any] = asyncio.gather(task, return_exceptions=True)
    await waiting
