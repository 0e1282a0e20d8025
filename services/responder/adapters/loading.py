"""What is known of a partition before anything of it is done: the commands just below its commit, and its ledger."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.attributes import Attributes, AttributesMissing
from schemas.command import RetryAsked, RunRequested, RunResumed
from schemas.effect import EffectOf, Entry, LedgerEntry
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


@dataclass(frozen=True)
class Begun:
    """A run that was begun in Slack, and whose command is gone."""

    effect: EffectOf
    """One of its calls, which tells where it is."""
    standing: Standing


@dataclass(frozen=True)
class Gone:
    """Commands that retention deleted before they were done with."""

    first: int
    go_on_at: int
    begun: tuple[Begun, ...]


@dataclass
class Loaded:
    """One partition."""

    begin_at: int
    """The first command that is not done, and is there."""
    names: Names = field(default_factory=Names)
    ledger: dict[str, Standing] = field(default_factory=dict)
    gone: Gone | None = None


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
            if (found := await _at(consumer, effects, oldest_ms - CLOCKS_DIFFER_MS)) is not None:
                consumer.seek(effects, found)
                await _fold(consumer, settings.topic_prefix, lambda entry: _take(entry, loaded.ledger))
        if commit is not None and commit < first:
            begun = await _begun(consumer, commands, effects, settings.topic_prefix)
            loaded.gone = Gone(commit, first, tuple(begun))
    finally:
        await let_go(consumer)
    return loaded


async def _at(consumer: AIOKafkaConsumer, partition: TopicPartition, since_ms: int) -> int | None:
    found = (await consumer.offsets_for_times({partition: since_ms})).get(partition)
    return found.offset if found is not None else None


async def _begun(
    consumer: AIOKafkaConsumer, commands: TopicPartition, effects: TopicPartition, prefix: str
) -> list[Begun]:
    """Runs that the ledger has begun and not ended, and that no command asks for any more."""
    asked_for: set[str] = set()
    consumer.assign([commands])
    await consumer.seek_to_beginning(commands)
    async for raw in to_end(consumer):
        try:
            _, event = record_of(raw, prefix).decode()
        except CannotRead:
            continue  # it is met again when it is its turn
        if isinstance(event, RunRequested | RetryAsked | RunResumed):
            asked_for.add(event.run_id)
    ledger: dict[str, Standing] = {}
    where: dict[str, EffectOf] = {}

    def take(entry: LedgerEntry) -> None:
        if entry.effect.run_id is not None and entry.effect.run_id not in asked_for:
            _take(entry, ledger)
            where.setdefault(entry.effect.run_id, entry.effect)

    consumer.assign([effects])
    await consumer.seek_to_beginning(effects)
    await _fold(consumer, prefix, take)
    return [
        Begun(where[name], standing)
        for name, standing in ledger.items()
        if not standing.is_over and not standing.suspended  # it waits for people, who are asked elsewhere
    ]


async def _fold(consumer: AIOKafkaConsumer, prefix: str, take: Callable[[LedgerEntry], None]) -> None:
    async for raw in to_end(consumer):
        try:
            _, event = record_of(raw, prefix).decode()
        except CannotRead:
            continue  # nobody but a responder writes there; what is damaged says nothing of any call
        if isinstance(event, Entry):
            take(event)


def _take(entry: LedgerEntry, ledger: dict[str, Standing]) -> None:
    name = entry.effect.run_id or entry.effect.command_id
    if name is not None:
        ledger.setdefault(name, Standing()).take(entry)
