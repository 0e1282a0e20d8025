"""What the board knows at one moment, before it is decided what of it is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from services.local.state import Condition
from threadline.board.runs import RunSeen

Level = Literal["news", "warning", "error"]


@dataclass(frozen=True)
class ServiceSeen:
    """One program."""

    name: str
    condition: Condition
    address: str = ""
    restarts: int = 0
    lag: int | None = None
    """What it has yet to be done with; none where that is not counted, or it does not say."""
    a_minute: float | None = None
    """How much it did in the last minute."""
    memory: int | None = None
    up_s: float | None = None
    unready: str | None = None
    """What it says itself keeps it from its work."""


@dataclass(frozen=True)
class Happened:
    """Something that a program, or the supervisor about it, said."""

    at: datetime
    name: str
    level: Level
    what: str


@dataclass(frozen=True)
class Heading:
    """What is known about the whole."""

    model: str
    folder: str
    chat: str | None = None
    agents: str | None = None
    """Where agents report, as their programs are told."""
    token: str | None = None
    """What makes a token for them."""
    workspace: str | None = None
    channels: Mapping[str, str] = field(default_factory=dict)
    """Names by ids, as far as they are known."""


@dataclass(frozen=True)
class Facts:
    """Everything."""

    now: datetime
    up_s: float
    heading: Heading
    services: tuple[ServiceSeen, ...] = ()
    runs: tuple[RunSeen, ...] = ()
    """The newest first."""
    happened: tuple[Happened, ...] = ()
    """The newest last."""
