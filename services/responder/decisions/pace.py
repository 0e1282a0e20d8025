"""Slack's limits: how often each method may be called in a workspace, and how often a channel may be posted to."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

MINUTE_S: Final = 60.0
PER_MINUTE: Final[Mapping[str, float]] = {
    "chat.update": 50,
    "chat.delete": 50,
    "chat.startStream": 20,
    "chat.appendStream": 100,
    "chat.stopStream": 20,
    "chat.postEphemeral": 100,
    "reactions.add": 50,
    "conversations.replies": 50,
    "conversations.history": 50,
    "conversations.list": 20,
    "views.open": 100,
}
"""Slack's tiers: calls a minute of a method, in a workspace, by an app."""
POSTS_A_MINUTE: Final = 300.0
"""Messages in a workspace."""
POSTS_A_SECOND, POSTS_AT_ONCE = 1.0, 4.0
"""Messages in a channel."""
POSTING: Final = frozenset({"chat.postMessage", "chat.startStream"})
FIRST_SHOWN_S: Final = 0.3
"""An answer that is whole by then is shown once."""
KEPT_FOR_FINALS: Final = 0.3
"""The share of an allowance that edits of a growing text leave to the last words of answers."""


EDITS_A_SECOND: Final = 100.0
"""Of one process, in all workspaces: each takes its time, and answers that grow may wait for those that begin."""


class Urgency(IntEnum):
    """What goes first where not everything may go at once."""

    LAST = 0
    """The last words of an answer, a stop, an error."""
    FIRST = 1
    """That somebody is heard, and whatever a person waits for."""
    EDIT = 2
    """A text that grows: the next edit says it all again."""


@dataclass
class Allowance:
    """So much at once, filled up so fast."""

    most: float
    per_s: float
    left: float
    at: float

    @classmethod
    def full(cls, most: float, per_s: float, now: float) -> "Allowance":
        """Nothing of it used."""
        return cls(most, per_s, most, now)

    def wait_s(self, now: float, urgency: Urgency) -> float:
        """How long until one call may be made."""
        self._fill(now)
        kept = self.most * KEPT_FOR_FINALS if urgency is Urgency.EDIT else 0.0
        return max(0.0, (1.0 + kept - self.left) / self.per_s)

    def reserve(self, now: float) -> float:
        """One call will be made, however long that takes. Gives how long it must wait behind those before it."""
        self.take(now)
        return max(0.0, -self.left / self.per_s)

    def take(self, now: float) -> None:
        """One call is made."""
        self._fill(now)
        self.left -= 1.0

    def is_full(self, now: float) -> bool:
        """Whether nothing of it is used any more."""
        self._fill(now)
        return self.left >= self.most

    def _fill(self, now: float) -> None:
        self.left = min(self.most, self.left + (now - self.at) * self.per_s)
        self.at = max(self.at, now)


def allowances(method: str, channel: str | None) -> dict[str, tuple[float, float]]:
    """What a call draws on: by name, how much at once and how much a second."""
    per_minute = PER_MINUTE.get(method)
    drawn_on = {method: (per_minute, per_minute / MINUTE_S)} if per_minute is not None else {}
    if method in POSTING:
        drawn_on["posts"] = (POSTS_A_MINUTE, POSTS_A_MINUTE / MINUTE_S)
        drawn_on[f"posts in {channel}"] = (POSTS_AT_ONCE, POSTS_A_SECOND)
    return drawn_on


def edit_pause_s(edits: int) -> float:
    """How long to wait before a text that grows is shown (again): soon at first, then as Slack advises."""
    return min(3.0, FIRST_SHOWN_S + 0.5 * edits)


def append_pause_s(appends: int) -> float:
    """The same for a stream, to which Slack lets more be added."""
    return 1.0 if appends else FIRST_SHOWN_S
