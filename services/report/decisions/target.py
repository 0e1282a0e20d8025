"""What somebody wants to know about: a run, a message in Slack, or a delivery."""

import re
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from typing_extensions import override

_PERMALINK: Final = re.compile(
    r"https?://[^/]+/archives/(?P<channel>[CDG][A-Z0-9]+)/p(?P<seconds>\d+)(?P<micros>\d{6})"
)
_MESSAGE: Final = re.compile(r"(?P<channel>[CDG][A-Z0-9]+)[/:](?P<ts>\d+\.\d+)")


@dataclass(frozen=True)
class Target:
    """One of them, by the name under which it stands in records."""

    kind: Literal["run", "message", "event"]
    name: str
    channel: str = ""
    """Of a message."""

    @property
    def said_at(self) -> float | None:
        """When a message was said, as its ts tells it."""
        return float(self.name) if self.kind == "message" else None

    @override
    def __str__(self) -> str:
        """As people name it."""
        return f"the message {self.channel}/{self.name}" if self.kind == "message" else f"the {self.kind} {self.name}"


def target_of(text: str) -> Target:
    """A run's id, a message as CHANNEL/TS or by its link, or else a delivery's id."""
    link, message = _PERMALINK.match(text), _MESSAGE.fullmatch(text)
    if link is not None:
        return Target("message", f"{link['seconds']}.{link['micros']}", link["channel"])
    if message is not None:
        return Target("message", message["ts"], message["channel"])
    try:
        return Target("run", str(UUID(text)))
    except ValueError:
        return Target("event", text)
