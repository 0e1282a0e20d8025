"""What the control API answers."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """What goes over the wire."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Nothing(Model):
    """There is nothing to say."""


class AppShown(Model):
    """An app, with its secrets."""

    id: str
    name: str
    app_token: str
    signing_secret: str
    client_id: str
    client_secret: str
    verification_token: str
    scopes: list[str]
    events: list[str]
    socket_mode: bool
    disabled: bool
    verified_url: str | None = None


class InstallationShown(Model):
    """An app in a workspace, with its token."""

    app_id: str
    team_id: str
    bot_user_id: str
    bot_id: str
    bot_token: str
    refresh_token: str | None = None
    ended: str | None = None


class WorkspaceShown(Model):
    """A workspace."""

    id: str
    name: str
    domain: str
    enterprise_id: str | None = None


class UserShown(Model):
    """A person, or a bot."""

    id: str
    team_id: str
    name: str
    bot_id: str | None = None


class ChannelShown(Model):
    """A conversation."""

    id: str
    team_id: str
    name: str
    kind: str
    members: list[str]
    messages: int


class WorldShown(Model):
    """Everything that there is."""

    workspaces: list[WorkspaceShown]
    users: list[UserShown]
    channels: list[ChannelShown]
    apps: list[AppShown]
    installations: list[InstallationShown]


class Created(Model):
    """The id of what was made."""

    id: str


class Said(Model):
    """The message that it became."""

    ts: str
    channel_id: str


class Stopped(Model):
    """The streams that ended with it."""

    streaming_message_ts: list[str]


class Suggested(Model):
    """The options that the app named."""

    answer: dict[str, Any] | None


class Delivered(Model):
    """The delivery that it led to. Envelopes are found by its number."""

    number: int


class Transcript(Model):
    """Messages as Slack shows them, the oldest first."""

    messages: list[dict[str, Any]]
    ephemerals: list[dict[str, Any]]


class Views(Model):
    """Views, with the errors that are shown in them."""

    views: list[dict[str, Any]]


class SessionShown(Model):
    """What an agent says of itself in a thread."""

    app_id: str
    thread_ts: str
    status: str | None
    title: str | None
    line: str
    loading_messages: list[str]
    prompts: list[dict[str, str]]


class Sessions(Model):
    """Sessions."""

    sessions: list[SessionShown]


class CallShown(Model):
    """A call of the Web API."""

    number: int
    method: str
    app_id: str | None
    team_id: str | None
    arguments: dict[str, Any]
    at: float
    status: int
    error: str | None
    took_ms: float
    fault: str | None
    answer: dict[str, Any] | None


class CallsShown(Model):
    """Calls, the oldest first."""

    calls: list[CallShown]


class AttemptShown(Model):
    """One try to deliver."""

    id: str
    number: int
    over: str
    sent_at: float
    reason: str
    acknowledged_at: float | None
    failure: str | None


class EnvelopeShown(Model):
    """A delivery, with every attempt."""

    number: int
    app_id: str
    team_id: str
    kind: str
    name: str
    event_id: str | None
    state: str
    late: bool
    made_at: float
    acknowledged_at: float | None
    attempts: list[AttemptShown]
    payload: dict[str, Any]


class EnvelopesShown(Model):
    """Deliveries, the oldest first."""

    envelopes: list[EnvelopeShown]


class SocketShown(Model):
    """An open socket."""

    number: int
    app_id: str
    opened_at: float
    sent: int
    received: int
    pings: int


class SocketsShown(Model):
    """The open sockets, and how many were ever opened."""

    sockets: list[SocketShown]
    opened: int


class Counts(Model):
    """Counts since the start, or since the last reset."""

    calls: dict[str, int]
    errors: dict[str, int]
    """By method and error."""
    unknown_methods: dict[str, int]
    deliveries: dict[str, int]
    open: int
    """Deliveries that are neither acknowledged nor over."""
    messages: int


class Waited(Model):
    """Whether it came, and what was found."""

    met: bool
    found: dict[str, Any] | None = None
    after_ms: float


class Now(Model):
    """The time there."""

    now: float


class Hit(Model):
    """How many were hit."""

    count: int


class Loaded(Model):
    """How long it took to say them."""

    count: int
    seconds: float
