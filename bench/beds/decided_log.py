"""A log with what was decided about it, as a router would have left it, without one."""

import asyncio
from collections.abc import Callable, Iterable

from bench.beds.inbox import encoded
from schemas import ids
from schemas.attributes import Attributes
from schemas.decision import DecisionMade
from schemas.envelope import Envelope
from schemas.record import encode
from schemas.topics import AUDIT_DECISIONS, SLACK_INBOUND
from services.kit.groups import KafkaSettings
from services.kit.kafka.writer import Writer
from services.router.replay.directories import Directory
from services.router.replay.redeciding import Redecided, Redecider
from services.router.stream.deciding import Source

Order = Callable[[list[DecisionMade]], Iterable[DecisionMade]]


async def put_decided(
    settings: KafkaSettings, envelopes: Iterable[Envelope], directory: Directory, revision: int, order: Order = iter
) -> None:
    """Envelopes, and after them what is decided about each under a directory, in some order."""
    async with Writer(settings, "bench") as writer:
        sent = []
        for envelope in envelopes:
            key, (value, headers) = envelope.connection.encode(), encoded(envelope)
            sent.append((key, value, headers, await writer.hand_over(SLACK_INBOUND, key, value, headers)))
        redecider, made = Redecider(), list[DecisionMade]()
        for key, value, headers, future in sent:
            at = await future
            source = Source(at.partition, at.offset, key, value, headers, (at.timestamp or 0) / 1000)
            made.append(_decision(source, redecider.decide(source, directory.owner), revision))
        written = []
        for each in order(made):
            name = ids.record_id(SLACK_INBOUND.name, each.source_partition, each.source_offset, 0)
            record = encode(AUDIT_DECISIONS, each, Attributes(name, each.type, "/threadline/router", each.at))
            written.append(await writer.hand_over(AUDIT_DECISIONS, each.connection, record.value, record.headers))
        await asyncio.gather(*written)


def _decision(source: Source, again: Redecided, revision: int) -> DecisionMade:
    event = again.opened.event
    if event is None:
        raise ValueError("a log of what can be read is put")
    names = [ids.record_id(SLACK_INBOUND.name, source.partition, source.offset, index) for index in range(1, 3)]
    return DecisionMade(
        at=event.received_at,
        decision=again.decision,
        source_partition=source.partition,
        source_offset=source.offset,
        connection=event.connection,
        tenant_id=again.tenant_id,
        event_id=event.event_id,
        event_type=event.inbound.event_type,
        received_at=event.received_at,
        directory_revision=revision,
        sent=tuple(names),
    )
