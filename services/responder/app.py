"""The composition root of the responder: what is built of what, in which order it starts, and in which it leaves."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import aiohttp
from aiokafka.errors import KafkaConnectionError

from schemas import ids
from schemas.command import (
    EmojiRequested,
    FeedbackGiven,
    Notice,
    NoticeKind,
    OutboundMessage,
    Place,
    RetryAsked,
    RunRequested,
    RunResumed,
    ViewRequested,
    WhyAsked,
)
from schemas.letter import DeadLetter
from schemas.operation import CommandsGone
from schemas.stop import StopRequested
from schemas.topics import AUDIT_OPERATIONS, DEAD_LETTERS, RUNS_COMMANDS
from services.directory import metrics as directory_metrics
from services.directory.installations import Installations
from services.directory.lookup import Directory, directory
from services.directory.lookup import Surroundings as DirectorySurroundings
from services.kit import process
from services.kit.fault import Fault, where_of
from services.kit.kafka.consumer import Record, processing
from services.kit.kafka.fence import Fence
from services.kit.kafka.metrics import CATALOGUE as KAFKA_METRICS
from services.kit.kafka.presence import with_brokers
from services.kit.kafka.producer import Producer
from services.kit.process import Process
from services.kit.secrets.sealing import Sealer
from services.kit.secrets.source import Secrets
from services.kit.slots import member_name
from services.kit.telemetry.instruments import Instruments
from services.responder import metrics
from services.responder.adapters.answering import Answering
from services.responder.adapters.audit import Audit
from services.responder.adapters.audit_topic import AuditTopic
from services.responder.adapters.channels import Channels
from services.responder.adapters.chores import Chore, Chores
from services.responder.adapters.commands import Commands, Heard, Membership, Received
from services.responder.adapters.conversing import Conversing
from services.responder.adapters.gate import Gate
from services.responder.adapters.history import History
from services.responder.adapters.ledger import Ledger, Outside
from services.responder.adapters.life import Life, Surroundings
from services.responder.adapters.loading import Begun, Gone
from services.responder.adapters.models import Models
from services.responder.adapters.past import Past
from services.responder.adapters.run import Run
from services.responder.adapters.runs import Ended, Runs
from services.responder.adapters.saying import Saying
from services.responder.adapters.slack import Slack, slack_session
from services.responder.adapters.spans import Spans
from services.responder.adapters.stops import Stops
from services.responder.adapters.suspending import Suspending
from services.responder.adapters.tidying import Tidying
from services.responder.adapters.tools import Tools, tools_session
from services.responder.addresses import opened_addresses
from services.responder.decisions import words
from services.responder.decisions.effects import Subject, is_ts
from services.responder.decisions.standing import Standing
from services.responder.decisions.starting import Bounds
from services.responder.decisions.streams import Streams
from services.responder.settings import SERVICE, ResponderSettings

log = logging.getLogger(__name__)

SNAPSHOT = "responder-directory.json"
CATALOGUE = (*metrics.CATALOGUE, *KAFKA_METRICS, *directory_metrics.CATALOGUE)
LOOK_EVERY_S = 1.0
STOPS_ARE_KEPT_S = 3600.0
NOBODY = "nobody"
"""Who asked for a run whose command is gone."""
NO_PARTITIONS = "it waits for its partitions"

Part = Callable[[], Coroutine[Any, Any, None]]
"""Something that goes on until it is cancelled."""


class Broken(Fault):
    """It cannot go on."""


def run(settings: ResponderSettings) -> int:
    """Runs it until it is told to leave. Gives the exit code."""
    return process.run(SERVICE, settings, CATALOGUE, lambda running: _begin(settings, running))


async def _begin(settings: ResponderSettings, running: Process) -> None:
    running.health.ready["group"] = lambda: NO_PARTITIONS
    for name in ("aiokafka", "httpx2", "openai", "anthropic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    await with_brokers(settings, running, lambda: _work(settings, running))


async def _work(settings: ResponderSettings, running: Process) -> None:
    async with AsyncExitStack() as stack:
        name = stack.enter_context(member_name(settings.state_folder, SERVICE))
        surroundings = DirectorySurroundings(running.clock, running.emitter, settings.state_folder / SNAPSHOT)
        known = await stack.enter_async_context(directory(settings, surroundings))
        instruments = Instruments(running.clock, running.emitter, running.tracer)
        producer = await stack.enter_async_context(Producer(settings, SERVICE, instruments))
        audit = await stack.enter_async_context(AuditTopic(settings, instruments))
        sessions = Sessions(
            await stack.enter_async_context(slack_session()), await stack.enter_async_context(tools_session())
        )
        models = Models(settings)
        stack.push_async_callback(models.close)
        beside: dict[str, Part] = {}
        if settings.responder_http:
            messages = opened_addresses(settings, running, known, producer, instruments)
            beside["following programs' messages"] = (await stack.enter_async_context(messages)).follow
        await Responder(settings, running, Given(known, producer, audit, sessions, models, instruments, beside)).run(
            settings.responder_name or name
        )


@dataclass(frozen=True)
class Sessions:
    """What HTTP goes through."""

    slack: aiohttp.ClientSession
    tools: aiohttp.ClientSession


@dataclass(frozen=True)
class Given:
    """What was opened for it."""

    known: Directory
    producer: Producer
    audit: AuditTopic
    sessions: Sessions
    models: Models
    instruments: Instruments
    beside: Mapping[str, "Part"] = field(default_factory=dict)
    """What goes on beside its own parts, for as long as it does."""


@dataclass(frozen=True)
class Told:
    """What somebody who wanted to end a run is told, and which run that was."""

    place: Place
    about: Subject
    notice: NoticeKind
    text: str


class Responder:
    """Everything that one process has."""

    def __init__(self, settings: ResponderSettings, running: Process, given: Given) -> None:
        self._settings, self._running, self._producer = settings, running, given.producer
        self._audited, self._tracer = given.audit, given.instruments.tracer
        self._beside = given.beside
        clock, emitter = running.clock, running.emitter
        sealer = Sealer.of(settings) if settings.sealing_keys is not None else None
        installations = Installations(given.known.database, Secrets(settings), sealer)
        self._fence = Fence(clock, settings.responder_session_s)
        slack = Slack(settings.slack_api_url, installations, given.known, given.sessions.slack, clock)
        spans = Spans(given.instruments.tracer, clock, settings.slack_api_url, with_words=settings.traces_with_words)
        outside = Outside(slack, Gate(clock, emitter), self._fence, spans)
        ledger = Ledger(given.producer, outside, given.instruments, settings.responder_too_old_s)
        audit, past = Audit(given.audit, clock), Past(settings)
        around = Surroundings(
            settings=settings,
            instruments=given.instruments,
            spans=spans,
            directory=given.known,
            conversing=Conversing(
                Answering(given.models, given.instruments, spans),
                Tools(ledger, given.sessions.tools, settings.tools_key, clock),
            ),
            suspending=Suspending(ledger, given.producer, clock),
            ledger=ledger,
            audit=audit,
            history=History(ledger, clock),
            past=past,
            streams=Streams(settings.responder_streams, clock.monotonic),
        )
        self._models = given.models
        bounds = Bounds(settings.responder_runs, settings.responder_runs_per_tenant)
        kept = timedelta(seconds=max(STOPS_ARE_KEPT_S, settings.responder_too_old_s))
        self._runs = Runs(Life(around), bounds, kept, given.instruments)
        self._stops = Stops(settings, clock.now() - kept, self._runs.hear)
        self._ledger, self._history = ledger, around.history
        self._runs.refused, self._runs.too_late = self._stop_refused, self._stop_too_late
        self._runs.failed = self._unforeseen
        channels = Channels(ledger, clock, settings.responder_too_old_s)
        self._saying = Saying(settings, ledger, channels)
        self._chores = Chores(ledger, self._saying, audit, past, clock)
        self._doing: dict[asyncio.Task[None], int] = {}
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, name: str) -> None:
        """Until it is told to leave."""
        settings = self._settings
        loading = self._models.named(settings.model)  # it takes seconds, and nobody is to wait for it later
        if not await _unless(self._running.stopping, loading):
            return
        tidying = Tidying()
        membership = Membership(f"{settings.topic_prefix}{SERVICE}", name, settings.responder_session_s)
        heard = Heard(
            command=self._received,
            dead=self._dead,
            repeated=lambda: self._running.emitter.count(metrics.REPEATED),
            lost=self._lost,
            gone=self._gone,
            quiet=lambda: self._ledger.quiet(settings.responder_session_s / 2),
        )
        commands = Commands(settings, membership, self._fence, heard)
        self._running.health.ready["audit"] = self._audited.trouble
        self._running.health.ready["group"] = lambda: None if commands.is_loaded else NO_PARTITIONS
        parts: dict[str, Coroutine[Any, Any, None]] = {
            "hearing of stops": self._stops.run(),
            "reading commands": _after(self._stops.are_heard, commands),
            "looking after itself": self._look(commands, tidying),
            "what goes on": _wait_for(self._broken),
            "waiting to be told": _told(self._running.stopping),
            **{what: part() for what, part in self._beside.items()},
        }
        tasks = {asyncio.create_task(part): what for what, part in parts.items()}
        try:
            ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await self._leave(tasks)
        for task in ended:
            if (error := task.exception()) is not None:
                if isinstance(error, KafkaConnectionError):
                    raise error
                raise Broken(
                    f"{tasks[task]} failed ({type(error).__name__}): the responder cannot go on, and loses nothing. "
                    "Start it again"
                ) from error

    async def _leave(self, tasks: "dict[asyncio.Task[None], str]") -> None:
        """Runs are left as they are: who has their partitions next ends them."""
        await self._runs.leave()
        for each in (*self._doing, *tasks):
            each.cancel()
        await asyncio.gather(*self._doing, *tasks, return_exceptions=True)

    async def _look(self, commands: Commands, tidying: Tidying) -> None:
        emitter = self._running.emitter
        while True:
            self._runs.tell()
            tidying.look(self._runs.running, self._runs.ended)
            emitter.set(metrics.PARTITIONS, len(commands.partitions))
            emitter.set(metrics.UNFINISHED, commands.unfinished)
            await asyncio.sleep(LOOK_EVERY_S)

    def _received(self, received: Received, done: Callable[[], None]) -> None:
        event = received.event
        match event:
            case RunRequested() | RetryAsked() | RunResumed():
                asked = event.message.id if isinstance(event, RunRequested) and is_ts(event.message.id) else None
                subject = replace(_subject(event.place, received), run_id=event.run_id, asked_ts=asked)
                self._runs.take(Run(event, subject, received.standing, received.trace), done)
            case Notice() | EmojiRequested() | WhyAsked() | FeedbackGiven() | ViewRequested():
                self._do(event, _subject(event.place, received), received, done)
            case OutboundMessage():
                subject = replace(_subject(_place(event), received), post_id=event.post_id, thread_of=event.thread_of)
                self._do(event, subject, received, done)
            case _:
                log.error("a %s is no command", type(event).__name__)
                done()

    def _do(self, chore: Chore, subject: Subject, received: Received, done: Callable[[], None]) -> None:
        async def doing() -> None:
            try:
                with processing(RUNS_COMMANDS, received.id, received.trace, self._tracer):
                    await self._chores.do(chore, subject, received.standing)
            except Exception as error:  # noqa: BLE001 - one must not take the rest with it; its words could quote people
                log.error("a %s failed: %s", chore.type, where_of(error))  # noqa: TRY400 - likewise
                await self._give_up(received, type(error).__name__)
            done()

        task = asyncio.create_task(doing())
        self._doing[task] = subject.partition
        task.add_done_callback(lambda ended: self._doing.pop(ended, None))

    def _stop_refused(self, stop: StopRequested, run: Run) -> None:
        """Who may not end a run is told so, once."""
        self._tell_stopper(stop, Told(run.command.place, run.subject, "stop_refused", words.NOT_YOURS))

    def _stop_too_late(self, stop: StopRequested, ended: Ended) -> None:
        """Who wanted to end what was over is told so."""
        self._tell_stopper(stop, Told(ended.place, ended.subject, "nothing_to_stop", words.TOO_LATE))

    def _tell_stopper(self, stop: StopRequested, told: Told) -> None:
        place = told.place
        if place.channel_id is None or not words.is_person(stop.asked_by):
            return
        name = ids.run_record_id(told.about.name, f"{told.notice}:{stop.stop_id}")
        notice = Notice(
            at=self._running.clock.now(),
            notice_id=name,
            cause=stop.cause,
            place=place,
            user_id=stop.asked_by,
            notice=told.notice,
            text=told.text,
        )
        subject = replace(told.about, command_id=name, run_id=None, asked_ts=None)
        self._do(notice, subject, Received(None, name, notice, Standing()), lambda: None)

    async def _lost(self, partitions: frozenset[int]) -> None:
        doing = [task for task, partition in self._doing.items() if partition in partitions]
        for task in doing:
            task.cancel()
        self._saying.forget(partitions)
        self._history.forget()
        await self._runs.drop(partitions)
        await asyncio.gather(*doing, return_exceptions=True)

    async def _give_up(self, received: Received, why: str) -> None:
        """A command that cannot be carried out is kept. Where not even that can be done, the process ends."""
        if received.record is None:
            return
        try:
            await self._dead(received.record, f"carrying it out failed with {why}")
        except Exception as error:
            self._unforeseen(error)
            raise

    async def _dead(self, record: Record, why: str) -> None:
        """What cannot be understood is kept, byte for byte, and holds up nobody."""
        letter = DeadLetter(
            at=self._running.clock.now(),
            service=SERVICE,
            reason="cannot_read",
            detail=why,
            source_topic=record.topic.name,
            source_partition=record.partition,
            source_offset=record.offset,
            key=record.key,
            value=record.value,
            headers=record.headers,
        )
        record_id = ids.record_id(record.topic.name, record.partition, record.offset, 0)
        await self._producer.publish(DEAD_LETTERS, record.key, letter, record_id)
        self._running.emitter.count(metrics.DEAD_LETTERS)
        log.error(
            "a command cannot be understood and is kept in dead.letters (%s, partition %d, offset %d)",
            *(why, record.partition, record.offset),
        )

    async def _gone(self, partition: int, gone: Gone) -> None:
        """Retention was faster than every responder. What is newer does not wait; what was begun gets a last word."""
        now = self._running.clock.now()
        names = tuple(each.effect.run_id for each in gone.begun if each.effect.run_id is not None)
        log.critical(
            "retention deleted commands of partition %d (offsets %d to %d) before they were done with, and nobody can "
            "do them any more. It goes on behind them; the %d that were begun in Slack end with a word on that, and "
            "audit.operations keeps note. Give runs.commands a longer retention, or start one sooner",
            *(partition, gone.first, gone.go_on_at - 1, len(names)),
        )
        said = CommandsGone(at=now, partition=partition, first_lost=gone.first, go_on_at=gone.go_on_at, begun=names)
        record_id = ids.record_id(RUNS_COMMANDS.name, partition, gone.first, gone.go_on_at)
        await self._producer.publish(AUDIT_OPERATIONS, str(partition), said, record_id)
        await asyncio.gather(*(self._end_begun(partition, each) for each in gone.begun))

    async def _end_begun(self, partition: int, begun: Begun) -> None:
        """Its request is nowhere any more, as that of a retry may be: it ends as that would."""
        effect, now = begun.effect, self._running.clock.now()
        run_id, named = effect.run_id or "", ("tenant_id", "connection", "team_id", "channel_id", "thread_ts")
        place = Place(**{name: getattr(effect, name) for name in named})
        command = RetryAsked(
            at=now,
            cause=run_id,
            place=place,
            run_id=run_id,
            retry_of=run_id,
            user_id=NOBODY,
            directory_revision=0,
            received_at=now,
        )
        subject = Subject(
            command_id=effect.command_id or run_id,
            **place.model_dump(),
            key=ids.thread_key(effect.team_id, effect.channel_id or "", effect.thread_ts),
            partition=partition,
            run_id=run_id,
        )
        ended = asyncio.Event()
        self._runs.take(Run(command, subject, begun.standing), ended.set)
        await ended.wait()

    def _unforeseen(self, error: BaseException) -> None:
        if not self._broken.done():
            self._broken.set_exception(error)


def _subject(place: Place, received: Received) -> Subject:
    if received.record is None:
        raise TypeError("a command stands somewhere")
    key = received.record.key
    return Subject(
        command_id=received.id,
        tenant_id=place.tenant_id,
        connection=place.connection,
        team_id=place.team_id,
        channel_id=place.channel_id or "",
        thread_ts=place.thread_ts,
        key=key.decode("utf-8", "replace") if key is not None else "",
        partition=received.record.partition,
    )


def _place(message: OutboundMessage) -> Place:
    named = ("tenant_id", "connection", "team_id", "channel_id", "thread_ts")
    return Place(**{name: getattr(message, name) for name in named})


async def _unless(told: asyncio.Event, work: Coroutine[Any, Any, Any]) -> bool:
    """Does it, and says whether it was done: who is told to leave meanwhile does not wait for its end."""
    doing, leaving = asyncio.ensure_future(work), asyncio.ensure_future(told.wait())
    await asyncio.wait({doing, leaving}, return_when=asyncio.FIRST_COMPLETED)
    leaving.cancel()
    if not doing.done():
        doing.cancel()
        return False
    await doing
    return True


async def _after(event: asyncio.Event, commands: Commands) -> None:
    await event.wait()
    await commands.run()


async def _wait_for(broken: "asyncio.Future[None]") -> None:
    await broken


async def _told(stopping: asyncio.Event) -> None:
    await stopping.wait()
