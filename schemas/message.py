"""A message of a person in one shape, wherever it came from: the model that decisions and prompts are made of."""

from typing import Literal

from schemas.base import Instant, Name, Part

ChannelKind = Literal["channel", "group", "im", "mpim", "gateway"]


class Channel(Part):
    """Where a message was written."""

    id: Name
    kind: ChannelKind
    name: str | None = None
    shared: bool = False
    """Whether another organisation takes part in it (Slack Connect)."""


class Sender(Part):
    """Who wrote a message."""

    id: Name
    team_id: Name | None = None
    """The sender's own workspace, which differs from the connection's in a shared channel."""
    bot: bool = False
    name: str | None = None


class Attachment(Part):
    """A file that came with a message: what it is, never its content or its address."""

    id: Name
    name: str | None = None
    media_type: str | None = None
    size: int | None = None


class Message(Part):
    """What a person said, in one shape."""

    id: Name
    """Its name in Slack (the ts), or the one that a program gave it."""
    tenant_id: Name
    channel: Channel
    sender: Sender
    content: str
    timestamp: Instant
    thread: Name | None = None
    """The ts of the thread it stands in; none at the top of a channel."""
    mentions: tuple[Name, ...] = ()
    attachments: tuple[Attachment, ...] = ()
