"""What an envelope turns out to be: the closed union that the gates look at."""

from dataclasses import dataclass
from typing import TypeAlias

from schemas.envelope import GatewayCancel, GatewayRun
from schemas.message import Attachment, ChannelKind


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose connection it came by, and who did it."""

    connection: str
    team_id: str
    """Where answers go: the workspace that the app is authorized for."""
    self_id: str | None = None
    """The user that the app is there."""
    sender: str | None = None
    sender_team: str | None = None
    sender_name: str | None = None
    shared: bool = False
    """Whether another organisation takes part in the channel."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Somebody wrote a message: an app_mention, or a message in a channel, a group, a DM."""

    origin: Origin
    event_type: str
    channel: str
    channel_kind: ChannelKind
    ts: str
    text: str
    thread_ts: str | None = None
    subtype: str | None = None
    hidden: bool = False
    edited: bool = False
    """A mention that Slack tells of once more, since its message was changed."""
    bot_id: str | None = None
    app_id: str | None = None
    channel_name: str | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Reacted:
    """Somebody put an emoji on a message."""

    origin: Origin
    event_type: str
    channel: str
    message_ts: str
    emoji: str
    item_user: str | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """Somebody joined a channel."""

    origin: Origin
    event_type: str
    channel: str


@dataclass(frozen=True, slots=True)
class Commanded:
    """Somebody typed a slash command."""

    origin: Origin
    event_type: str
    command: str
    text: str
    channel: str
    channel_name: str | None = None
    trigger_id: str | None = None


@dataclass(frozen=True, slots=True)
class Clicked:
    """Somebody clicked on what a message shows."""

    origin: Origin
    event_type: str
    action_id: str
    value: str
    channel: str | None
    message_ts: str | None = None
    thread_ts: str | None = None
    trigger_id: str | None = None


@dataclass(frozen=True, slots=True)
class Shortcut:
    """Somebody chose an action on a message."""

    origin: Origin
    event_type: str
    callback_id: str
    channel: str | None = None
    message: Posted | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """Somebody sent a modal off."""

    origin: Origin
    event_type: str
    callback_id: str
    metadata: str
    reason: str | None = None
    """What was typed beside an answer."""


@dataclass(frozen=True, slots=True)
class SessionStopped:
    """Somebody used Slack's own Stop."""

    origin: Origin
    event_type: str
    channel: str
    thread_ts: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A program asks for an answer."""

    origin: Origin
    event_type: str
    run: GatewayRun


@dataclass(frozen=True, slots=True)
class Revoked:
    """A program asks to end a run."""

    origin: Origin
    event_type: str
    cancel: GatewayCancel


@dataclass(frozen=True, slots=True)
class Passing:
    """Something that asks for nothing: an app's life, a view that was closed, an event of a type that is not known."""

    origin: Origin
    event_type: str
    known: bool


Inbound: TypeAlias = (
    Posted | Reacted | Joined | Commanded | Clicked | Shortcut | Submitted | SessionStopped | Asked | Revoked | Passing
)
