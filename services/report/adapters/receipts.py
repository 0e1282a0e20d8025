"""Finds on the topics what belongs to one run, message or delivery. Only records that name it are opened."""

import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from aiokafka import ConsumerRecord

from schemas.base import Event
from schemas.decision import DecisionMade, Dispatched, Duplicate
from schemas.envelope import SlackEnvelope
from schemas.record import CannotRead
from schemas.topics import (
    AUDIT_DECISIONS,
    AUDIT_REACTIONS,
    AUDIT_RUNS,
    DEAD_LETTERS,
    RUNS_COMMANDS,
    RUNS_STOPS,
    SLACK_EFFECTS,
    SLACK_INBOUND,
    Topic,
)
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import reader, record_of, to_end
from services.report.decisions.receipt import Fact
from services.report.decisions.target import Target

FOLLOWS: Final = (AUDIT_REACTIONS, RUNS_COMMANDS, RUNS_STOPS, AUDIT_RUNS, SLACK_EFFECTS, DEAD_LETTERS)
"""What a decision may lead to."""
CLOCKS_DIFFER: Final = timedelta(minutes=1)


@dataclass
class Search:
    """One search: from which moment on, on which cluster."""

    settings: KafkaSettings
    since: datetime

    async def facts(self, target: Target) -> list[Fact]:
        """Everything that belongs to it."""
        names, told, decided = await self._names_of(target), list[Fact](), list[Fact]()
        known: set[str] = set()
        while names != known:  # a delivery names a run, which names other deliveries: until nothing new is named
            known = set(names)
            told = [each async for each in self._naming(SLACK_INBOUND, names)]
            names |= {each.id for each in told}
            decided = await self._decisions(names)
            names |= {name for each in decided for name in _named_by(each.event)}
        follows = [each for topic in FOLLOWS if names async for each in self._naming(topic, names)]
        return [*told, *decided, *follows]

    async def _names_of(self, target: Target) -> set[str]:
        """A message's own name stands in all that is said below it: it is known by its deliveries, and by its run."""
        if target.kind != "message":
            return {target.name}
        said = [each async for each in self._naming(SLACK_INBOUND, {target.name}) if _is_about(each.event, target)]
        made = [each async for each in self._naming(SLACK_EFFECTS, {target.name}) if _made(each.event, target)]
        return {*(each.id for each in said), *(name for each in made for name in _owners(each.event))}

    async def _decisions(self, names: set[str]) -> list[Fact]:
        if not names:
            return []
        decided = [each async for each in self._naming(AUDIT_DECISIONS, names)]
        causes = {name for each in decided for name in _causes_in(each.event)}
        if causes:
            decided += [each async for each in self._naming(AUDIT_DECISIONS, causes) if _repeats(each.event, causes)]
        return decided

    async def _naming(self, topic: Topic, names: Iterable[str]) -> AsyncIterator[Fact]:
        wanted = re.compile(b"(?:" + b"|".join(re.escape(name.encode()) for name in names) + b")(?![A-Za-z0-9])")
        async with reader(self.settings, topic, self.since) as consumer:
            async for raw in to_end(consumer):
                if any(map(wanted.search, _parts(raw))):
                    found = self._opened(topic, raw)
                    if found is not None:
                        yield found

    def _opened(self, topic: Topic, raw: ConsumerRecord) -> Fact | None:
        record = record_of(raw, self.settings.topic_prefix)
        try:
            attributes, event = record.decode()
        except CannotRead:
            return None  # its dead letter tells of it
        if not isinstance(event, Event):
            return None
        at = datetime.fromtimestamp(raw.timestamp / 1000, UTC)
        return Fact(topic.name, raw.partition, raw.offset, attributes.id, at, event)


def since_of(target: Target, given: datetime | None, now: datetime) -> datetime:
    """From when on there can be anything of it: a message tells when it was said."""
    if given is not None:
        return given
    said_at = target.said_at
    return now - timedelta(days=1) if said_at is None else datetime.fromtimestamp(said_at, UTC) - CLOCKS_DIFFER


def _parts(raw: ConsumerRecord) -> Iterable[bytes]:
    yield raw.value or b""
    yield from (value for name, value in raw.headers if name == "ce_id" and value is not None)


def _is_about(event: Event, target: Target) -> bool:
    """Whether a delivery tells of the very message, and does not only name it."""
    if not isinstance(event, SlackEnvelope):
        return False
    inner: Any = event.payload.get("event") or {}
    said: Any = inner.get("message") or inner
    item: Any = inner.get("item") or {}
    return (inner.get("channel") == target.channel and target.name in {said.get("ts"), inner.get("ts")}) or (
        item.get("channel") == target.channel and item.get("ts") == target.name
    )


def _made(event: Any, target: Target) -> bool:
    """Whether a call made the message."""
    effect = getattr(event, "effect", None)
    made = getattr(event, "message_ts", None)
    return effect is not None and effect.channel_id == target.channel and made == target.name


def _owners(event: Any) -> Iterable[str]:
    effect = event.effect
    return [effect.run_id or effect.command_id] if effect.run_id or effect.command_id else []


def _causes_in(event: Event) -> Iterable[str]:
    """The names of what somebody did, where it led to a run."""
    decision = event.decision if isinstance(event, DecisionMade) else None
    return (decision.cause, *decision.aliases) if isinstance(decision, Dispatched) else ()


def _repeats(event: Event, causes: set[str]) -> bool:
    """Whether it was decided that the same was done before: Slack tells of a mention twice."""
    decision = event.decision if isinstance(event, DecisionMade) else None
    return isinstance(decision, Duplicate) and decision.key in causes


def _named_by(event: Event) -> Iterable[str]:
    """The names under which what a decision led to stands elsewhere."""
    if not isinstance(event, DecisionMade):
        return ()
    decision: Any = event.decision
    named = (event.event_id, *(getattr(decision, name, None) for name in ("run_id", "stop_id")), *event.sent)
    return (name for name in named if name)
