"""Topics that refuse, and topics from which records are gone."""

from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from schemas.topics import Topic
from services.kit.groups import KafkaSettings
from services.kit.kafka.admin import admin_client

NOTHING, AS_USUAL = 10, 1 << 20


async def takes_up_to(kafka: KafkaSettings, topic: Topic, size: int) -> None:
    """From now on a topic takes records up to this size: none at all, where it is NOTHING."""
    name = f"{kafka.topic_prefix}{topic.name}"
    wanted = ConfigResource(ConfigResourceType.TOPIC, name, configs={"max.message.bytes": str(size)})
    async with admin_client(kafka) as client:
        await client.alter_configs([wanted])


async def delete_before(kafka: KafkaSettings, topic: Topic, offsets: dict[int, int]) -> None:
    """As retention does, in each of these partitions."""
    name = f"{kafka.topic_prefix}{topic.name}"
    wanted = {TopicPartition(name, number): RecordsToDelete(before_offset=at) for number, at in offsets.items()}
    async with admin_client(kafka) as client:
        await client.delete_records(wanted)


async def delete_all(kafka: KafkaSettings, topic: Topic) -> None:
    """Everything that stands there now."""
    await delete_before(kafka, topic, dict.fromkeys(range(kafka.topic_partitions), -1))
