"""Where an answer, a notice or a click belongs: whose workspace, which channel, which thread."""

from typing import assert_never

from schemas.command import Place
from services.router.decisions.event import Event
from services.router.decisions.inbound import (
    Asked,
    Clicked,
    Commanded,
    Joined,
    Passing,
    Posted,
    Reacted,
    Revoked,
    SessionStopped,
    Shortcut,
    Submitted,
)


def place_of(event: Event, tenant_id: str) -> Place:
    """The place of what happened. Where a run starts a thread, its root is the message that asked."""
    channel, thread = where(event)
    return Place(
        tenant_id=tenant_id,
        connection=event.connection,
        team_id=event.inbound.origin.team_id,
        channel_id=channel,
        thread_ts=thread,
    )


def channel_of(event: Event) -> str | None:
    """The channel alone."""
    return where(event)[0]


def where(event: Event) -> tuple[str | None, str | None]:  # noqa: PLR0911 - one for each kind of event
    """The channel, and the thread in it."""
    match event.inbound:
        case Posted(channel=channel, thread_ts=thread, ts=ts):
            return channel, thread or ts
        case Shortcut(message=Posted(channel=channel, thread_ts=thread, ts=ts)):
            return channel, thread or ts
        case Reacted(channel=channel, message_ts=ts):
            return channel, ts
        case Clicked(channel=channel, thread_ts=thread, message_ts=ts):
            return channel, thread or ts
        case SessionStopped(channel=channel, thread_ts=thread):
            return channel, thread
        case Joined(channel=channel) | Commanded(channel=channel) | Shortcut(channel=channel):
            return channel, None
        case Asked(run=run):
            return run.channel_id, run.thread_ts
        case Revoked() | Submitted() | Passing():
            return None, None
        case _:
            assert_never(event.inbound)


def message_ts_of(event: Event) -> str | None:
    """The message that it is about, on which an emoji can be shown."""
    match event.inbound:
        case Posted(ts=ts) | Shortcut(message=Posted(ts=ts)) | Reacted(message_ts=ts):
            return ts
        case Clicked(message_ts=clicked):
            return clicked
        case _:
            return None
