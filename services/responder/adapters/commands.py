"""Reads runs.commands as one of the group: never waits for a run, and commits below the oldest unfinished."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from opentelemetry.context import Context
from typing_extensions import override

from schemas.command import RetryAsked, RunRequested, RunResumed
from schemas.record import CannotRead, UnknownEvent
from schemas.topics import RUNS_COMMANDS
from services.kit.groups import KafkaSettings
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.consumer import Record, fetched, record_of
from services.kit.kafka.durable import patiently
from services.kit.kafka.fence import Fence
from services.kit.telemetry.traces import context_of
from services.responder.adapters.loading import Gone, Loaded, load
from services.responder.decisions.standing import Standing
from services.responder.decisions.watermark import Watermark

log = logging.getLogger(__name__)

COMMIT_EVERY_S: Final = 0.5
POLL_MS, POLL_MOST = 200, 500
BEATS: Final = 5.0
"""Heartbeats in each session."""
NEVER_MS: Final = 10**9
"""Who has nothing to do does not leave the group for that."""


@dataclass(frozen=True)
class Received:
    """One command in hand."""

    record: Record | None
    """None where it is ours alone, and stands nowhere."""
    id: str
    event: Any
    standing: Standing
    trace: Context = field(default_factory=Context)
    """Which trace it belongs to."""


@dataclass(frozen=True)
class Heard:
    """Who is told of what is read."""

    command: Callable[[Received, Callable[[], None]], None]
    """A command, and what to call when all that it led to stands."""
    dead: Callable[[Record, str], Any]
    """A record that cannot be understood, and why. It is awaited."""
    repeated: Callable[[], None]
    lost: Callable[[frozenset[int]], Awaitable[None]]
    """Partitions that others have now, or may have had. It returns when nothing is done for them any more."""
    quiet: Callable[[], Awaitable[None]]
    """Returns when no call to Slack is under way."""
    gone: Callable[[int, Gone], Awaitable[None]]
    """Commands that are gone. It returns when that is written down, and what was begun of them is ended."""


@dataclass
class _Partition:
    watermark: Watermark
    loaded: Loaded
    committed: int | None = None


@dataclass(frozen=True)
class Membership:
    """Who we are in the group."""

    group: str
    name: str
    session_s: float


class Unloaded(Exception):
    """What stands in a partition could not be read."""


class Commands(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """The group's member."""

    def __init__(self, settings: KafkaSettings, membership: Membership, fence: Fence, heard: Heard) -> None:
        self._settings, self._fence, self._heard = settings, fence, heard
        self._topic = f"{settings.topic_prefix}{RUNS_COMMANDS.name}"
        self._partitions: dict[int, _Partition] = {}
        self._loading: dict[int, asyncio.Task[None]] = {}
        self._was: tuple[str, int] | None = None
        """Who we were in the group when it last shared out its partitions, and how often it had done so."""
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        session_ms = int(membership.session_s * 1000)
        self._consumer = AIOKafkaConsumer(
            **client_arguments(settings),
            group_id=membership.group,
            group_instance_id=membership.name,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=int(session_ms / BEATS),
            rebalance_timeout_ms=session_ms,
            max_poll_interval_ms=NEVER_MS,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        self._consumer.subscribe([self._topic], listener=self)

    @property
    def partitions(self) -> frozenset[int]:
        """Those that are loaded, and worked on."""
        return frozenset(self._partitions)

    @property
    def unfinished(self) -> int:
        """How many commands were read, and are not done with."""
        return sum(len(each.watermark.open) for each in self._partitions.values())

    @property
    def is_loaded(self) -> bool:
        """Whether the group has shared out its partitions, and all of ours are known."""
        return bool(self._consumer.assignment()) and not self._loading

    async def run(self) -> None:
        """Reads until it is cancelled."""
        try:
            await self._consumer.start()
        except BaseException:
            await self._consumer.stop()
            raise
        self._fence.watch(self._consumer)
        committing = asyncio.create_task(self._commit_now_and_then())
        try:
            while True:
                reading: asyncio.Future[Any] = asyncio.ensure_future(
                    fetched(self._consumer, timeout_ms=POLL_MS, max_records=POLL_MOST)
                )
                await asyncio.wait({reading, self._failed, committing}, return_when=asyncio.FIRST_COMPLETED)
                for broken in (self._failed, committing):
                    if broken.done():
                        reading.cancel()
                        await broken
                for tp, records in (await reading).items():
                    for raw in records:
                        await self._take(tp.partition, record_of(raw, self._settings.topic_prefix))
        finally:
            committing.cancel()
            loading = self._stop_loading()
            await asyncio.gather(committing, *loading, return_exceptions=True)
            await self._leave()

    async def _leave(self) -> None:
        try:
            await self._commit()
        except KafkaError as error:
            log.warning("the last commit failed (%s): what was done since the one before is recognised", error)
        self._fence.close()
        await self._consumer.stop()

    async def _take(self, number: int, record: Record) -> None:
        partition = self._partitions.get(number)
        if partition is None or record.offset < partition.watermark.next:
            return
        watermark = partition.watermark
        watermark.read(record.offset)

        def done() -> None:
            watermark.done(record.offset)

        try:
            attributes, event = record.decode()
        except CannotRead as error:
            await self._heard.dead(record, str(error))
            done()
            return
        if isinstance(event, UnknownEvent):
            log.warning(
                "offset %d of partition %d is a %s, which is newer than this version", record.offset, number, event.type
            )
            done()
            return
        if not partition.loaded.names.is_new(attributes.id):
            self._heard.repeated()
            done()
            return
        name = event.run_id if isinstance(event, RunRequested | RetryAsked | RunResumed) else attributes.id
        standing = partition.loaded.ledger.pop(name, None) or Standing()
        self._heard.command(Received(record, attributes.id, event, standing, context_of(attributes)), done)

    async def _commit_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(COMMIT_EVERY_S)
            try:
                await self._commit()
            except (CommitFailedError, IllegalStateError) as error:
                log.info("nothing is committed while partitions are shared out (%s)", type(error).__name__)
            except KafkaError as error:
                log.warning("the commit failed and is tried again (%s)", error)

    async def _commit(self) -> None:
        ours = self._consumer.assignment()
        due = {
            TopicPartition(self._topic, number): each.watermark.at
            for number, each in self._partitions.items()
            if each.watermark.at != each.committed and TopicPartition(self._topic, number) in ours
        }
        if due:
            await self._consumer.commit(due)
            for tp, offset in due.items():
                if (partition := self._partitions.get(tp.partition)) is not None:
                    partition.committed = offset

    @override
    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """The group shares out anew. Nobody calls Slack until that is done; models go on thinking."""
        self._fence.close()
        self._stop_loading()
        await self._heard.quiet()
        try:
            await self._commit()
        except (KafkaError, IllegalStateError) as error:
            log.info("the commit before a rebalance failed (%s): what it left out is recognised", type(error).__name__)

    @override
    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Ours from now on. What was ours before and still is, goes on, if nobody can have had it meanwhile."""
        numbers = frozenset(tp.partition for tp in assigned)
        lost = frozenset(self._partitions) - (numbers if self._were_here() else frozenset())
        for each in lost:
            del self._partitions[each]
        if lost:
            await self._heard.lost(lost)
        self._fence.joined(numbers)
        for tp in assigned:
            partition = self._partitions.get(tp.partition)
            if partition is not None:
                self._consumer.seek(tp, partition.watermark.next)
            else:
                self._consumer.pause(tp)
                self._loading[tp.partition] = task = asyncio.create_task(self._load(tp))
                task.add_done_callback(partial(self._loaded, tp.partition))

    def _were_here(self) -> bool:
        """Whether we took part in the sharing before this one. Who was taken for gone comes back as somebody else."""
        coordinator = self._consumer._coordinator  # noqa: SLF001 - aiokafka 0.14 does not say that partitions were lost
        before, self._was = self._was, (coordinator.member_id, coordinator.generation)
        return before is not None and self._was == (before[0], before[1] + 1)

    def _stop_loading(self) -> "list[asyncio.Task[None]]":
        loading = list(self._loading.values())
        self._loading.clear()
        for task in loading:
            task.cancel()
        return loading

    def _loaded(self, partition: int, task: "asyncio.Task[None]") -> None:
        if self._loading.get(partition) is not task:
            return  # it was stopped, or another is in its place
        del self._loading[partition]
        error = Unloaded(f"partition {partition}") if task.cancelled() else task.exception()
        if error is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def _load(self, tp: TopicPartition) -> None:
        loaded = await patiently(partial(self._read, tp))
        if tp not in self._consumer.assignment():
            return
        watermark = Watermark(loaded.begin_at)
        self._partitions[tp.partition] = _Partition(watermark, loaded)
        self._consumer.seek(tp, loaded.begin_at)
        self._consumer.resume(tp)
        if loaded.gone is not None:
            watermark.open.add(loaded.gone.first)  # whoever comes next sees the gap, too, until it is dealt with
            await self._heard.gone(tp.partition, loaded.gone)
            watermark.done(loaded.gone.first)

    async def _read(self, tp: TopicPartition) -> Loaded:
        return await load(self._settings, tp.partition, await self._consumer.committed(tp))
