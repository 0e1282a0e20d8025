"""A log that stands on the broker before anybody reads it."""

from collections.abc import Iterable

from aiokafka import AIOKafkaProducer
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from bench.beds.decided import seen
from bench.beds.inbox import encoded
from bench.suite import Bed
from schemas.envelope import Envelope
from schemas.topics import AUDIT_DECISIONS, SLACK_INBOUND
from services.kit.groups import KafkaSettings
from services.kit.kafka import admin


async def topics_of(bed: Bed, prefix: str) -> KafkaSettings:
    """Topics of its own."""
    settings = bed.kafka.model_copy(update={"topic_prefix": prefix})
    async with admin.admin_client(settings) as client:
        await admin.create(client, (await admin.standing_of(client, settings)).missing)
    return settings


async def preload(settings: KafkaSettings, envelopes: Iterable[Envelope], *, is_traced: bool = False) -> int:
    """Writes a log; gives how many records it leads to. Each says it in a header, for bare Faust."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka_brokers, acks="all", linger_ms=5)
    await producer.start()
    sends, ids = 0, RandomIdGenerator()
    last = None
    for envelope in envelopes:
        leads_to = _leads_to(envelope)
        sends += leads_to
        value, carried = encoded(envelope)
        headers = [*carried, ("bench-sends", str(leads_to).encode())]
        if is_traced:
            trace, parent = (ids.generate_trace_id(), ids.generate_span_id())
            headers.append(("traceparent", f"00-{trace:032x}-{parent:016x}-01".encode()))
        name = f"{settings.topic_prefix}{SLACK_INBOUND.name}"
        last = await producer.send(name, value, envelope.connection.encode(), headers=headers)
    if last is not None:
        await last
    await producer.stop()
    return sends


def _leads_to(envelope: Envelope) -> int:
    """Records of topics beside the row: the decision, and what else there is."""
    payload = getattr(envelope, "payload", {})
    event = payload.get("event", {})
    if event.get("type") == "app_mention" or event.get("channel_type") == "im" or "command" in payload:
        return 3
    is_chatter = event.get("channel_type") == "channel" or event.get("type") == "reaction_added" or "actions" in payload
    return 2 if is_chatter else 1


async def rate_of(settings: KafkaSettings, count: int) -> float:
    """By the broker's clock: from the first record of audit.decisions to the last."""
    times = [each.appended_ms async for each in seen(settings, AUDIT_DECISIONS)]
    return count / ((max(times) - min(times)) / 1000)
