"""Reads agents.events as one of the group: each batch is folded, what follows is written, and then it stands."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final, cast

import asyncpg
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from typing_extensions import override

from schemas.agent import (
    AgentEvent,
    ApprovalAttempted,
    ApprovalDecided,
    Intervention,
    RunWaitedOut,
    RunWaits,
    TaskCheckpoint,
    TaskEnded,
    TaskJudged,
)
from schemas.record import CannotRead, UnknownEvent
from schemas.topics import AGENTS_EVENTS
from services.directory.faults import DatabaseAway, WrongRole, told
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.consumer import fetched, record_of
from services.kit.kafka.durable import patiently
from services.kit.kafka.fence import Fence
from services.kit.turns import in_turns
from services.supervisor import metrics
from services.supervisor.adapters import partitions
from services.supervisor.adapters.dead import keep_dead
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.partitions import Heard, Moved, Partition
from services.supervisor.adapters.sending import send_all
from services.supervisor.decisions.following import Following, following
from services.supervisor.decisions.keeping import Keeping
from services.supervisor.decisions.projecting import Step, keys_of
from services.supervisor.decisions.runs import following_run
from services.supervisor.decisions.task import Task
from services.supervisor.settings import SERVICE

log = logging.getLogger(__name__)

POLL_MS, AT_ONCE = 200, 1000
BEATS: Final = 5.0
"""Heartbeats in each session."""
NEVER_MS: Final = 10**9
"""Who has nothing to do, or waits for Postgres, does not leave the group for that."""
AGAIN_S: Final = 0.5
CYCLE_S, RESTS, LONGEST_REST_S = 0.05, 2.0, 0.2
"""A batch begins no sooner after the one before, and after a rest of so many times what that took."""
NO_PARTITIONS: Final = "it waits for its partitions"
NOT_HEARD: Final = "its group has not answered for a while: nothing is said of tasks until it does"
MAY_NOT: Final = (
    "the role of DATABASE_URL may not do what this version needs; what agents report is kept in the topic. `threadline "
    "directory migrate`, with DATABASE_URL beside THREADLINE_DATABASE_OWNER_URL, lets it"
)
COMMIT_EVERY_S: Final = 1.0
LET_GO_EVERY_S: Final = 1.0


class Folding(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka has no types
    """The group's member, and the partitions that it has in hand."""

    def __init__(self, given: Given) -> None:
        self._given, settings = given, given.settings
        self._settings, self._database, self._producer = settings, given.database, given.producer
        self._clock, self._emitter = given.instruments.clock, given.instruments.emitter
        self.changed: Callable[[], None] = lambda: None
        """Hears that tasks in hand changed."""
        self.fence = Fence(self._clock, settings.supervisor_session_s)
        """Whether this process may still speak for its partitions."""
        self._partitions: dict[int, Partition] = {}
        self._topic = f"{settings.topic_prefix}{AGENTS_EVENTS.name}"
        self._away: str | None = None
        self._commit_at = self._let_go_at = 0.0
        session_ms = int(settings.supervisor_session_s * 1000)
        self._consumer = AIOKafkaConsumer(
            **client_arguments(settings),
            group_id=f"{settings.topic_prefix}{SERVICE}",
            group_instance_id=given.name,
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=int(session_ms / BEATS),
            rebalance_timeout_ms=session_ms,
            max_poll_interval_ms=NEVER_MS,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        self._consumer.subscribe([self._topic], listener=self)

    @property
    def partitions(self) -> Sequence[Partition]:
        """Those in hand, for which this process may still act."""
        return [each for each in self._partitions.values() if self.fence.may_act(each.number)]

    def trouble(self) -> str | None:
        """Why nothing is folded, or nothing said, if that is so."""
        if self._away is not None:
            return self._away
        ours = {each.partition for each in self._consumer.assignment()}
        if not ours or ours != self._partitions.keys():
            return NO_PARTITIONS
        return None if self.partitions else NOT_HEARD

    async def run(self) -> None:
        """Reads until it is cancelled."""
        try:
            await self._consumer.start()
            self.fence.watch(self._consumer)
            while True:
                await self._load_new()
                batches = await fetched(self._consumer, timeout_ms=POLL_MS, max_records=AT_ONCE)
                began = self._clock.monotonic()
                await asyncio.gather(*(self._take(tp, records) for tp, records in batches.items()))
                await self._tell_the_group()
                self._let_go()
                if count := sum(map(len, batches.values())):
                    await self._rest(self._clock.monotonic() - began, count)
        finally:
            await self._consumer.stop()

    async def _rest(self, took_s: float, count: int) -> None:
        """Lets some gather where many come: Postgres takes many as fast as few. Who has fallen behind does not rest."""
        if count < AT_ONCE:
            await asyncio.sleep(min(max(CYCLE_S - took_s, RESTS * took_s), LONGEST_REST_S))

    async def _load_new(self) -> None:
        """Takes in hand what is ours and is not. Nothing of it is read before."""
        new = [tp for tp in sorted(self._consumer.assignment()) if tp.partition not in self._partitions]
        if new:
            await self._load(*new)

    async def _load(self, *new: TopicPartition) -> None:
        """All of them at once: the broker answers a question about offsets when a fetch under way is over."""
        firsts = await patiently(partial(self._consumer.beginning_offsets, new))
        keeping = Keeping(timedelta(days=self._settings.supervisor_keep_days), self._clock.now())
        loaded: dict[TopicPartition, Partition] = {
            tp: await self._until_it_answers(partial(partitions.load, self._database, tp.partition, first, keeping))
            for tp, first in firsts.items()
        }
        # Asked after the tables: nobody folds what the log does not have yet.
        for tp, end in (await patiently(partial(self._consumer.end_offsets, new))).items():
            try:
                if loaded[tp].next_offset > end:
                    await self._until_it_answers(partial(partitions.step_back, self._database, loaded[tp], end))
            except Moved:
                continue  # what was loaded is old already: it is taken in hand anew before the next look at the topic
            self._take_in_hand(tp, loaded[tp], firsts[tp])
        self.changed()

    def _take_in_hand(self, tp: TopicPartition, loaded: Partition, first: int) -> None:
        if tp not in self._consumer.assignment():
            return
        self._partitions[tp.partition] = loaded
        self._consumer.seek(tp, max(loaded.next_offset, first))
        self._consumer.resume(tp)
        log.info(
            "partition %d of %s is in hand, with %d tasks",
            tp.partition,
            AGENTS_EVENTS.name,
            len(loaded.projection.tasks),
        )

    async def _take(self, tp: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        """One batch. Where it cannot be written, what stands in Postgres is taken anew, and all of it read again."""
        partition = self._partitions.get(tp.partition)
        records = [each for each in records if partition is not None and each.offset >= partition.next_offset]
        if partition is None or not records:
            return
        try:
            await self._fold(partition, records)
        except (Moved, DatabaseAway) as error:
            log.warning("partition %d is taken up again (%s)", tp.partition, type(error).__name__)
            await self._take_up_again(tp)
        except asyncpg.InsufficientPrivilegeError:
            raise WrongRole(MAY_NOT) from None
        except asyncpg.PostgresError as error:
            log.warning("partition %d is taken up again (%s)", tp.partition, type(error).__name__)
            await self._take_up_again(tp)
            if is_of_its_data(error):
                await self._one_by_one(tp, records)
            else:
                await asyncio.sleep(AGAIN_S)
        self.changed()

    async def _fold(self, partition: Partition, records: Sequence[ConsumerRecord]) -> None:
        heard = [each async for raw in in_turns(records) if (each := await self._heard(raw)) is not None]
        with told():
            await partitions.fetch_missing(self._database, partition, keys_of(each.event for each in heard))
        steps = [partitions.fold(partition, each) async for each in in_turns(heard)]
        await send_all(self._producer, self._follow(heard, steps))
        with told():
            await partitions.write(self._database, partition, records[-1].offset + 1)
        self._count(heard, steps)

    async def _take_up_again(self, tp: TopicPartition) -> None:
        """From what stands in Postgres, if it is still ours."""
        self._partitions.pop(tp.partition, None)
        if tp in self._consumer.assignment():
            self._consumer.pause(tp)
            await self._load(tp)

    async def _one_by_one(self, tp: TopicPartition, records: Sequence[ConsumerRecord]) -> None:
        """One of them is what Postgres does not take. It is kept as a dead letter, and holds up nobody."""
        for raw in records:
            partition = self._partitions.get(tp.partition)
            if partition is None or raw.offset < partition.next_offset:
                continue
            try:
                await self._fold(partition, [raw])
            except (Moved, DatabaseAway):
                await self._take_up_again(tp)
                return
            except asyncpg.PostgresError as error:
                await self._take_up_again(tp)
                if not is_of_its_data(error) or not await self._left_out(tp, raw, error):
                    return

    async def _left_out(self, tp: TopicPartition, raw: ConsumerRecord, error: asyncpg.PostgresError) -> bool:
        """Whether it goes on behind a record."""
        partition = self._partitions.get(tp.partition)
        if partition is None:
            return False
        await keep_dead(self._given, record_of(raw, self._settings.topic_prefix), f"Postgres: {type(error).__name__}")
        try:
            with told():
                await partitions.write(self._database, partition, raw.offset + 1)
        except (Moved, DatabaseAway):
            await self._take_up_again(tp)
            return False
        return True

    def _follow(self, heard: Sequence[Heard], steps: Sequence[Step]) -> list[Following]:
        """Each once, however many events lead to it."""
        pairs = zip(heard, steps, strict=True)
        found = {more.id: more for each, step in pairs for more in _followings(each, step)}
        return list(found.values())

    async def _heard(self, raw: ConsumerRecord) -> Heard | None:
        record = record_of(raw, self._settings.topic_prefix)
        try:
            attributes, event = record.decode()
        except CannotRead as error:
            await keep_dead(self._given, record, str(error))
            return None
        if isinstance(event, UnknownEvent):
            log.warning(
                "offset %d of partition %d is a %s, which is newer than this version",
                *(record.offset, record.partition, event.type),
            )
            return None
        return Heard(cast("AgentEvent", event), attributes.id, record.offset)  # the topic holds no others

    def _count(self, heard: Sequence[Heard], steps: Sequence[Step]) -> None:
        cost_usd, repeats = 0.0, 0
        for each, step in zip(heard, steps, strict=True):
            if step.is_repeat:
                repeats += 1
                continue
            match each.event:
                case TaskCheckpoint(cost_usd=cost) if step.after is not step.before:
                    cost_usd += cost or 0.0
                case TaskJudged(judgement=judgement) if step.after is not step.before:
                    self._emitter.count(metrics.JUDGEMENTS, judgement=judgement)
                case TaskEnded(status=status) if step.after is not step.before:
                    self._emitter.count(metrics.ENDED, status=status)
                case ApprovalDecided(outcome=outcome) if step.after is not step.before:
                    self._emitter.count(metrics.DECISIONS, outcome=outcome)
                    took = (self._clock.now() - each.event.at).total_seconds()
                    self._emitter.observe(metrics.DECIDE_SECONDS, max(0.0, took))
                case ApprovalAttempted(fault=fault):
                    self._emitter.count(metrics.ATTEMPTS, fault=fault)
                case _:
                    pass
        if cost_usd:
            self._emitter.count(metrics.COST, cost_usd)
        if repeats:
            self._emitter.count(metrics.EVENTS, repeats, result="repeated")

    async def _until_it_answers(self, ask: Callable[[], Any]) -> Any:
        """Postgres may be away, and tasks must wait."""
        while True:
            try:
                with told():
                    answer = await ask()
            except DatabaseAway as fault:
                if self._away is None:
                    log.warning("%s; what agents report is kept in the topic meanwhile", fault)
                self._away = "Postgres does not answer: tasks are as they were"
                self._emitter.set(metrics.DATABASE_AWAY, 1)
                await asyncio.sleep(AGAIN_S)
            else:
                self._away = None
                self._emitter.set(metrics.DATABASE_AWAY, 0)
                return answer

    def _let_go(self) -> None:
        """Of what is over for long. Only here: a batch that is folded meanwhile counts on what it found in hand."""
        now = self._clock.monotonic()
        if now < self._let_go_at:
            return
        self._let_go_at, since = now + LET_GO_EVERY_S, self._clock.now() - partitions.IN_HAND
        for each in self._partitions.values():
            each.projection.forget(lambda task: task.received_at < since and _is_done_with(task))

    async def _tell_the_group(self) -> None:
        """What counts stands in Postgres. The group's offsets are for people, and for their tools."""
        self._emitter.set(metrics.PARTITIONS, len(self._partitions))
        now = self._clock.monotonic()
        if now < self._commit_at:
            return
        self._commit_at = now + COMMIT_EVERY_S
        ours = {tp: self._partitions.get(tp.partition) for tp in self._consumer.assignment()}
        at = {tp: each.next_offset for tp, each in ours.items() if each is not None}
        ends = {tp: self._consumer.highwater(tp) or 0 for tp in at}
        self._emitter.set(metrics.FOLD_LAG, sum(max(0, ends[tp] - offset) for tp, offset in at.items()))
        try:
            if at:
                await self._consumer.commit(at)
        except (KafkaError, IllegalStateError) as error:
            log.info("the group was not told how far it is (%s)", type(error).__name__)

    @override
    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Others may have them. What was not written yet, they read again; nobody speaks of tasks meanwhile."""
        self.fence.close()

    @override
    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Ours from now on. What others may have folded meanwhile is taken from Postgres."""
        self._partitions.clear()
        self.fence.joined(frozenset(tp.partition for tp in assigned))
        for tp in assigned:
            self._consumer.pause(tp)


def _followings(heard: Heard, step: Step) -> Iterator[Following]:
    yield from following(heard.event, step, heard.id)
    if isinstance(heard.event, ApprovalDecided | Intervention | RunWaits | RunWaitedOut):
        yield from following_run(heard.event, step)


def is_of_its_data(error: asyncpg.PostgresError) -> bool:
    """Whether it is what was written that Postgres does not take, now or later; anything else passes."""
    return (error.sqlstate or "")[:2] in {"22", "23", "54"}


def _is_done_with(task: Task) -> bool:
    """Whether nothing is expected of it: it is over, or long silent. Where it speaks it is taken in hand again."""
    return task.is_over or task.silent_since is not None
