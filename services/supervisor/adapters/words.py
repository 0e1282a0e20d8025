"""Reads words that no rule understands, in a group of their own: a model takes seconds, and no click waits for it.

One after the other for each partition.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, TypeVar

import asyncpg
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from schemas.agent import TaskCommanded
from schemas.record import CannotRead
from schemas.topics import AGENTS_COMMANDS
from services.directory.faults import DatabaseAway
from services.directory.holding import Known
from services.kit.kafka.consumer import Record, fetched, group_consumer, record_of
from services.supervisor import metrics
from services.supervisor.adapters.agents import Agents
from services.supervisor.adapters.dead import keep_dead
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.queries import Queries
from services.supervisor.adapters.rights import rights_of
from services.supervisor.adapters.sending import send_all
from services.supervisor.adapters.understanding import NoAnswer, Said, Understanding, understanding
from services.supervisor.decisions import commanding
from services.supervisor.decisions import understanding as deciding
from services.supervisor.decisions.commanding import Asking
from services.supervisor.decisions.following import Following
from services.supervisor.decisions.parsing import Meant
from services.supervisor.settings import WORDS_GROUP

log = logging.getLogger(__name__)

POLL_MS, AT_ONCE = 200, 10
"""So many can be asked about before a group takes a member for dead."""
AGAIN_S: Final = 0.5
TOO_OLD: Final = timedelta(minutes=10)
"""Nobody wants what they wrote so long ago to be done now, without a word meanwhile."""
REMEMBERED: Final = 1000

CarryOut = Callable[[Asking, TaskCommanded, Known], Awaitable[Iterator[Following]]]
Got = TypeVar("Got")


class Words:
    """The group's member. Words are done with when all that they lead to stands."""

    def __init__(self, given: Given, queries: Queries, agents: Agents, carry_out: CarryOut) -> None:
        self._given, self._queries, self._agents, self._carry_out = given, queries, agents, carry_out
        self._settings, self._directory = given.settings, given.directory
        self._clock, self._emitter = given.instruments.clock, given.instruments.emitter
        self._done: OrderedDict[str, None] = OrderedDict()
        """Words that stand twice are asked about once: a second answer might be another one."""

    async def run(self, model: str) -> None:
        """Reads until it is cancelled."""
        async with (
            understanding(model, self._settings) as asked,
            group_consumer(self._settings, WORDS_GROUP, [AGENTS_COMMANDS], member=self._given.name) as consumer,
        ):
            while True:
                batches = await fetched(consumer, timeout_ms=POLL_MS, max_records=AT_ONCE)
                await asyncio.gather(*(self._take(asked, consumer, tp, each) for tp, each in batches.items()))

    async def _take(
        self, asked: Understanding, consumer: Any, where: TopicPartition, records: Sequence[ConsumerRecord]
    ) -> None:
        for raw in records:
            record = record_of(raw, self._settings.topic_prefix)
            words = _words_in(record)
            if words is None or words.command_id in self._done:
                continue
            try:
                led_to = await self._lead_to(asked, words)
                if where not in consumer.assignment():
                    return  # somebody else has them now, and asks
                await send_all(self._given.producer, led_to)
            except (asyncpg.DataError, ValueError) as error:  # they are of no use to anybody
                await keep_dead(self._given, record, f"carrying it out failed with {type(error).__name__}")
            self._remember(words)
            await _commit(consumer, {where: raw.offset + 1})
        await _commit(consumer, {where: records[-1].offset + 1})

    async def _lead_to(self, asked: Understanding, words: TaskCommanded) -> list[Following]:
        if self._clock.now() - words.at > TOO_OLD:
            self._emitter.count(metrics.WORDS, result="too_old")
            return []
        meant = await self._meant(asked, words)
        led_to = await self._until_known(lambda: self._following(words, meant))
        self._emitter.observe(metrics.WORDS_SECONDS, max(0.0, (self._clock.now() - words.at).total_seconds()))
        return led_to

    async def _meant(self, asked: Understanding, words: TaskCommanded) -> Meant | None:
        """What a model makes of them, and nothing where it fails: then they are words that nobody understands."""
        there = await self._until_known(lambda: self._there(words.tenant_id))
        try:
            said = await asked.ask(deciding.question(words.text, there))
        except NoAnswer as why:
            log.warning("the model that reads people's words did not answer (%s): they count as not understood", why)
            self._emitter.count(metrics.WORDS, result="failed")
            return None
        self._count(said)
        meant = deciding.answered(said.text, there, quoted=words.quoted)
        self._emitter.count(metrics.WORDS, result="not_understood" if meant is None else "understood")
        return meant

    def _count(self, said: Said) -> None:
        """What it took, whether or not the answer is of use."""
        self._emitter.count(metrics.WORDS_TOKENS, said.input_tokens, direction="input")
        self._emitter.count(metrics.WORDS_TOKENS, said.output_tokens, direction="output")
        self._emitter.count(metrics.WORDS_COST, said.cost_usd or 0.0)

    async def _there(self, tenant_id: str) -> deciding.Known:
        tasks = await self._queries.listed(tenant_id, None, None, deciding.MOST_TASKS)
        return deciding.known(await self._agents.of(tenant_id), [each.task for each in tasks])

    async def _following(self, words: TaskCommanded, meant: Meant | None) -> list[Following]:
        tenant = await self._directory.tenant(words.tenant_id)
        if not isinstance(tenant, Known):
            return []
        asking = Asking(words, rights_of(tenant), self._clock.now())
        if meant is None:
            return list(commanding.not_understood(asking, words))
        asking = replace(asking, understood=deciding.in_words(meant))
        return list(await self._carry_out(asking, commanding.in_order(words, meant), tenant))

    async def _until_known(self, ask: Callable[[], Awaitable[Got]]) -> Got:
        """Where Postgres is away, words wait; the model is not asked again for that."""
        while True:
            try:
                return await ask()
            except DatabaseAway as fault:
                log.warning("words wait: %s", fault)
                await asyncio.sleep(AGAIN_S)

    def _remember(self, words: TaskCommanded) -> None:
        self._done[words.command_id] = None
        while len(self._done) > REMEMBERED:
            self._done.popitem(last=False)


def _words_in(record: Record) -> TaskCommanded | None:
    """Words for a model. What cannot be read is kept by the group that reads everything."""
    try:
        _, event = record.decode()
    except CannotRead:
        return None
    return event if isinstance(event, TaskCommanded) and event.for_model else None


async def _commit(consumer: Any, done: dict[TopicPartition, int]) -> None:
    try:
        await consumer.commit(done)
    except (CommitFailedError, IllegalStateError, KafkaError) as error:
        log.info("what people wrote is read again, and recognised (%s)", type(error).__name__)
