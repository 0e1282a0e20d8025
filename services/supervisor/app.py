"""The composition root of the supervisor: what is built of what, and what goes on beside what."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, Final

from aiohttp import web
from aiokafka.errors import KafkaConnectionError

from services.directory import metrics as directory_metrics
from services.directory.lookup import Surroundings as DirectorySurroundings
from services.directory.lookup import directory
from services.directory.programs import No, Programs
from services.directory.service import service_database
from services.kit import process
from services.kit.fault import Fault
from services.kit.http import health_page, is_loopback, served
from services.kit.kafka.metrics import CATALOGUE as KAFKA_METRICS
from services.kit.kafka.presence import with_brokers
from services.kit.kafka.producer import Producer
from services.kit.process import Process
from services.kit.slots import member_name
from services.kit.telemetry.instruments import Instruments
from services.kit.turns import sweep, tidy
from services.supervisor import metrics
from services.supervisor.adapters.agents import Agents
from services.supervisor.adapters.asking import Asking
from services.supervisor.adapters.codes import Codes
from services.supervisor.adapters.commands import Commands
from services.supervisor.adapters.folding import NO_PARTITIONS, Folding
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.hearing import Hearing
from services.supervisor.adapters.ingest import LARGEST_BODY, Ingest
from services.supervisor.adapters.news import News
from services.supervisor.adapters.pages import Pages
from services.supervisor.adapters.queries import Queries
from services.supervisor.adapters.removing import Removing
from services.supervisor.adapters.requests import Requests
from services.supervisor.adapters.taking import Taking
from services.supervisor.adapters.telling import Telling
from services.supervisor.adapters.waiting import Waiting
from services.supervisor.adapters.watching import Watching
from services.supervisor.adapters.words import Words
from services.supervisor.page.server import Page
from services.supervisor.settings import SERVICE, SupervisorSettings

log = logging.getLogger(__name__)

SNAPSHOT = "supervisor-directory.json"
TO_FOLD = 4
"""Connections that fold, tell and watch. Whoever asks has others, and cannot take these."""
LINGER_MS = 10
"""Reports come one by one, a thousand a second, and no program waits for its answers."""
CATALOGUE = (*metrics.CATALOGUE, *KAFKA_METRICS, *directory_metrics.CATALOGUE)
LED_TO_NOTHING: Final = {
    web.HTTPUnauthorized.status_code: "not_let_in",
    web.HTTPForbidden.status_code: "not_let_in",
    web.HTTPNotFound.status_code: "not_found",
    web.HTTPTooManyRequests.status_code: "too_fast",
    web.HTTPServiceUnavailable.status_code: "try_again",
}


class Broken(Fault):
    """It cannot go on."""


def run(settings: SupervisorSettings) -> int:
    """Runs it until it is told to leave. Gives the exit code."""
    return process.run(SERVICE, settings, CATALOGUE, lambda running: _begin(settings, running))


async def _begin(settings: SupervisorSettings, running: Process) -> None:
    running.health.ready["tasks"] = lambda: NO_PARTITIONS
    logging.getLogger("aiokafka").setLevel(logging.WARNING)
    await with_brokers(settings, running, lambda: _work(settings, running))


async def _work(settings: SupervisorSettings, running: Process) -> None:
    async with AsyncExitStack() as stack:
        name = stack.enter_context(member_name(settings.state_folder, SERVICE))
        surroundings = DirectorySurroundings(running.clock, running.emitter, settings.state_folder / SNAPSHOT)
        known = await stack.enter_async_context(directory(settings, surroundings))
        instruments = Instruments(running.clock, running.emitter, running.tracer)
        producer = await stack.enter_async_context(Producer(settings, SERVICE, instruments, LINGER_MS))
        database = await stack.enter_async_context(service_database(settings, TO_FOLD))
        asked = await stack.enter_async_context(service_database(settings, settings.supervisor_database_connections))
        given = Given(settings, name, known, database, producer, instruments)
        supervisor = Supervisor(running, given, Queries(asked))
        address = served(
            supervisor.application(),
            settings.supervisor_http_host,
            settings.supervisor_http_port,
            setting="THREADLINE_SUPERVISOR_HTTP_PORT",
        )
        listens = await stack.enter_async_context(address)
        is_here = is_loopback(settings.supervisor_http_host)
        Codes(settings.state_folder, running.clock).serve_at(str(listens) if is_here else None)
        tidy()
        log.info("agents report at %s", listens)
        await supervisor.run()


class Supervisor:
    """Everything that one process has."""

    def __init__(self, running: Process, given: Given, queries: Queries) -> None:
        self._settings, self._running = given.settings, running
        self._news, requests = News(), Requests()
        agents = Agents(queries, self._news)
        self._folding = Folding(given)
        self._telling = Telling(given, lambda: self._folding.partitions)
        self._folding.changed = self._telling.wake
        self._hearing = Hearing(given.settings, running.clock.now(), self._telling.heard)
        self._watching = Watching(given, lambda: self._folding.partitions)
        self._removing = Removing(given, lambda: self._folding.partitions)
        self._waiting = Waiting(given, queries)
        self._commands = Commands(given, queries, agents, self._waiting)
        self._words = Words(given, queries, agents, self._commands.carried_out)
        programs = Programs(given.directory, running.clock, "agents")
        programs.refused = self._refused
        self._addresses = (
            Ingest(given, programs, requests),
            Asking(given, programs, queries, self._news, requests),
            Taking(given, programs, queries, self._news, running.ids),
            Pages(programs, queries, running.clock),
        )
        self._page = Page(given, queries, self._news, running.ids)
        running.health.ready["tasks"] = self._folding.trouble

    def application(self) -> web.Application:
        """What agents and people reach."""
        application = web.Application(client_max_size=LARGEST_BODY)
        application.router.add_get("/health", health_page(self._running.health, reasons=False))
        for each in self._addresses:
            application.router.add_routes(each.routes())
        application.router.add_routes(self._page.routes())
        application.on_shutdown.append(self._page.close)
        return application

    async def run(self) -> None:
        """Until it is told to leave."""
        url = self._settings.database_url
        if url is None:
            raise ValueError("a supervisor has a database")
        parts: dict[str, Coroutine[Any, Any, None]] = {
            "folding events": self._folding.run(),
            "hearing of changes": self._news.run(url),
            "speaking of tasks": self._telling.run(),
            "hearing of messages": self._hearing.run(),
            "watching tasks": self._watching.run(),
            "taking away what is old": self._removing.run(),
            "hearing people": self._commands.run(),
            "hearing of stops": self._waiting.run(),
            "sweeping": sweep(),
            "waiting to be told": _told(self._running.stopping),
        }
        if (model := self._settings.supervisor_model) is not None:
            parts["asking a model what people mean"] = self._words.run(model)
        tasks = {asyncio.create_task(part): what for what, part in parts.items()}
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in ended:
            if (error := task.exception()) is not None:
                if isinstance(error, Fault | KafkaConnectionError):
                    raise error
                raise Broken(
                    f"{tasks[task]} failed ({type(error).__name__}): the supervisor cannot go on, and loses nothing. "
                    "Start it again"
                ) from error

    def _refused(self, no: No) -> None:
        self._running.emitter.count(metrics.REQUESTS, result=LED_TO_NOTHING.get(no.status, "refused"))


async def _told(stopping: asyncio.Event) -> None:
    await stopping.wait()
