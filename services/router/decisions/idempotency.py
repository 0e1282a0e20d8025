"""The seventh gate: whether it was decided before, as a delivery or as something that a person did."""

from schemas.decision import Duplicate
from services.router.decisions import keys
from services.router.decisions.event import Event
from services.router.decisions.facts import Facts
from services.router.decisions.outcome import Change


def seen_event(event: Event, facts: Facts, now: float) -> Duplicate | None:
    """The same delivery, within an hour."""
    found = facts.memory.get(keys.event(event.connection, event.event_id), now)
    return None if found is None else Duplicate(of="event", key=event.event_id, first_offset=found.offset)


def seen_cause(event: Event, facts: Facts, now: float) -> Duplicate | None:
    """The same thing done, within a day, whichever delivery told of it."""
    for name in event.cause.names:
        found = facts.memory.get(keys.cause(event.connection, name), now)
        if found is not None:
            return Duplicate(of="cause", key=name, first_offset=found.offset)
    return None


def known(event: Event, now: float) -> Change:
    """The delivery is decided."""
    return Change(keys.event(event.connection, event.event_id), None, now + keys.EVENT_IS_KNOWN_S)


def claims(event: Event, now: float) -> tuple[Change, ...]:
    """What was done leads to a run or a stop, under each of its names, and to no other."""
    until = now + keys.CAUSE_IS_KNOWN_S
    return tuple(Change(keys.cause(event.connection, name), None, until) for name in event.cause.names)
