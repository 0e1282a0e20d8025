"""What a person said, as the one message model, whichever shape it came in."""

from datetime import UTC, datetime
from typing import Final

from schemas.message import Channel, ChannelKind, Message, Sender
from services.router.decisions import text
from services.router.decisions.event import Event
from services.router.decisions.inbound import Asked, Commanded, Joined, Origin, Posted, Reacted, Shortcut
from services.router.decisions.normalize import channel_kind
from services.router.decisions.place import channel_of

GATEWAY: Final = "gateway"
"""Stands for the channel of a program that names none."""


def message_of(event: Event, tenant_id: str, self_id: str | None) -> Message:
    """The message that a run answers. `self_id` is the user that the app is."""
    match event.inbound:
        case Posted() as posted:
            return _of_posted(posted, posted.origin, tenant_id, self_id)
        case Shortcut(message=Posted() as posted, origin=origin):
            return _of_posted(posted, origin, tenant_id, self_id)
        case Reacted(message_ts=ts):
            return _bare(event, ts, tenant_id)
        case Joined():
            return _bare(event, event.cause.name, tenant_id)
        case Commanded(text=typed, channel_name=name):
            said, bare = text.read(typed, self_id), _bare(event, event.cause.name, tenant_id)
            channel = bare.channel.model_copy(update={"name": name})
            return bare.model_copy(update={"content": said.content, "mentions": said.mentions, "channel": channel})
        case Asked(run=run):
            kind: ChannelKind = GATEWAY if run.channel_id is None else channel_kind(None, run.channel_id)
            return Message(
                id=event.cause.name,
                tenant_id=tenant_id,
                channel=Channel(id=run.channel_id or GATEWAY, kind=kind),
                sender=Sender(id=run.token_id, bot=True),
                content=run.text,
                timestamp=event.received_at,
                thread=run.thread_ts,
            )
        case _:
            raise TypeError(f"a {type(event.inbound).__name__} says nothing")


def _of_posted(posted: Posted, origin: Origin, tenant_id: str, self_id: str | None) -> Message:
    said = text.read(posted.text, self_id)
    return Message(
        id=posted.ts,
        tenant_id=tenant_id,
        channel=Channel(id=posted.channel, kind=posted.channel_kind, name=posted.channel_name, shared=origin.shared),
        sender=_sender(origin),
        content=said.content,
        timestamp=_moment(posted.ts),
        thread=posted.thread_ts,
        mentions=said.mentions,
        attachments=posted.attachments,
    )


def _bare(event: Event, name: str, tenant_id: str) -> Message:
    """Of something that has no text of its own."""
    origin, channel = event.inbound.origin, channel_of(event) or GATEWAY
    return Message(
        id=name,
        tenant_id=tenant_id,
        channel=Channel(id=channel, kind=channel_kind(None, channel), shared=origin.shared),
        sender=_sender(origin),
        content="",
        timestamp=event.received_at,
    )


def _sender(origin: Origin) -> Sender:
    return Sender(id=origin.sender or "unknown", team_id=origin.sender_team, name=origin.sender_name)


def _moment(ts: str) -> datetime:
    return datetime.fromtimestamp(float(ts), UTC)
