"""Which messages either of two sides missed or doubled: ours, and an older bridge's by its log."""

import json
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from schemas.envelope import SlackEnvelope
from services.ingress.decisions.event_types import EVENTS, INTERACTIONS

MESSAGES = frozenset({"message", "app_mention"})
"""Slack sends both for one mention: they are one message."""
CHANGES = frozenset({"message_changed", "message_deleted"})
_CONVERSATIONS = ("archive", "close", "created", "deleted", "history_changed", "left", "open", "rename", "unarchive")
OTHERS = frozenset(
    (
        *EVENTS,
        *INTERACTIONS,
        *(f"{kind}_{what}" for kind in ("channel", "group", "im") for what in _CONVERSATIONS),
        *(f"{kind}_{what}" for kind in ("pin", "star") for what in ("added", "removed")),
        *("slash_commands", "interactive", "hello", "disconnect"),
    )
).difference(MESSAGES)
"""What a line of a bridge can be about that is no message, though it may name a channel and a time."""

DEEPEST = 4
"""So many wrappings are taken off a line."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_TS = re.compile(r"([0-9]{1,11})\.([0-9]{1,6})")
_CHANNEL = re.compile(r"[A-Z][A-Z0-9]{0,30}")


@dataclass(frozen=True)
class Message:
    """What Slack knows a message by, in every workspace and for every app."""

    channel: str
    ts: str

    @property
    def at(self) -> datetime:
        """When Slack took it."""
        seconds, microseconds = self.ts.split(".")
        return EPOCH + timedelta(seconds=int(seconds), microseconds=int(microseconds))


@dataclass(frozen=True)
class Sighting:
    """One event about a message, as one side has it."""

    message: Message
    type: str
    """Slack's name for the event; empty where a bridge's line says none."""
    event_id: str | None
    connection: str | None = None
    """Whose delivery it was, on our side. Two apps in a channel each get every message: that is no double."""


class Skip(Enum):
    """A line that is not compared."""

    NO_MESSAGE = "no message"
    """Another event, an edit or a deletion."""
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Stretch:
    """From when to when, by the messages' own times, so that both sides are cut alike."""

    since: datetime
    until: datetime

    def holds(self, sighting: Sighting) -> bool:
        """Whether it is about a message of this time."""
        return self.since <= sighting.message.at <= self.until


@dataclass(frozen=True)
class Comparison:
    """What came of it. Messages stand in the order of their times."""

    both: int
    only_ours: tuple[Message, ...]
    only_theirs: tuple[Message, ...]
    doubled_ours: tuple[Message, ...]
    doubled_theirs: tuple[Message, ...]
    repeated: int
    """Deliveries of ours that came again under the same event id: the router knows them, and does nothing twice."""

    @property
    def differs(self) -> bool:
        """Whether a side missed or doubled anything."""
        return bool(self.only_ours or self.only_theirs or self.doubled_ours or self.doubled_theirs)


class _Number(str):
    """A number as it was written: as a float, a ts can lose its last digits."""

    __slots__ = ()


def compare(ours: Iterable[Sighting], theirs: Iterable[Sighting], stretch: Stretch) -> Comparison:
    """Both sides in a stretch of time."""
    all_ours = [each for each in ours if stretch.holds(each)]
    all_theirs = [each for each in theirs if stretch.holds(each)]
    delivered = {each.event_id: each for each in all_ours}
    here, there = {each.message for each in all_ours}, {each.message for each in all_theirs}
    doubled_ours = _twice((each.message, (each.message, each.type, each.connection)) for each in delivered.values())
    by_type = _twice((each.message, (each.message, each.type)) for each in all_theirs)
    by_id = _twice((each.message, each.event_id) for each in all_theirs if each.event_id)
    return Comparison(
        both=len(here & there),
        only_ours=_in_order(here - there),
        only_theirs=_in_order(there - here),
        doubled_ours=_in_order(doubled_ours),
        doubled_theirs=_in_order(by_type | by_id),
        repeated=len(all_ours) - len(delivered),
    )


def _twice(seen: Iterable[tuple[Message, Hashable]]) -> set[Message]:
    """The messages of what was seen more than once under one name."""
    pairs = list(seen)
    times = Counter(name for _, name in pairs)
    return {message for message, name in pairs if times[name] > 1}


def _in_order(messages: Iterable[Message]) -> tuple[Message, ...]:
    return tuple(sorted(messages, key=lambda each: (each.at, each.channel)))


def sighting_of(envelope: SlackEnvelope) -> Sighting | None:
    """What an envelope of ours says of a message; none where it is about anything else."""
    event = envelope.payload.get("event")
    if envelope.kind != "events_api" or not isinstance(event, dict) or _text(event.get("type")) not in MESSAGES:
        return None
    message = _message_in(event)
    if message is None or _text(event.get("subtype")) in CHANGES:
        return None
    return Sighting(message, str(event["type"]), envelope.event_id, envelope.connection)


def sighting_of_line(line: str) -> Sighting | Skip:
    """What a line of a bridge's log says of a message.

    It may be Slack's event itself, an outer `event_callback`, an envelope with a `payload`, or an object of the
    bridge's own that names a channel and a ts.
    """
    try:
        found = json.loads(line, parse_float=_Number)
    except (ValueError, RecursionError):
        return Skip.UNREADABLE
    if not isinstance(found, dict):
        return Skip.UNREADABLE
    event_id, within = None, ""
    for _ in range(DEEPEST):
        event_id = event_id or _text(found.get("event_id"))
        inside = next((name for name in ("payload", "event") if isinstance(found.get(name), dict)), None)
        if inside is None or _text(found.get("type")) in OTHERS | MESSAGES:
            break
        found, within = found[inside], inside
    kind = _text(found.get("type"))
    is_other = kind in OTHERS or (within == "event" and kind is not None and kind not in MESSAGES)
    if is_other or _text(found.get("subtype")) in CHANGES:
        return Skip.NO_MESSAGE
    message = _message_in(found)
    return Sighting(message, kind or "", event_id) if message is not None else Skip.UNREADABLE


def _message_in(event: Mapping[str, Any]) -> Message | None:
    named = [event.get(name) for name in ("channel_id", "channel")]
    ids = [each.get("id") if isinstance(each, Mapping) else each for each in named]
    channel = next((each for each in ids if isinstance(each, str) and _CHANNEL.fullmatch(each)), None)
    times = [each for name in ("message_ts", "ts", "event_ts") if isinstance(each := event.get(name), str)]
    times.sort(key=lambda each: isinstance(each, _Number))  # Slack's are texts; a number is often the log's own time
    matches = (_TS.fullmatch(each) for each in times)
    ts = next((f"{int(match[1])}.{match[2]:0<6}" for match in matches if match), None)
    return Message(channel, ts) if channel is not None and ts is not None else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
