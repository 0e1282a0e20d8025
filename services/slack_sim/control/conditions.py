"""What can be waited for."""

from typing import Annotated, Literal

from pydantic import Field

from services.slack_sim.control import answers


class AMessage(answers.Model):
    """Until a message is there, and is no longer being streamed."""

    what: Literal["message"] = "message"
    channel_id: str
    thread_ts: str | None = None
    user_id: str | None = None
    """Who says it."""
    contains: str = ""
    after_ts: str = ""
    streaming: bool = False
    """Also one that is still being streamed."""


class AnEphemeral(answers.Model):
    """Until somebody is shown something."""

    what: Literal["ephemeral"] = "ephemeral"
    channel_id: str
    user_id: str
    contains: str = ""


class AReaction(answers.Model):
    """Until an emoji is on a message."""

    what: Literal["reaction"] = "reaction"
    channel_id: str
    ts: str
    name: str


class SomeCalls(answers.Model):
    """Until a method was called so many times."""

    what: Literal["calls"] = "calls"
    method: str
    count: int = 1


class SomeSockets(answers.Model):
    """Until an app has so many sockets open."""

    what: Literal["sockets"] = "sockets"
    app_id: str
    count: int = 1
    opened: int = 0
    """And so many were opened since the start, by all apps."""


class SomeDeliveries(answers.Model):
    """Until so many deliveries are in a state: acknowledged, given up, lost."""

    what: Literal["deliveries"] = "deliveries"
    state: Literal["acknowledged", "given up", "lost"] = "acknowledged"
    count: int = 1


class Settled(answers.Model):
    """Until every delivery is acknowledged or over."""

    what: Literal["settled"] = "settled"


class AView(answers.Model):
    """Until somebody has a view open."""

    what: Literal["view"] = "view"
    user_id: str
    callback_id: str | None = None
    errors: bool = False
    """One that shows errors."""


class ASession(answers.Model):
    """Until an agent says so of itself."""

    what: Literal["session"] = "session"
    channel_id: str
    thread_ts: str
    status: str | None = None
    line: str | None = None


Condition = Annotated[
    AMessage | AnEphemeral | AReaction | SomeCalls | SomeSockets | SomeDeliveries | Settled | AView | ASession,
    Field(discriminator="what"),
]
