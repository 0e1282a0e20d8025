"""Consumer groups: where they stand, whether anybody is in them, and putting them where they stood."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import groupby
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError

from services.backup.decisions.manifest import Commit
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.connection import client_arguments

EMPTY_WITHIN_S: Final = 60.0
"""A member that was stopped counts until its session is over."""
LOOK_EVERY_S: Final = 0.5

Answer = TypeVar("Answer")


class InUse(Fault):
    """A group has members."""


async def commits_of(
    client: AIOKafkaAdminClient, settings: KafkaSettings, group: str, topics: Iterable[str]
) -> list[Commit]:
    """Where a group stands in these topics."""
    prefix = settings.topic_prefix
    names = {f"{prefix}{topic}" for topic in topics}
    found = await _answered(lambda: client.list_consumer_group_offsets(f"{prefix}{group}"))
    return [
        Commit(group=group, topic=tp.topic.removeprefix(prefix), partition=tp.partition, offset=at.offset)
        for tp, at in sorted(found.items())
        if at.offset >= 0 and tp.topic in names
    ]


async def must_be_empty(client: AIOKafkaAdminClient, settings: KafkaSettings, groups: Sequence[str]) -> None:
    """Waits until nobody is in them."""
    for group in groups:
        try:
            async with asyncio.timeout(EMPTY_WITHIN_S):
                while await _members(client, f"{settings.topic_prefix}{group}"):  # noqa: ASYNC110 - a group has no event
                    await asyncio.sleep(LOOK_EVERY_S)
        except TimeoutError:
            raise InUse(
                f"the group {settings.topic_prefix}{group} has members: stop every service first (one that was killed "
                "counts until its session is over); nothing was changed"
            ) from None


async def _members(client: AIOKafkaAdminClient, group: str) -> int:
    responses: Any = await _answered(lambda: client.describe_consumer_groups([group]))
    return sum(len(described[5]) for response in responses for described in response.groups)


async def commit(settings: KafkaSettings, commits: Iterable[Commit]) -> None:
    """Groups stand where they stood."""
    for group, those in groupby(sorted(commits, key=lambda each: each.group), key=lambda each: each.group):
        offsets = {
            TopicPartition(f"{settings.topic_prefix}{each.topic}", each.partition): each.offset for each in those
        }
        consumer = AIOKafkaConsumer(
            **client_arguments(settings), group_id=f"{settings.topic_prefix}{group}", enable_auto_commit=False
        )
        await consumer.start()
        try:
            consumer.assign(list(offsets))
            await consumer.commit(offsets)
        finally:
            await consumer.stop()


async def _answered(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """A cluster on which no group ever was makes the place for them first."""
    async with asyncio.timeout(EMPTY_WITHIN_S):
        while True:
            try:
                return await ask()
            except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError):
                await asyncio.sleep(LOOK_EVERY_S)
