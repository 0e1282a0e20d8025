"""The cut: up to where a backup goes, chosen so that it is as the log is after a crash, also while services run."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.topics import TOPICS
from services.backup.adapters.groups import commits_of
from services.backup.decisions.causes import consequences_first
from services.backup.decisions.manifest import Commit
from services.kit.groups import KafkaSettings
from services.kit.kafka.admin import admin_client, live_topics
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.consumer import let_go

AGAIN_MS: Final = 10
"""After so long the client asks again for the leaders of a topic of which it has not heard."""


@dataclass(frozen=True)
class Cut:
    """What belongs to a backup."""

    bounds: Mapping[tuple[str, int], range]
    """By topic, without its prefix, and partition."""
    commits: tuple[Commit, ...]
    absent: tuple[str, ...]
    """Topics that the cluster does not have."""


async def cut(settings: KafkaSettings, groups: Sequence[str]) -> Cut:
    """Commits first, then the ends of topics: the audit, the ledger, commands, the journal, and slack.inbound last.

    So everything that a commit says is done stands below the ends, and so does the cause of whatever stands there. What
    has no consequence yet is above the commits, and is done after a restore, as it is after a crash.
    """
    prefix = settings.topic_prefix
    async with admin_client(settings) as client:
        live = await live_topics(client, [f"{prefix}{topic.name}" for topic in TOPICS])
        counts = {topic.name: live[name].partitions for topic in TOPICS if (name := f"{prefix}{topic.name}") in live}
        commits = [each for group in groups for each in await commits_of(client, settings, group, counts)]
    bounds = await bounds_of(settings, consequences_first(counts))
    return Cut(
        bounds={(name, number): bounds[name, number] for name, count in counts.items() for number in range(count)},
        commits=tuple(commits),
        absent=tuple(topic.name for topic in TOPICS if topic.name not in counts),
    )


async def bounds_of(settings: KafkaSettings, counts: Mapping[str, int]) -> dict[tuple[str, int], range]:
    """The offsets of the records of some topics, looked at one topic after the other, with so many partitions each."""
    found: dict[tuple[str, int], range] = {}
    async with _looking(settings) as consumer:
        for name, count in counts.items():
            places = [TopicPartition(f"{settings.topic_prefix}{name}", number) for number in range(count)]
            ends, begins = await consumer.end_offsets(places), await consumer.beginning_offsets(places)
            found |= {(name, each.partition): range(begins[each], max(begins[each], ends[each])) for each in places}
    return found


async def newer_than(settings: KafkaSettings, moments: Mapping[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    """The first offset of each of these partitions that has a later time, in milliseconds; where there is one."""
    places = {TopicPartition(f"{settings.topic_prefix}{name}", number): (name, number) for name, number in moments}
    async with _looking(settings) as consumer:
        found = await consumer.offsets_for_times({each: moments[place] + 1 for each, place in places.items()})
    return {places[each]: at.offset for each, at in found.items() if at is not None}


@asynccontextmanager
async def _looking(settings: KafkaSettings) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(**client_arguments(settings), group_id=None, retry_backoff_ms=AGAIN_MS)
    await consumer.start()
    try:
        yield consumer
    finally:
        await let_go(consumer)
