"""What a simulated Slack is made of. Each is kept whole, under its kind and key; none knows of another but by id."""

from dataclasses import dataclass, field
from typing import Any, Literal

ChannelKind = Literal["channel", "group", "im", "mpim"]
Surface = Literal["none", "agent", "assistant"]
StreamState = Literal["streaming", "ended", "stopped_by_user", "expired"]
SessionStatus = Literal["active", "processing", "suspended", "closed"]


@dataclass(slots=True)
class Workspace:
    """A team, alone or within an enterprise."""

    id: str
    name: str
    domain: str
    enterprise_id: str | None = None

    @property
    def key(self) -> str:
        """What it is kept under."""
        return self.id


@dataclass(slots=True)
class User:
    """A person, or an app's bot user."""

    id: str
    team_id: str
    name: str
    real_name: str
    email: str | None = None
    is_admin: bool = False
    deleted: bool = False
    bot_id: str | None = None
    app_id: str | None = None
    tz: str = "Etc/UTC"

    @property
    def key(self) -> str:
        """What it is kept under."""
        return self.id


@dataclass(slots=True)
class Command:
    """A slash command that an app takes."""

    name: str
    description: str = ""
    usage_hint: str = ""
    url: str | None = None


@dataclass(slots=True)
class Shortcut:
    """An entry in a message's menu, or in everybody's."""

    callback_id: str
    name: str
    on: Literal["message", "global"] = "message"


@dataclass(slots=True)
class App:
    """An app as its makers set it up: what it may do, what it hears, and where it is reached."""

    id: str
    name: str
    client_id: str
    client_secret: str
    signing_secret: str
    verification_token: str
    app_token: str
    scopes: list[str]
    events: list[str]
    commands: list[Command] = field(default_factory=list)
    shortcuts: list[Shortcut] = field(default_factory=list)
    redirect_urls: list[str] = field(default_factory=list)
    surface: Surface = "agent"
    socket_mode: bool = True
    request_url: str | None = None
    """Where events go over HTTP; verified before the first one goes."""
    interactivity_url: str | None = None
    commercial: bool = False
    """Sold outside the Marketplace: it may read history once a minute, 15 messages at a time."""
    token_rotation: bool = False
    verified_url: str | None = None
    """The request URL that answered its challenge."""
    disabled: bool = False
    """Its subscription was switched off, because too many deliveries failed."""

    @property
    def key(self) -> str:
        """What it is kept under."""
        return self.id


@dataclass(slots=True)
class Installation:
    """An app in a workspace."""

    app_id: str
    team_id: str
    bot_user_id: str
    bot_id: str
    bot_token: str
    scopes: list[str]
    installed_by: str
    refresh_token: str | None = None
    expires_at: float | None = None
    ended: Literal["uninstalled", "revoked"] | None = None
    old_tokens: list[str] = field(default_factory=list)
    """Tokens that were good once: they are told so, and not that they never were."""
    rotated: dict[str, float] = field(default_factory=dict)
    """Tokens that were followed by new ones, and until when they are still good."""

    @property
    def key(self) -> str:
        """What it is kept under."""
        return f"{self.app_id}/{self.team_id}"


@dataclass(slots=True)
class Channel:
    """A conversation of any kind."""

    id: str
    team_id: str
    name: str
    kind: ChannelKind
    creator: str
    created: int
    members: list[str] = field(default_factory=list)
    archived: bool = False
    topic: str = ""
    purpose: str = ""
    connected_team_ids: list[str] = field(default_factory=list)
    """Other workspaces that share it: Slack Connect."""
    no_streams: bool = False
    """Refuses streams, as channels of some workspaces do."""

    @property
    def key(self) -> str:
        """What it is kept under."""
        return self.id


@dataclass(slots=True)
class Stream:
    """A message that is still being written, or was."""

    state: StreamState
    mode: Literal["text", "chunks"] | None
    started_at: float
    touched_at: float
    display: str = "timeline"
    plan: str | None = None
    tasks: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Message:
    """A message, in a channel or in a thread of it."""

    ts: str
    channel: str
    team: str
    user: str
    text: str
    thread_ts: str | None = None
    subtype: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    client_msg_id: str | None = None
    blocks: list[dict[str, Any]] | None = None
    attachments: list[dict[str, Any]] | None = None
    metadata: dict[str, Any] | None = None
    files: list[str] | None = None
    username: str | None = None
    icon: str | None = None
    edited_by: str | None = None
    edited_ts: str | None = None
    reactions: dict[str, list[str]] | None = None
    stream: Stream | None = None
    markdown: bool = False
    """Whether its text is common Markdown."""

    @property
    def key(self) -> str:
        """What it is kept under."""
        return f"{self.channel}/{self.ts}"

    @property
    def root_ts(self) -> str:
        """The thread that it begins or stands in."""
        return self.thread_ts or self.ts


@dataclass(slots=True)
class Ephemeral:
    """A message that one person sees, and that is in no history."""

    ts: str
    channel: str
    to: str
    text: str
    app_id: str
    bot_user_id: str
    thread_ts: str | None = None
    blocks: list[dict[str, Any]] | None = None

    @property
    def key(self) -> str:
        """What it is kept under."""
        return f"{self.channel}/{self.to}/{self.ts}"


@dataclass(slots=True)
class File:
    """A file's description. What is in it is not kept."""

    id: str
    team_id: str
    user: str
    name: str
    size: int
    created: int
    title: str = ""
    mimetype: str = "application/octet-stream"
    channels: list[str] = field(default_factory=list)
    uploaded: bool = False
    complete: bool = False
    upload_secret: str = ""

    @property
    def key(self) -> str:
        """What it is kept under."""
        return self.id


@dataclass(slots=True)
class Session:
    """What an agent says of itself in one thread: its session's state, and the status line of the older kind."""

    app_id: str
    team_id: str
    channel: str
    thread_ts: str
    status: SessionStatus | None = None
    title: str | None = None
    initiator: str | None = None
    line: str = ""
    """The status line: "is thinking…"."""
    loading_messages: list[str] = field(default_factory=list)
    line_until: float = 0.0
    prompts: list[dict[str, str]] = field(default_factory=list)
    prompts_title: str | None = None

    @property
    def key(self) -> str:
        """What it is kept under."""
        return f"{self.app_id}/{self.channel}/{self.thread_ts}"


@dataclass(slots=True)
class View:
    """A modal, or an app's home, as one person has it open."""

    id: str
    app_id: str
    team_id: str
    user: str
    hash: str
    body: dict[str, Any]
    root_id: str
    previous_id: str | None = None
    external_id: str | None = None
    open: bool = True
    """Whether it is on somebody's screen."""
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    """What was put into its inputs."""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What it is kept under."""
        return self.id


@dataclass(slots=True)
class Counters:
    """How far names and time have come, so that a world that is opened again repeats none."""

    seed: str
    drawn: dict[str, int] = field(default_factory=dict)
    floor: int = 0
    """What every kind of name begins with at least."""
    last_us: int = 0
    """The last message's time, in µs."""
    ahead_s: float = 0.0
    """How far the time there was advanced."""
    advanced_s: float = 0.0
    """The same, in the steps in which it was asked for."""
    fixed: bool = False
    """Whether its time stands still between messages, so that a seed repeats it."""

    @property
    def key(self) -> str:
        """There is one."""
        return "counters"


Entity = Workspace | User | App | Installation | Channel | Message | Ephemeral | File | Session | View | Counters

KINDS: dict[str, type[Entity]] = {
    "counters": Counters,
    "workspace": Workspace,
    "user": User,
    "app": App,
    "installation": Installation,
    "channel": Channel,
    "message": Message,
    "ephemeral": Ephemeral,
    "file": File,
    "session": Session,
    "view": View,
}
"""In the order in which they are read back."""
KIND_OF = {kind: name for name, kind in KINDS.items()}
