"""Looks up in the topics what a run was asked and how it went: in the partition of its thread."""

from collections.abc import Callable
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.base import Event
from schemas.command import RetryAsked, RunRequested
from schemas.record import CannotRead
from schemas.run import RunCancel, RunState
from schemas.topics import AUDIT_RUNS, RUNS_COMMANDS, Topic
from services.kit.groups import KafkaSettings
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.consumer import record_of, to_end
from services.responder.decisions.effects import Subject

MOST: Final = 50_000
"""So many records of a partition are looked through, the newest."""

Asked = RunRequested | RetryAsked


class Past:
    """What the topics still hold."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    async def request(self, run_id: str, subject: Subject) -> RunRequested | None:
        """What a run was asked; behind a click on "Try again" stands the first question."""
        seen: dict[str, Asked] = {}
        for event in await self._events(RUNS_COMMANDS, subject.partition, lambda event: isinstance(event, Asked)):
            if isinstance(event, Asked):
                seen.setdefault(event.run_id, event)
        found, hops = seen.get(run_id), 0
        while isinstance(found, RetryAsked) and hops < len(seen):
            found, hops = seen.get(found.retry_of), hops + 1
        return found if isinstance(found, RunRequested) and found.place.connection == subject.connection else None

    async def command(self, run_id: str, subject: Subject) -> Asked | None:
        """The command that asked for a run."""
        found = await self._events(
            RUNS_COMMANDS, subject.partition, lambda event: isinstance(event, Asked) and event.run_id == run_id
        )
        mine = [each for each in found if isinstance(each, Asked) and each.place.connection == subject.connection]
        return mine[0] if mine else None

    async def states(self, run_id: str, subject: Subject) -> list[RunState | RunCancel]:
        """How it went."""
        wanted = RunState | RunCancel
        found = await self._events(
            AUDIT_RUNS, subject.partition, lambda event: isinstance(event, wanted) and event.run_id == run_id
        )
        return [each for each in found if isinstance(each, wanted) and each.connection == subject.connection]

    async def _events(self, topic: Topic, partition: int, wanted: Callable[[object], bool]) -> list[Event]:
        found: dict[str, Event] = {}
        here = TopicPartition(f"{self._settings.topic_prefix}{topic.name}", partition)
        consumer = AIOKafkaConsumer(**client_arguments(self._settings), group_id=None)
        await consumer.start()
        try:
            consumer.assign([here])
            first, end = (await consumer.beginning_offsets([here]))[here], (await consumer.end_offsets([here]))[here]
            consumer.seek(here, max(first, end - MOST))
            async for raw in to_end(consumer):
                try:
                    attributes, event = record_of(raw, self._settings.topic_prefix).decode()
                except CannotRead:
                    continue  # it was counted when it was met first
                if isinstance(event, Event) and wanted(event):
                    found.setdefault(attributes.id, event)
        finally:
            await consumer.stop()
        return list(found.values())
