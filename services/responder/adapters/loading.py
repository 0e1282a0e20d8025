"""What is known of a partition before anything of it is done: the commands just below its commit, and its ledger."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.attributes import Attributes, AttributesMissing
from schemas.effect import EffectConfirmed, EffectFailed, EffectIntended, EffectUnknown, LedgerEntry
from schemas.record import CannotRead
from schemas.topics import RUNS_COMMANDS, SLACK_EFFECTS
from services.kit.groups import KafkaSettings
from services.kit.kafka.connection import client_arguments
from services.kit.kafka.consumer import let_go, record_of, to_end
from services.responder.decisions.standing import Standing

LOOKED_BACK: Final = 5_000
"""Commands below the commit whose names are known again: a router that was killed repeats what it wrote last."""
MOST_NAMES: Final = 20_000
CLOCKS_DIFFER_MS: Final = 60_000
"""The moments of two topics are those of two brokers."""


class Names:
    """The last commands of a partition, by the names of their records."""

    def __init__(self) -> None:
        self._names: OrderedDict[str, None] = OrderedDict()

    def is_new(self, name: str) -> bool:
        """Whether it was never met; from now on it was."""
        if name in self._names:
            return False
        self._names[name] = None
        if len(self._names) > MOST_NAMES:
            self._names.popitem(last=False)
        return True


@dataclass
class Loaded:
    """One partition."""

    begin_at: int
    """The first command that is not done."""
    names: Names = field(default_factory=Names)
    ledger: dict[str, Standing] = field(default_factory=dict)


async def load(settings: KafkaSettings, partition: int, commit: int | None) -> Loaded:
    """Reads both to their end. Nothing of the partition may be written meanwhile but by who loads it."""
    commands = TopicPartition(f"{settings.topic_prefix}{RUNS_COMMANDS.name}", partition)
    effects = TopicPartition(f"{settings.topic_prefix}{SLACK_EFFECTS.name}", partition)
    consumer = AIOKafkaConsumer(**client_arguments(settings), group_id=None)
    try:
        await consumer.start()
        consumer.assign([commands])
        first = (await consumer.beginning_offsets([commands]))[commands]
        end = (await consumer.end_offsets([commands]))[commands]
        loaded = Loaded(first if commit is None else min(max(commit, first), end))
        consumer.seek(commands, max(first, loaded.begin_at - LOOKED_BACK))
        oldest_ms: int | None = None
        async for raw in to_end(consumer):
            if raw.offset >= loaded.begin_at:
                oldest_ms = raw.timestamp
                break
            try:
                loaded.names.is_new(Attributes.from_headers(raw.headers).id)
            except AttributesMissing:
                continue  # it was kept as a dead letter when it was met first
        if oldest_ms is not None:
            consumer.assign([effects])
            await _fold(consumer, effects, oldest_ms - CLOCKS_DIFFER_MS, settings.topic_prefix, loaded)
    finally:
        await let_go(consumer)
    return loaded


async def _fold(
    consumer: AIOKafkaConsumer, effects: TopicPartition, since_ms: int, prefix: str, loaded: Loaded
) -> None:
    found = (await consumer.offsets_for_times({effects: since_ms})).get(effects)
    if found is None:
        return
    consumer.seek(effects, found.offset)
    async for raw in to_end(consumer):
        try:
            _, event = record_of(raw, prefix).decode()
        except CannotRead:
            continue  # nobody but a responder writes there; what is damaged says nothing of any call
        if isinstance(event, EffectIntended | EffectConfirmed | EffectFailed | EffectUnknown):
            _take(event, loaded)


def _take(entry: LedgerEntry, loaded: Loaded) -> None:
    name = entry.effect.run_id or entry.effect.command_id
    if name is not None:
        loaded.ledger.setdefault(name, Standing()).take(entry)
