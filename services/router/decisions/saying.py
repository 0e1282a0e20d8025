"""Every record that a decision leads to, and their names. The same envelope and verdict say the same again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas import ids
from schemas.base import Event as Fact
from schemas.decision import DecisionMade
from schemas.letter import DeadLetter
from schemas.topics import AUDIT_DECISIONS, DEAD_LETTERS, SLACK_INBOUND, Topic
from services.router.decisions import telling
from services.router.decisions.event import Event
from services.router.decisions.verdict import Verdict

NAMELESS: Final = "partition "
"""What the keys of decisions begin with that are about records of nobody's."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where an envelope stands in slack.inbound."""

    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class Names:
    """What an envelope is called, whatever it says."""

    connection: str
    event_id: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record that is to be written."""

    topic: Topic
    key: str | bytes | None
    fact: Fact
    id: str


def say(event: Event | None, verdict: Verdict, source: Source) -> tuple[Outgoing, ...]:
    """What a decision leads to; the decision itself is the last record."""
    told = telling.tell(event, verdict) if event is not None else ()
    said = tuple(
        Outgoing(each.topic, each.key, each.fact, _record_id(source, index)) for index, each in enumerate(told)
    )
    if event is None:
        return (*said, _decision(verdict, source, said, None))
    names = Names(event.connection, event.event_id, event.received_at)
    return (*said, _decision(verdict, source, said, names, event.inbound.event_type))


def say_dead(letter: DeadLetter, verdict: Verdict, source: Source, names: Names | None) -> tuple[Outgoing, ...]:
    """The same for what could not be understood: of some of it not even a name is known."""
    said = (Outgoing(DEAD_LETTERS, letter.key, letter, _record_id(source, 0)),)
    return (*said, _decision(verdict, source, said, names))


def _decision(
    verdict: Verdict, source: Source, said: tuple[Outgoing, ...], names: Names | None, event_type: str | None = None
) -> Outgoing:
    made = DecisionMade(
        at=verdict.at,
        decision=verdict.decision,
        source_partition=source.partition,
        source_offset=source.offset,
        connection=names.connection if names is not None else None,
        tenant_id=verdict.tenant_id,
        event_id=names.event_id if names is not None else None,
        event_type=event_type,
        received_at=names.received_at if names is not None else None,
        directory_revision=verdict.directory_revision,
        sent=tuple(each.id for each in said),
    )
    key = names.connection if names is not None else f"{NAMELESS}{source.partition}"
    return Outgoing(AUDIT_DECISIONS, key, made, _record_id(source, len(said)))


def _record_id(source: Source, index: int) -> str:
    return ids.record_id(SLACK_INBOUND.name, source.partition, source.offset, index)
