"""Topics on a live cluster: what is there, how it differs from the declaration, and making what is missing."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import NodeNotReadyError, TopicAlreadyExistsError, for_code
from typing_extensions import override

from schemas.topics import COPIES, TOPICS, Cluster, TopicSettings, settings_for
from services.kit.fault import Fault
from services.kit.groups import KafkaSettings
from services.kit.kafka.connection import client_arguments

KNOWN_WITHIN_S = 30.0
AGAIN_S = 0.1
ANSWER_WITHIN_MS = 15_000

_SET_ON_THE_TOPIC = 1
"""Kafka's code for a configuration that was set on the topic itself, and is no default."""


@dataclass(frozen=True)
class LiveTopic:
    """A topic as a cluster has it."""

    name: str
    partitions: int
    replication: int
    config: dict[str, str]
    overrides: dict[str, str]
    """What of it was set on the topic itself."""


@dataclass(frozen=True)
class Difference:
    """One thing about a topic that is not as declared."""

    topic: str
    what: str
    live: str
    declared: str

    @override
    def __str__(self) -> str:
        return f"{self.topic}: {self.what} is {self.live}, declared is {self.declared}"

    @property
    def can_be_altered(self) -> bool:
        """Whether a live topic can be brought to it. Partitions and replicas are fixed when it is created."""
        return self.what not in {"partitions", "replication"}


class NotAsDeclared(Fault):
    """The cluster refused to make or to change a topic."""


@asynccontextmanager
async def admin_client(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that may look at and change the cluster."""
    client = AIOKafkaAdminClient(
        **client_arguments(settings), client_id="threadline-topics", request_timeout_ms=ANSWER_WITHIN_MS
    )
    await client.start()
    try:
        await _reach(client)
        yield client
    finally:
        await client.close()


async def _reach(client: AIOKafkaAdminClient) -> None:
    """One broker told the client who they all are: that each can be spoken to may take a moment longer."""
    loop = asyncio.get_running_loop()
    until = loop.time() + KNOWN_WITHIN_S
    while True:
        try:
            await client.describe_cluster()
        except NodeNotReadyError:
            if loop.time() > until:
                raise
            await asyncio.sleep(AGAIN_S)
        else:
            return


async def cluster_of(client: AIOKafkaAdminClient, settings: KafkaSettings) -> Cluster:
    """What the declared topics depend on: the cluster's size, and our prefix and counts.

    A broker that is away for a while counts, since topics name it: the cluster must not look smaller than it is.
    """
    brokers = {broker["node_id"] for broker in (await client.describe_cluster())["brokers"]}
    for topic in await client.describe_topics():
        brokers |= {broker for partition in topic["partitions"] for broker in partition["replicas"]}
    copies = settings.topic_replication
    if copies is not None and copies > len(brokers):
        raise NotAsDeclared(f"THREADLINE_TOPIC_REPLICATION is {copies}, and the cluster has {len(brokers)} brokers")
    return Cluster(len(brokers), settings.topic_prefix, settings.topic_partitions, copies or COPIES)


def declared_on(cluster: Cluster) -> list[TopicSettings]:
    """Every declared topic as this cluster must have it."""
    return [settings_for(topic, cluster) for topic in TOPICS]


async def live_topics(client: AIOKafkaAdminClient, names: Iterable[str]) -> dict[str, LiveTopic]:
    """Those of the named topics that are there."""
    present = sorted(set(names) & set(await client.list_topics()))
    if not present:
        return {}
    described = await client.describe_topics(present)
    configs = await _configs(client, present)
    return {
        topic["topic"]: LiveTopic(
            name=topic["topic"],
            partitions=len(topic["partitions"]),
            replication=min(len(partition["replicas"]) for partition in topic["partitions"]),
            config={name: value for name, (value, _) in configs[topic["topic"]].items()},
            overrides={
                name: value for name, (value, source) in configs[topic["topic"]].items() if source == _SET_ON_THE_TOPIC
            },
        )
        for topic in described
    }


def differences(declared: TopicSettings, live: LiveTopic) -> list[Difference]:
    """Where a live topic is not as declared.

    A configuration that the cluster does not know at all is passed over: Redpanda, for one, has no min.insync.replicas,
    since a majority must always have a write.
    """
    found = []
    if live.partitions != declared.partitions:
        found.append(Difference(live.name, "partitions", str(live.partitions), str(declared.partitions)))
    if live.replication != declared.replication:
        found.append(Difference(live.name, "replication", str(live.replication), str(declared.replication)))
    found += [
        Difference(live.name, name, live.config[name], value)
        for name, value in declared.config
        if name in live.config and live.config[name] != value
    ]
    return found


@dataclass(frozen=True)
class Standing:
    """How a cluster stands to the declaration."""

    cluster: str
    declared: list[TopicSettings]
    missing: list[TopicSettings]
    differences: list[tuple[TopicSettings, LiveTopic, list[Difference]]]
    """Only those topics that differ."""


async def standing_of(client: AIOKafkaAdminClient, settings: KafkaSettings) -> Standing:
    """Compares every declared topic with what the cluster has."""
    declared = declared_on(await cluster_of(client, settings))
    live = await live_topics(client, [topic.name for topic in declared])
    compared = [
        (topic, live[topic.name], differences(topic, live[topic.name])) for topic in declared if topic.name in live
    ]
    return Standing(
        settings.kafka_brokers,
        declared,
        missing=[topic for topic in declared if topic.name not in live],
        differences=[each for each in compared if each[2]],
    )


async def create(client: AIOKafkaAdminClient, missing: Iterable[TopicSettings]) -> None:
    """Makes topics. One that somebody else made meanwhile is left as it is."""
    wanted = [
        NewTopic(each.name, each.partitions, each.replication, topic_configs=dict(each.config)) for each in missing
    ]
    if not wanted:
        return
    response = await client.create_topics(wanted)
    for name, code, *message in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise NotAsDeclared(f"{name} could not be made: {error.__name__} {message[0] if message else ''}".strip())
    await _until_known(client, {topic.name for topic in wanted})


async def _until_known(client: AIOKafkaAdminClient, names: set[str]) -> None:
    """Waits until brokers tell of new topics: the controller answers before they have heard of them."""
    async with asyncio.timeout(KNOWN_WITHIN_S):
        while not names <= set(await client.list_topics()):  # noqa: ASYNC110 - the broker has no event to wait for
            await asyncio.sleep(0.05)


async def alter(client: AIOKafkaAdminClient, declared: TopicSettings, live: LiveTopic) -> None:
    """Brings a topic's configuration to what is declared; what else was set on it stays."""
    config = {**live.overrides, **dict(declared.config)}
    responses = await client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, declared.name, configs=config)])
    for response in responses:
        for code, message, *_ in response.resources:
            if code:
                raise NotAsDeclared(
                    f"{declared.name} could not be changed: {for_code(code).__name__} {message or ''}".strip()
                )
    async with asyncio.timeout(KNOWN_WITHIN_S):
        while await _still_differs(client, declared):  # noqa: ASYNC110 - the broker has no event to wait for
            await asyncio.sleep(0.05)


async def _still_differs(client: AIOKafkaAdminClient, declared: TopicSettings) -> bool:
    """Whether the broker that was asked has yet to hear of a change."""
    live = await live_topics(client, [declared.name])
    return any(each.can_be_altered for each in differences(declared, live[declared.name]))


async def _configs(client: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, tuple[str, int]]]:
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    found: dict[str, dict[str, tuple[str, int]]] = {}
    response: Any
    for response in await client.describe_configs(resources):
        for code, message, _, name, entries in response.resources:
            if code:
                raise NotAsDeclared(f"{name} could not be read: {for_code(code).__name__} {message or ''}".strip())
            found[name] = {entry[0]: (entry[1] or "", entry[3]) for entry in entries}
    return found
