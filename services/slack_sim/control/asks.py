"""What the control API is asked: each class is an operation, its fields are what it is told."""

import re
from typing import Any, Generic, Literal, TypeVar, cast

from pydantic import Field

from services.slack_sim.control import answers
from services.slack_sim.control.conditions import Condition
from services.slack_sim.delivery.policy import Policy
from services.slack_sim.faults.calls import CallFault
from services.slack_sim.web_api.limits import RateLimits
from services.slack_sim.world.entities import Surface

Answer = TypeVar("Answer", bound=answers.Model)


class Asks(answers.Model, Generic[Answer]):
    """An operation of the control API, with what it is told. Its name is the class's, as in `/_sim/add_user`."""

    @classmethod
    def operation(cls) -> str:
        """What it is called in the address."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def gives(cls) -> type[Answer]:
        """What it answers."""
        (answer,) = next(
            arguments
            for base in cls.__mro__
            if (arguments := getattr(base, "__pydantic_generic_metadata__", {}).get("args"))
        )
        return cast("type[Answer]", answer)


class ReadWorld(Asks[answers.WorldShown]):
    """Everything that there is."""


class ReadSockets(Asks[answers.SocketsShown]):
    """The open sockets."""


class ReadCounts(Asks[answers.Counts]):
    """Counts since the start."""


class ClearFaults(Asks[answers.Nothing]):
    """All is well again."""


class AddWorkspace(Asks[answers.Created]):
    """A workspace to be made."""

    name: str
    domain: str | None = None
    enterprise_id: str | None = None
    """The enterprise that it is within (E…)."""


class AddUser(Asks[answers.Created]):
    """A person to be made."""

    team_id: str
    name: str
    real_name: str | None = None
    email: str | None = None
    is_admin: bool = False


class AddChannel(Asks[answers.Created]):
    """A channel to be made, with people and bots in it. Direct messages have no name."""

    team_id: str
    name: str = ""
    kind: Literal["channel", "group", "direct"] = "channel"
    members: list[str] = Field(default_factory=list)
    connected_team_ids: list[str] = Field(default_factory=list)
    """Other workspaces that share it: Slack Connect."""
    no_streams: bool = False
    """Refuses streams, as channels of some workspaces do."""


class SlashCommand(answers.Model):
    """A slash command."""

    name: str = Field(pattern=r"^/[a-z0-9_-]+$")
    description: str = ""
    usage_hint: str = ""
    url: str | None = None
    """Where it goes over HTTP; the interactivity address otherwise."""


class AppShortcut(answers.Model):
    """A shortcut."""

    callback_id: str
    name: str
    on: Literal["message", "global"] = "message"


class AppSettings(answers.Model):
    """How an app is set up. What is not said stays as it is, or as the first app's is."""

    name: str | None = None
    scopes: list[str] | None = None
    events: list[str] | None = None
    commands: list[SlashCommand] | None = None
    shortcuts: list[AppShortcut] | None = None
    redirect_urls: list[str] | None = None
    surface: Surface | None = None
    """`agent` is what new apps are, `assistant` the older kind with threads of its own."""
    socket_mode: bool | None = None
    request_url: str | None = None
    interactivity_url: str | None = None
    commercial: bool | None = None
    token_rotation: bool | None = None


class AddApp(AppSettings, Asks[answers.AppShown]):
    """An app to be made."""


class ChangeApp(AppSettings, Asks[answers.AppShown]):
    """An app, and what is to be different."""

    app_id: str


class InstallApp(Asks[answers.InstallationShown]):
    """An app that is to come into a workspace."""

    app_id: str
    team_id: str
    user_id: str | None = None
    """Who lets it in; the workspace's first person otherwise."""
    scopes: list[str] | None = None
    channels: list[str] = Field(default_factory=list)
    """Where its bot is invited at once."""


class AppInTeam(answers.Model):
    """An app in a workspace."""

    app_id: str
    team_id: str


class UninstallApp(AppInTeam, Asks[answers.Nothing]):
    """Takes an app out of a workspace."""


class RevokeToken(AppInTeam, Asks[answers.Nothing]):
    """Makes an app's token in a workspace good for no more."""


class Say(Asks[answers.Said]):
    """Somebody says something."""

    user_id: str
    channel_id: str
    text: str = ""
    thread_ts: str | None = None
    broadcast: bool = False
    """Shows a reply in the channel, too."""
    files: list[str] | None = None
    """Names of files that go with it."""
    client_msg_id: str | None = None


class OneMessage(answers.Model):
    """A message, and who does something with it."""

    user_id: str
    channel_id: str
    ts: str


class Delete(OneMessage, Asks[answers.Nothing]):
    """Somebody takes a message back."""


class Edit(OneMessage, Asks[answers.Nothing]):
    """Somebody says it differently."""

    text: str


class React(OneMessage, Asks[answers.Nothing]):
    """Somebody puts an emoji on a message, or takes it off."""

    name: str
    remove: bool = False


class Membership(answers.Model):
    """Somebody comes into a channel, or leaves it."""

    user_id: str
    channel_id: str
    inviter: str | None = None


class Join(Membership, Asks[answers.Nothing]):
    """Somebody comes into a channel."""


class Leave(Membership, Asks[answers.Nothing]):
    """Somebody leaves a channel."""


class OpenApp(Asks[answers.Created]):
    """Somebody opens an app."""

    user_id: str
    app_id: str
    tab: Literal["messages", "home"] = "messages"


class OpenAssistant(Asks[answers.Said]):
    """Somebody opens a thread with an assistant of the older kind; or looks at another channel beside one."""

    user_id: str
    app_id: str
    looking_at: str | None = None
    thread_ts: str | None = None
    """The thread that is open already."""


class StopAgent(Asks[answers.Stopped]):
    """Somebody presses an agent's Stop."""

    user_id: str
    channel_id: str
    thread_ts: str
    app_id: str


class Action(answers.Model):
    """A button or a choice: on a message, on what only one person sees, or in a view."""

    user_id: str
    action_id: str
    block_id: str | None = None
    value: Any = None
    """What is chosen: an option's value, an id, a list of them."""
    channel_id: str | None = None
    ts: str | None = None
    view_id: str | None = None


class Press(Action, Asks[answers.Delivered]):
    """Somebody presses a button or chooses something."""


class Suggest(Action, Asks[answers.Suggested]):
    """Somebody types into a select whose options the app knows. `value` is what they typed."""


class SubmitView(Asks[answers.Delivered]):
    """Somebody fills in a modal and submits it."""

    user_id: str
    view_id: str
    values: dict[str, Any] = Field(default_factory=dict)
    """What is put into inputs, by action_id."""


class CloseView(Asks[answers.Nothing]):
    """Somebody closes a modal."""

    user_id: str
    view_id: str
    all_of_them: bool = False


class RunCommand(Asks[answers.Delivered]):
    """Somebody types a slash command."""

    user_id: str
    channel_id: str
    line: str


class ChooseShortcut(Asks[answers.Delivered]):
    """Somebody chooses a shortcut: everybody's, or a message's."""

    user_id: str
    app_id: str
    callback_id: str
    channel_id: str | None = None
    ts: str | None = None


class ReadTranscript(Asks[answers.Transcript]):
    """A channel, or one thread of it."""

    channel_id: str
    thread_ts: str | None = None
    viewer: str | None = None
    """Somebody whose ephemeral messages are wanted, too."""
    limit: int = Field(default=1000, ge=1, le=10_000)
    """How many messages at most: the newest of them."""


class ReadViews(Asks[answers.Views]):
    """What somebody has open."""

    user_id: str
    app_id: str | None = None


class ReadSessions(Asks[answers.Sessions]):
    """An agent's sessions in a channel."""

    channel_id: str


class ReadCalls(Asks[answers.CallsShown]):
    """Which calls of the Web API are wanted."""

    method: str | None = None
    app_id: str | None = None
    after: int = 0
    """Only those with a higher number."""


class ReadEnvelopes(Asks[answers.EnvelopesShown]):
    """Which deliveries are wanted."""

    app_id: str | None = None
    kind: str | None = None
    name: str | None = None
    state: str | None = None
    after: int = 0
    """Only those with a higher number."""


class Wait(Asks[answers.Waited]):
    """What to wait for, and how long at most."""

    until: Condition
    timeout_s: float = Field(default=10.0, gt=0, le=600)


class Advance(Asks[answers.Now]):
    """How far time is to be moved forward."""

    seconds: float = Field(gt=0, le=10**8)
    grace_s: float = Field(default=0.2, ge=0, le=60)
    """How long, in real time, apps have to acknowledge what is on its way before each thing that is due."""


class Reset(Asks[answers.Nothing]):
    """What is to be forgotten: what was recorded, or everything, so that the first world begins anew."""

    what: Literal["records", "everything"] = "everything"


class SetLimits(RateLimits, Asks[answers.Nothing]):
    """Rate limits."""


class SetPolicy(Policy, Asks[answers.Nothing]):
    """How deliveries are made."""


class FailCalls(CallFault, Asks[answers.Nothing]):
    """Makes calls of the Web API fail."""


class SetStreamLives(Asks[answers.Nothing]):
    """How long streams live."""

    idle_s: float = Field(default=300.0, gt=0)
    """Without a word."""
    whole_s: float = Field(default=300.0, gt=0)
    """At all."""


class Blackhole(Asks[answers.Nothing]):
    """Nothing passes for a while, and connections stay open."""

    seconds: float = Field(gt=0, le=600)


class RefuseSockets(Asks[answers.Nothing]):
    """New sockets are refused for a while."""

    seconds: float = Field(gt=0, le=600)
    status: int = Field(default=503, ge=400, le=599)
    app_id: str | None = None


class TroubleLinks(Asks[answers.Nothing]):
    """What is wrong with sockets until it is said otherwise."""

    connect_delay_s: float = Field(default=0.0, ge=0, le=600)
    ack_delay_s: float = Field(default=0.0, ge=0, le=600)
    ack_loss: float = Field(default=0.0, ge=0, le=1)
    """How many acknowledgements never arrive."""
    deaf: bool = False
    """Pings stay unanswered."""


class DropSockets(Asks[answers.Hit]):
    """Sockets end without a word."""

    app_id: str | None = None
    count: int | None = Field(default=None, ge=1)
    """How many; all otherwise."""


class DisconnectSockets(Asks[answers.Hit]):
    """Sockets are asked to go, after a warning perhaps."""

    reason: Literal["warning", "refresh_requested", "link_disabled", "too_many_websockets"] = "refresh_requested"
    app_id: str | None = None
    lead_s: float = Field(default=0.0, ge=0, le=600)
    """How long before it the warning comes."""
    count: int | None = Field(default=None, ge=1)


class Load(Asks[answers.Loaded]):
    """Messages that somebody says, at a steady pace."""

    user_id: str
    channel_id: str
    count: int = Field(ge=1, le=1_000_000)
    per_second: float = Field(gt=0, le=100_000)
    text: str = "load {number}"
    """`{number}` is the message's number."""
