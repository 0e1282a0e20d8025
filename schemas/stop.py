"""runs.stops: requests to end runs, read by every responder ahead of everything else."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from schemas.base import Event, Name, Part

StopSource = Literal["command", "word", "emoji", "button", "native", "gateway", "supervisor"]
"""How a stop was asked for: `/stop`, the bare word, 🛑, the button, Slack's own Stop, a program, the supervisor."""


class StopRun(Part):
    """The run with this id."""

    by: Literal["run"] = "run"
    run_id: Name


class StopMessage(Part):
    """The run that writes, or was asked for by, this message. A reaction or an old button knows no more."""

    by: Literal["message"] = "message"
    channel_id: Name
    message_ts: Name


class StopThread(Part):
    """Every run in this thread."""

    by: Literal["thread"] = "thread"
    channel_id: Name
    thread_ts: Name


class StopUser(Part):
    """Every run that this person asked for in this channel. A slash command knows no thread."""

    by: Literal["user"] = "user"
    channel_id: Name
    user_id: Name


StopTarget: TypeAlias = Annotated[StopRun | StopMessage | StopThread | StopUser, Field(discriminator="by")]


class StopRequested(Event):
    """Somebody wants runs to end."""

    type: Literal["stop.requested"] = "stop.requested"
    stop_id: Name
    cause: Name
    tenant_id: Name
    connection: Name
    target: StopTarget
    source: StopSource
    asked_by: Name
    may_stop_anyone: bool
    """Whether the asker may end runs that others asked for; the responder checks authorship otherwise."""
    directory_revision: int
