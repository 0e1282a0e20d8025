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
from services.ingress.adapters.door import Door
from services.ingress.adapters.intakes import Intakes
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
from services.kit.quiet import QUIET
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
    intakes: Intakes
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
    spools = Spools(settings.spool_folder, settings.topic_prefix, settings.spool_size)
    apps = apps_of(app_places(settings.ingress_apps), Secrets(settings), settings.slack_app_id)
    with_sockets = await _with_sockets(apps, settings)
    instruments = Instruments(running.clock, running.emitter, running.tracer)
    intakes = Intakes(spools, settings, instruments, settings.ingress_broker_patience_s)
    name = settings.ingress_name or f"{socket.gethostname()[:48]}-{intakes.name}"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(intakes)
        opened = asyncio.Event()
        running.health.ready["start"] = lambda: None if opened.is_set() else "it is starting"
        running.health.ready["intake"] = intakes.trouble
        receiver = Receiver(name, intakes, instruments, _sealing(settings))
        client = AsyncWebClient(base_url=settings.slack_api_url, timeout=SLACK_ANSWERS_WITHIN_S, logger=QUIET)
        ingress = Ingress(settings, running, instruments, intakes, receiver, client, name)
        doors = [await _door(app, ingress) for app in apps]
        if settings.database_url is not None or settings.ingress_http:
            # Imported where it is wanted: the directory and the addresses cost memory.
            from services.ingress.addresses import opened_addresses  # noqa: PLC0415

            await stack.enter_async_context(opened_addresses(ingress, doors))
        await _until_ready(ingress)
        for app, door in zip(apps, doors, strict=True):
            if app in with_sockets:
                await stack.enter_async_context(_opened_sockets(app, door, ingress))
        opened.set()
        looking = asyncio.create_task(_look_for_spools(spools, intakes.spools, running))
        looking.add_done_callback(ingress.ended)
        stack.push_async_callback(_ended, looking)
        await _until_told(ingress)


async def _with_sockets(apps: list[SlackApp], settings: IngressSettings) -> list[SlackApp]:
    """Every app that is to have sockets: one whose token is not there yet is in error, and told.

    Where Slack may call, the one app of the environment needs no sockets.
    """
    ids = [app_id for app in apps if (app_id := await app.learned_id()) is not None]
    if len(set(ids)) < len(ids):
        raise NoApps(f"THREADLINE_INGRESS_APPS names an app twice ({', '.join(ids)}): two places hold the same one")
    if not settings.ingress_sockets:
        return []
    if len(apps) > 1 or await apps[0].has_app_token():
        return apps
    if settings.ingress_http:
        return []
    raise NoApps(
        "there is no app token: set SLACK_APP_TOKEN (xapp-…, in the app's settings under Basic Information, App-Level "
        "Tokens, scope connections:write), or name where it is found in THREADLINE_INGRESS_APPS, or switch on "
        "THREADLINE_INGRESS_HTTP. Nothing was opened"
    )


async def _until_ready(ingress: Ingress) -> None:
    """What a former process left is written before anything new comes in, as far as that does not take too long."""
    ready = asyncio.create_task(ingress.intakes.envelopes.ready(ingress.settings.ingress_drain_first_s))
    told = asyncio.create_task(ingress.process.stopping.wait())
    try:
        await asyncio.wait({ready, told}, return_when=asyncio.FIRST_COMPLETED)
        if ready.done() and not ready.result():
            log.warning("the ways in open before the spool is drained: what comes in waits behind what is in it")
    finally:
        for task in (ready, told):
            task.cancel()


def _sealing(settings: IngressSettings) -> Any:
    seal_for = seal_with(settings)
    if seal_for is None:
        log.warning(
            "THREADLINE_SEALING_KEYS is not set: response_url is left out of what is stored, and commands and clicks "
            "are answered without it; `threadline secrets new-key` makes a key"
        )
    return seal_for or leave_out


async def _door(app: SlackApp, ingress: Ingress) -> Door:
    secret = None
    if ingress.settings.ingress_http:
        try:
            secret = await app.signing_secret()
        except Fault as fault:
            log.error("Slack's requests for %s are refused until ingress is started again: %s", app.label, fault)  # noqa: TRY400 - its message says all
    return Door(app, secret.get_secret_value() if secret else None, ingress.client, ingress.receiver)


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


async def _look_for_spools(spools: Spools, mine: frozenset[str], running: Process) -> None:
    """A process that is gone for good may have left something behind."""
    told: set[str] = set()
    while True:
        left = await asyncio.to_thread(spools.left_behind, mine)
        running.emitter.set(metrics.SPOOLS_LEFT_BEHIND, len(left))
        for found in left:
            if found.name in told:
                continue
            if found.trouble is not None:
                log.error("%s", found.trouble)
            elif found.contents is not None:
                log.warning(
                    "the spool %s has no owner, and %d acknowledged envelopes wait in it: `threadline ingress adopt "
                    "%s` writes them to the broker",
                    *(found.file, found.contents.records, found.name),
                )
        told = {found.name for found in left}
        await asyncio.sleep(LOOK_FOR_SPOOLS_EVERY_S)


async def _until_told(ingress: Ingress) -> None:
    broken = (ingress.broken, ingress.intakes.envelopes.broken, ingress.intakes.letters.broken)
    told = [asyncio.create_task(each.wait()) for each in (ingress.process.stopping, *broken)]
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
