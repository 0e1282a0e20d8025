"""Looks at what a group has committed, again and again, and at how far two other topics had come by then."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from schemas.topics import AUDIT_RUNS, RUNS_COMMANDS, SLACK_EFFECTS, Topic
from services.kit.groups import KafkaSettings
from services.kit.kafka.admin import admin_client
from services.kit.kafka.connection import client_arguments

LOOK_EVERY_S = 0.25


@dataclass(frozen=True)
class Look:
    """One partition at one moment. The ends were asked for after the commit: what stands behind them came later."""

    partition: int
    commit: int
    audit_end: int
    effects_end: int


async def looks(kafka: KafkaSettings, group: str, found: list[Look]) -> None:
    """Adds a look for each commit that is new. While the broker is away there is nothing to be seen."""
    while True:
        try:
            await _look_on(kafka, group, found)
        except (KafkaError, OSError):
            await asyncio.sleep(1)


async def _look_on(kafka: KafkaSettings, group: str, found: list[Look]) -> None:
    async with admin_client(kafka) as client:
        consumer = AIOKafkaConsumer(**client_arguments(kafka), group_id=None)
        try:
            await consumer.start()
            seen = {look.partition: look.commit for look in found}
            while True:
                commits = await committed(client, kafka, group)
                fresh = {number: commit for number, commit in commits.items() if seen.get(number) != commit}
                if fresh:
                    audit, effects = (
                        await _ends(consumer, kafka, AUDIT_RUNS),
                        await _ends(consumer, kafka, SLACK_EFFECTS),
                    )
                    found += [Look(number, commit, audit[number], effects[number]) for number, commit in fresh.items()]
                    seen |= fresh
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await consumer.stop()


async def committed(client: AIOKafkaAdminClient, kafka: KafkaSettings, group: str) -> dict[int, int]:
    """What a group has committed of runs.commands, by partition."""
    name = f"{kafka.topic_prefix}{RUNS_COMMANDS.name}"
    offsets = await client.list_consumer_group_offsets(f"{kafka.topic_prefix}{group}")
    return {tp.partition: each.offset for tp, each in offsets.items() if tp.topic == name and each.offset >= 0}


async def _ends(consumer: AIOKafkaConsumer, kafka: KafkaSettings, topic: Topic) -> Mapping[int, int]:
    partitions = [TopicPartition(f"{kafka.topic_prefix}{topic.name}", each) for each in range(kafka.topic_partitions)]
    return {tp.partition: end for tp, end in (await consumer.end_offsets(partitions)).items()}
