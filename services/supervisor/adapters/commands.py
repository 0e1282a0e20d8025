"""Reads agents.commands as one of a group: what people click and type, and runs that wait for them.

One after the other for each workspace.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import asyncpg
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from schemas.agent import ApprovalAnswered, RunOver, TaskCommanded, ToolsWanted
from schemas.record import CannotRead
from schemas.topics import AGENTS_COMMANDS
from services.directory.faults import DatabaseAway
from services.directory.holding import Known
from services.kit.kafka.consumer import fetched, group_consumer, record_of
from services.supervisor import metrics
from services.supervisor.adapters.agents import Agents
from services.supervisor.adapters.dead import keep_dead
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.queries import Queries
from services.supervisor.adapters.rights import rights_of
from services.supervisor.adapters.sending import send_all
from services.supervisor.adapters.waiting import Waiting
from services.supervisor.decisions import commanding, parsing, runs
from services.supervisor.decisions.commanding import Asking
from services.supervisor.decisions.following import Following
from services.supervisor.settings import COMMANDS_GROUP

log = logging.getLogger(__name__)

Commanded = ApprovalAnswered | TaskCommanded | ToolsWanted | RunOver
POLL_MS, AT_ONCE = 200, 100
AGAIN_S: Final = 0.5


class Commands:
    """The group's member. A command is done with when all that it leads to stands; done again, it leads to the same."""

    def __init__(self, given: Given, queries: Queries, agents: Agents, waiting: Waiting) -> None:
        self._given, self._queries, self._agents, self._waiting = given, queries, agents, waiting
        self._settings, self._directory, self._producer = given.settings, given.directory, given.producer
        self._clock = given.instruments.clock
        self._reached: dict[TopicPartition, int] = {}

    async def run(self) -> None:
        """Reads until it is cancelled."""
        async with group_consumer(
            self._settings, COMMANDS_GROUP, [AGENTS_COMMANDS], member=self._given.name
        ) as consumer:
            while True:
                batches = await fetched(consumer, timeout_ms=POLL_MS, max_records=AT_ONCE)
                self._tell(consumer, {tp: records[0].offset for tp, records in batches.items()})
                await asyncio.gather(*(self._take(records) for records in batches.values()))
                done = {tp: records[-1].offset + 1 for tp, records in batches.items()}
                self._tell(consumer, done)
                await self._commit(consumer, done)

    def _tell(self, consumer: Any, reached: Mapping[TopicPartition, int]) -> None:
        """How many are still to be carried out, in the partitions that are this member's."""
        ours = consumer.assignment()
        self._reached = {tp: offset for tp, offset in {**self._reached, **reached}.items() if tp in ours}
        left = [max(0, (consumer.highwater(tp) or 0) - offset) for tp, offset in self._reached.items()]
        self._given.instruments.emitter.set(metrics.COMMANDS_LAG, sum(left))

    async def _commit(self, consumer: Any, done: dict[TopicPartition, int]) -> None:
        try:
            if done:
                await consumer.commit(done)
        except (CommitFailedError, IllegalStateError, KafkaError) as error:
            log.info("what people commanded is read again, and recognised (%s)", type(error).__name__)

    async def _take(self, records: Iterable[ConsumerRecord]) -> None:
        for raw in records:
            record = record_of(raw, self._settings.topic_prefix)
            try:
                _, event = record.decode()
            except CannotRead as error:
                await keep_dead(self._given, record, str(error))
                continue
            if not isinstance(event, Commanded):
                continue
            try:
                await send_all(self._producer, await self._until_known(event))
                if isinstance(event, ToolsWanted):
                    await send_all(self._producer, self._waiting.stood(event))
            except (asyncpg.DataError, ValueError) as error:  # its words are of no use to anybody
                await keep_dead(self._given, record, f"carrying it out failed with {type(error).__name__}")

    async def _until_known(self, command: Commanded) -> list[Following]:
        """Where Postgres is away, a click waits: nobody must be told that there is no such task."""
        while True:
            try:
                return list(await self._lead_to(command))
            except DatabaseAway as fault:
                log.warning("a %s waits: %s", command.type, fault)
                await asyncio.sleep(AGAIN_S)

    async def _lead_to(self, command: Commanded) -> Iterator[Following]:
        match command:
            case ApprovalAnswered() | TaskCommanded():
                return await self._of_person(command)
            case ToolsWanted():
                return runs.waits(command)
            case RunOver():
                return runs.over(command)

    async def _of_person(self, command: ApprovalAnswered | TaskCommanded) -> Iterator[Following]:
        tenant = await self._directory.tenant(command.tenant_id)
        if not isinstance(tenant, Known):
            return iter(())
        asking = Asking(command, rights_of(tenant), self._clock.now())
        if isinstance(command, ApprovalAnswered):
            found = await self._queries.approval(command.tenant_id, command.approval_id)
            if found is None:
                return asking.told(commanding.NO_SUCH_APPROVAL)
            return commanding.answered(asking, command, found.task, found.approval)
        return await self.carried_out(asking, command, tenant)

    async def _meant(self, asking: Asking, command: TaskCommanded, tenant: Known) -> Iterator[Following]:
        """Plain words, by rules."""
        if command.for_model:
            return iter(())  # they are read by a group of their own
        found = parsing.meant(command.text, await self._agents.of(command.tenant_id))
        if found is None and self._settings.supervisor_model is not None:
            return iter([commanding.handed_over(command)])
        if found is None or (command.quoted and found.verb != "run"):
            return commanding.not_understood(asking, command)
        return await self.carried_out(asking, commanding.in_order(command, found), tenant)

    async def carried_out(self, asking: Asking, command: TaskCommanded, tenant: Known) -> Iterator[Following]:
        """What a command leads to, as things stand."""
        match command.verb:
            case "list":
                listed = await self._queries.listed(command.tenant_id, None, None, commanding.MOST_LISTED + 1)
                return commanding.listed(asking, [each.task for each in listed])
            case "show" | "cancel" | "pause" | "resume" | "tell":
                return await self._about_task(asking, command)
            case "approve" | "reject" | "answer":
                return await self._about_approval(asking, command)
            case "run":
                agent_id, _, text = command.text.strip().partition(" ")
                channel = tenant.facts.agents_channel_in(command.connection.partition(":")[2])
                return commanding.wanted(asking, agent_id, text, channel)
            case "text":
                return await self._meant(asking, command, tenant)
            case "help":
                return asking.told(commanding.HELP)

    async def _about_task(self, asking: Asking, command: TaskCommanded) -> Iterator[Following]:
        named = command.task_id or ""
        task = await self._queries.task(command.tenant_id, named)
        if task is None:
            return asking.told(commanding.NO_SUCH_TASK) if command.addressed else iter(())
        if command.verb != "show":
            return commanding.ordered(asking, command, task)
        return commanding.shown(
            asking, task, await self._queries.children(command.tenant_id, named, commanding.MOST_LISTED)
        )

    async def _about_approval(self, asking: Asking, command: TaskCommanded) -> Iterator[Following]:
        named, tenant_id = command.task_id or "", command.tenant_id
        found = await self._queries.approval(tenant_id, named)
        if found is None:
            waiting = await self._queries.approvals_open(tenant_id, named, commanding.MOST_LISTED)
            if len(waiting) > 1:
                return commanding.which(asking, [(each.task, each.approval) for each in waiting])
            found = waiting[0] if waiting else await self._queries.approval_as_asked(tenant_id, named, None)
        if found is None:
            return asking.told(commanding.NO_SUCH_APPROVAL) if command.addressed else iter(())
        if command.verb == "approve" or command.trigger_id is None:  # plain words open no form
            return commanding.decided_by_name(asking, command, found.task, found.approval)
        return commanding.form_wanted(asking, command, found.task, found.approval)
