"""Where Slack takes streams: which workspaces and channels refused one, and how long such a message may live."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

REFUSED_FOR_S: Final = 3600.0
"""What Slack refused may work later: an app gets a scope, or a workspace a feature."""
OF_A_CHANNEL: Final = frozenset({"channel_type_not_supported", "channel_not_found", "not_in_channel", "is_archived"})
"""Refusals that say nothing about other channels."""
UNANSWERED, TIMES_UNANSWERED = "no_answer", 3
LONGEST_S: Final = 210.0
"""Slack ends a stream after about five minutes, of silence or in all: reports differ."""
SPACES, SIGNS = " \n\t", "@<]`"
MOST_KNOWN: Final = 10_000

Place = tuple[str, str | None]
"""A connection, and a channel where the refusal is that channel's."""


@dataclass
class Streams:
    """What is known of every workspace. Until one refuses, streams are tried."""

    are_wanted: bool
    now: Callable[[], float]
    _refused: dict[Place, float] = field(default_factory=dict)
    """Until when nothing is tried there."""
    _unanswered: dict[str, int] = field(default_factory=dict)
    """How often in a row nobody knew whether one was begun."""

    def may_begin(self, connection: str, channel: str) -> bool:
        """Whether it is worth a try."""
        now = self.now()
        places: tuple[Place, ...] = ((connection, None), (connection, channel))
        return self.are_wanted and all(self._refused.get(place, now) <= now for place in places)

    def began(self, connection: str) -> None:
        """Slack takes them."""
        self._unanswered.pop(connection, None)

    def failed(self, connection: str, channel: str, code: str) -> bool:
        """None was begun. Says whether none is tried there for a while: no answer at all must come several times."""
        if code == UNANSWERED:
            self._unanswered[connection] = times = self._unanswered.get(connection, 0) + 1
            if times < TIMES_UNANSWERED:
                return False
        if len(self._refused) >= MOST_KNOWN:
            self._refused.clear()
            self._unanswered.clear()
        place = (connection, channel if code in OF_A_CHANNEL else None)
        self._refused[place] = self.now() + REFUSED_FOR_S
        return True


@dataclass
class Stream:
    """A message while Slack shows how it is written."""

    ts: str
    since: float
    sent: str
    """What was added so far."""

    def rest(self, text: str, longest: int, now: float) -> str | None:
        """What is still to be added; none where the text cannot go on in this stream, and edits must take over."""
        if now - self.since > LONGEST_S or len(text) > longest or not text.startswith(self.sent):
            return None
        return text[len(self.sent) :]


def steady(text: str) -> str:
    """The text but for what may still turn into something else: a stream takes nothing back.

    A last word with one of the signs that mentions and links are made of may; so may half an emoji.
    """
    text = text.rstrip("\ufffd")
    begin = max(text.rfind(sign) for sign in SPACES) + 1
    return text[:begin] if any(sign in text[begin:] for sign in SIGNS) else text
