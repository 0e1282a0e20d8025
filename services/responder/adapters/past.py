"""Looks up in the topics what a run was asked and how it went: in the partition of its thread."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from aiokafka.partitioner import DefaultPartitioner

from schemas import ids
from schemas.base import Event
from schemas.command import RetryAsked, RunRequested
from schemas.effect import Entry
from schemas.record import CannotRead
from schemas.run import RunCancel, RunState
from schemas.topics import AUDIT_RUNS, RUNS_COMMANDS, SLACK_EFFECTS, Topic
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import newest_of, record_of, to_end
from services.kit.kafka.durable import patiently
from services.responder.decisions.effects import Subject
from services.responder.decisions.standing import Standing

AT_ONCE: Final = 4
MOST: Final = 50_000
"""So many records of a partition are looked through, the newest."""

Asked = RunRequested | RetryAsked
Wanted = Callable[[object], bool]


class Past:
    """What the topics still hold."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def request(self, run_id: str, subject: Subject) -> RunRequested | None:
        """What a run was asked; behind a click on "Try again" stands the first question."""
        seen: dict[str, Asked] = {}
        for event in await self._events(RUNS_COMMANDS, subject, lambda event: isinstance(event, Asked)):
            if isinstance(event, Asked):
                seen.setdefault(event.run_id, event)
        found, hops = seen.get(run_id), 0
        while isinstance(found, RetryAsked) and hops < len(seen):
            found, hops = seen.get(found.retry_of), hops + 1
        return found if isinstance(found, RunRequested) and found.place.connection == subject.connection else None

    async def command(self, run_id: str, subject: Subject) -> Asked | None:
        """The command that asked for a run."""
        found = await self._events(
            RUNS_COMMANDS, subject, lambda event: isinstance(event, Asked) and event.run_id == run_id
        )
        mine = [each for each in found if isinstance(each, Asked) and each.place.connection == subject.connection]
        return mine[0] if mine else None

    async def states(self, run_id: str, subject: Subject) -> list[RunState | RunCancel]:
        """How it went."""
        wanted = RunState | RunCancel
        found = await self._events(
            AUDIT_RUNS, subject, lambda event: isinstance(event, wanted) and event.run_id == run_id
        )
        return [each for each in found if isinstance(each, wanted) and each.connection == subject.connection]

    async def standing(self, run_id: str, subject: Subject) -> Standing:
        """Everything that the ledger holds of a run, however long ago it began."""
        found = Standing()
        for event in await self._events(
            SLACK_EFFECTS, subject, lambda event: isinstance(event, Entry) and event.effect.run_id == run_id
        ):
            if isinstance(event, Entry):
                found.take(event)
        return found

    async def _events(self, topic: Topic, subject: Subject, wanted: Wanted) -> list[Event]:
        """Of the thread's partition; and of the channel's, where a slash command that knew no thread stands."""
        top = ids.thread_key(subject.connection.partition(":")[2], subject.channel_id, None)
        every = list(range(self._settings.topic_partitions))
        channels: int = DefaultPartitioner()(top.encode(), every, every)
        found: dict[str, Event] = {}
        async with self._turns:
            for partition in {subject.partition, channels}:
                await patiently(partial(self._read, topic, partition, wanted, found))
        return list(found.values())

    async def _read(
        self, topic: Topic, partition: int, wanted: Callable[[object], bool], found: dict[str, Event]
    ) -> None:
        async with newest_of(self._settings, topic, partition, MOST) as consumer:
            async for raw in to_end(consumer):
                try:
                    attributes, event = record_of(raw, self._settings.topic_prefix).decode()
                except CannotRead:
                    continue  # it was counted when it was met first
                if isinstance(event, Event) and wanted(event):
                    found.setdefault(attributes.id, event)
