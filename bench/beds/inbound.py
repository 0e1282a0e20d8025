"""What stands on a topic of ingress's, as a router would read it."""

from dataclasses import dataclass

from schemas.envelope import GatewayCancel, GatewayRun, SlackEnvelope
from schemas.letter import DeadLetter
from schemas.topics import SLACK_INBOUND, Topic
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import Record, reader, record_of, to_end

Inbound = SlackEnvelope | GatewayRun | GatewayCancel | DeadLetter


@dataclass(frozen=True)
class Stored:
    """One record, opened."""

    record: Record
    id: str
    event: Inbound

    @property
    def text(self) -> str:
        """What somebody said, where somebody did."""
        event = self.event.payload.get("event") if isinstance(self.event, SlackEnvelope) else None
        return str(event.get("text", "")) if isinstance(event, dict) else ""


async def stored(settings: KafkaSettings, topic: Topic = SLACK_INBOUND) -> list[Stored]:
    """Everything that is on it now, each partition in its order."""
    found = []
    async with reader(settings, topic) as consumer:
        async for raw in to_end(consumer):
            record = record_of(raw, settings.topic_prefix)
            attributes, event = record.decode()
            if not isinstance(event, Inbound):
                raise TypeError(f"{topic.name} holds a {type(event).__name__}")
            found.append(Stored(record, attributes.id, event))
    return sorted(found, key=lambda each: (each.record.partition, each.record.offset))
