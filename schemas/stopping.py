"""Which runs a stop is about, and whether the asker may end them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from schemas.command import RetryAsked, RunRequested, RunResumed
from schemas.stop import StopMessage, StopRequested, StopRun, StopThread, StopUser


@dataclass(frozen=True)
class Stoppable:
    """A run, as stops know it."""

    run_id: str
    connection: str
    channel_id: str | None
    thread_ts: str | None
    asked_by: str
    asked_at: datetime
    messages: Collection[str] = ()
    """The ts of the message that asked, and of those that answer."""


def of_request(request: RunRequested | RetryAsked | RunResumed, messages: Collection[str] = ()) -> Stoppable:
    """A run that was asked for."""
    asked = (request.message.id,) if isinstance(request, RunRequested) else ()
    match request:
        case RunRequested():
            asked_by, asked_at = request.message.sender.id, request.at
        case RetryAsked():
            asked_by, asked_at = request.user_id, request.at
        case RunResumed():
            asked_by, asked_at = request.asked_by, request.asked_at
    return Stoppable(
        run_id=request.run_id,
        connection=request.place.connection,
        channel_id=request.place.channel_id,
        thread_ts=request.place.thread_ts,
        asked_by=asked_by,
        asked_at=asked_at,
        messages=(*asked, *messages),
    )


def is_about(stop: StopRequested, run: Stoppable) -> bool:
    """Whether the stop means this run. What was asked for after it is not meant, unless it is named."""
    if stop.connection != run.connection:
        return False
    target, earlier = stop.target, run.asked_at <= stop.at
    match target:
        case StopRun(run_id=run_id):
            return run.run_id == run_id
        case StopMessage(channel_id=channel, message_ts=ts):
            return run.channel_id == channel and ts in run.messages
        case StopThread(channel_id=channel, thread_ts=thread):
            return earlier and run.channel_id == channel and run.thread_ts == thread
        case StopUser(channel_id=channel, user_id=user):
            return earlier and run.channel_id == channel and run.asked_by == user
        case _:
            assert_never(target)


def may_end(stop: StopRequested, run: Stoppable) -> bool:
    """Whether the asker may: it is their own, or they may end anybody's."""
    return stop.may_stop_anyone or stop.asked_by == run.asked_by
