"""The same key is in the same partition whichever client writes it: aiokafka, Faust and librdkafka."""

import asyncio
from collections import defaultdict

import confluent_kafka
import faust
from aiokafka import AIOKafkaProducer

from schemas.ids import thread_key
from schemas.topics import AUDIT_RUNS
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import reader

KEYS = [
    *(thread_key(f"T{number}", f"C{number * 7}", f"17724429{number:02}.000100") for number in range(150)),
    *(f"A{number}:T{number}" for number in range(40)),
    *("x" * length for length in range(1, 9)),
    "Grüße:日本:🛑",
]


async def with_aiokafka(settings: KafkaSettings, topic: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka_brokers) as producer:
        for key in KEYS:
            await producer.send(topic, b"aiokafka", key.encode())


async def with_librdkafka(settings: KafkaSettings, topic: str) -> None:
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": settings.kafka_brokers, "partitioner": "murmur2_random", "linger.ms": 0}
    )
    for key in KEYS:
        producer.produce(topic, b"librdkafka", key.encode())
    assert await asyncio.to_thread(producer.flush, 20) == 0


async def with_faust(settings: KafkaSettings, topic: str) -> None:
    app = faust.App(
        "partitioning", broker=f"kafka://{settings.kafka_brokers}", web_enabled=False, topic_disable_leader=True
    )
    async with app.producer:
        for key in KEYS:
            sent = await app.topic(topic, key_serializer="raw", value_serializer="raw").send(
                key=key.encode(), value=b"faust"
            )
            await sent


async def test_three_clients_agree_on_every_keys_partition(topics: KafkaSettings) -> None:
    topic = f"{topics.topic_prefix}{AUDIT_RUNS.name}"
    for write in (with_aiokafka, with_librdkafka, with_faust):
        await write(topics, topic)
    places: dict[bytes, dict[bytes, set[int]]] = defaultdict(lambda: defaultdict(set))
    async with reader(topics, AUDIT_RUNS) as consumer, asyncio.timeout(30):
        for _ in range(3 * len(KEYS)):
            record = await consumer.getone()
            places[record.value][record.key].add(record.partition)
    assert places[b"aiokafka"] == places[b"librdkafka"] == places[b"faust"]
    assert len(places[b"aiokafka"]) == len(KEYS)
    assert {len(partitions) for partitions in places[b"aiokafka"].values()} == {1}
    used = set().union(*places[b"aiokafka"].values())
    assert used == set(range(topics.topic_partitions)), "keys that all fall into one partition would prove nothing"
