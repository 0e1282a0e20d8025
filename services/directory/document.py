"""What a tenant is: what `directory.yaml` describes, what a revision keeps, and what decisions are made with."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, StringConstraints

from schemas.base import Instant, Part
from services.directory.patterns import (
    valid_arguments,
    valid_emoji,
    valid_model,
    valid_pattern,
    valid_prompt,
    valid_url,
)
from services.kit.secrets.place import SecretPlace

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
"""A name of ours: small letters, digits and dashes."""
Title = Annotated[str, StringConstraints(min_length=1, max_length=80)]
"""A name that people read."""
Prose = Annotated[str, StringConstraints(max_length=8000)]
WorkspaceId = Annotated[str, StringConstraints(pattern=r"^[TE][A-Za-z0-9_-]{1,62}$")]
"""Slack's id of a workspace (T…) or of a whole organisation (E…)."""
OrganizationId = Annotated[str, StringConstraints(pattern=r"^E[A-Za-z0-9_-]{1,62}$")]
ChannelId = Annotated[str, StringConstraints(pattern=r"^[CDG][A-Za-z0-9_-]{1,62}$")]
ChannelPlace = Annotated[str, StringConstraints(pattern=r"^([CDG][A-Za-z0-9_-]{1,62}|#[^\s#<>&,]{1,80})$")]
AGENTS_CHANNEL = "#agent-supervisory"
UserId = Annotated[str, StringConstraints(pattern=r"^[UW][A-Za-z0-9_-]{1,62}$")]
AppId = Annotated[str, StringConstraints(pattern=r"^A[A-Za-z0-9_-]{1,62}$")]
ToolName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9_-]{0,62}$")]
"""As providers of models take it."""
ModelName = Annotated[str, AfterValidator(valid_model)]
Element = TypeVar("Element")
Entry = TypeVar("Entry", bound=Part)


def _in_order(values: tuple[Element, ...]) -> tuple[Element, ...]:
    return tuple(sorted(values, key=str))


Several = Annotated[tuple[Element, ...], AfterValidator(_in_order)]
"""Some of these, in an order of ours: theirs says nothing."""

TRANSPARENCY = (
    "You are an AI assistant, and you never claim to be a person. When somebody asks, you say so. "
    "When you are not sure, you say that too."
)


class Connection(Part):
    """A workspace that a tenant owns, or an organisation (Enterprise Grid) where the app is installed for all of it."""

    workspace: WorkspaceId
    """Slack's id of it: T…, or E… for an organisation-wide installation. It belongs to one tenant only."""
    channel_type: Literal["slack"] = "slack"
    organization: OrganizationId | None = None
    """The Enterprise Grid organisation that the workspace is part of."""
    name: Title | None = None
    agents_channel: ChannelPlace | None = None
    """Where supervised agents are told of there; the tenant's own `agents_channel` without it."""


class Partner(Part):
    """Another organisation whose people share channels with the tenant's (Slack Connect)."""

    workspace: WorkspaceId
    """Slack's id of the other workspace or organisation."""
    name: Title | None = None
    may_ask: bool = True
    """Whether the agents answer its people."""


class Agent(Part):
    """Who answers."""

    id: Slug
    name: Title
    role: Prose = ""
    """What the agent does, such as "Customer Support"."""
    persona: Prose = ""
    """How it speaks, such as "Professional and empathetic"."""
    transparency: Prose = TRANSPARENCY
    """What the system prompt says about being an AI."""
    model: ModelName | None = None
    """`rehearsal`, `openai:NAME`, `anthropic:NAME`, `ollama:NAME`; without it, the one that Threadline is set to."""
    fallback_model: ModelName | None = None
    """Which model is asked when the first cannot answer."""
    default: bool = False
    """Whether it answers where no other agent is bound. One agent of a tenant does; a single agent does in any case."""
    channels: Several[ChannelId] = ()
    """The channels that it answers in, before the default agent does."""
    enabled: bool = True
    max_answer_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    """How long an answer may get."""
    max_history_tokens: int | None = Field(default=None, ge=1, le=10_000_000)
    """How much of the thread the model is shown."""
    answer_within_s: int | None = Field(default=None, ge=1, le=3600)
    """When an answer is given up."""
    tools: Several[ToolName] = ()
    """Which of the tenant's tools it may use."""


class Tool(Part):
    """What agents may use beside their words: a program of the tenant's that answers over HTTP."""

    name: ToolName
    description: Annotated[Prose, Field(min_length=1)]
    """What it does and when to use it, for the model to read."""
    url: Annotated[str, AfterValidator(valid_url)]
    """Where the program is asked: `POST`, with the arguments as JSON."""
    arguments: Annotated[dict[str, Any], AfterValidator(valid_arguments)] = Field(
        default_factory=lambda: {"type": "object", "properties": {}}
    )
    """What it wants to know: a JSON Schema of an object."""
    approval: Literal["always", "never"] = "always"
    """Whether a person must allow each use."""
    approval_within_s: int = Field(default=86_400, ge=30, le=604_800)
    """How long people have for that."""
    repeatable: bool = False
    """Whether the same request may come twice and does no harm. Otherwise it is never made again where nobody knows
    whether it was done."""
    within_s: int = Field(default=30, ge=1, le=600)
    """How long its answer may take."""


class Rule(Part):
    """When this happens, ask that."""

    name: Slug
    when: Literal["message", "mention", "emoji_reaction", "join"] = "message"
    channels: Several[ChannelId] = ()
    """Only in these; in any where there are none."""
    senders: Several[UserId] = ()
    """Only from these; from anybody where there are none."""
    pattern: Annotated[str, AfterValidator(valid_pattern)] | None = None
    """What the text must match somewhere: a regular expression as RE2 reads it."""
    emoji: Several[Annotated[str, AfterValidator(valid_emoji)]] = ()
    """Which emoji reactions, without colons; any where there are none."""
    prompt: Annotated[Prose, AfterValidator(valid_prompt)] | None = None
    """What the agent is asked, with {text}, {sender}, {channel}, {emoji} filled in; the message itself without it."""
    agent: Slug | None = None
    """Which agent answers; the channel's or the default one without it."""
    priority: int = Field(default=0, ge=-1000, le=1000)
    """Of several rules that match, the highest wins; then the first by name."""
    cooldown_s: int = Field(default=0, ge=0, le=86_400)
    """How long it rests in a channel after it has matched there."""
    enabled: bool = True


class Limit(Part):
    """A token bucket."""

    scope: Literal["connection", "channel", "user"]
    """What has a bucket of its own: the tenant's connection, each channel, or each user."""
    per_minute: int = Field(ge=1, le=100_000)
    """How fast it fills."""
    burst: int | None = Field(default=None, ge=1, le=100_000)
    """How much it holds; as much as fills in a minute without it."""


class Quota(Part):
    """A bound on what a tenant may use."""

    what: Literal[
        "runs_in_flight",
        "runs_per_day",
        "tokens_per_day",
        "cost_usd_per_month",
        "agent_cost_usd_per_day",
        "agents_cost_usd_per_day",
    ]
    """`agent_cost…` bounds each supervised agent, `agents_cost…` all of them: at 80 % they are warned, at 100 % told to
    end."""
    amount: float = Field(ge=0, le=1e12)


class Person(Part):
    """Somebody who may do more than others."""

    user: UserId
    name: Title | None = None
    may: Annotated[Several[Literal["stop", "approve"]], Field(min_length=1)]
    """`stop`: end anybody's run, and not only one's own. `approve`: decide what an agent asks to be allowed."""


class Installation(Part):
    """An app in one of the tenant's workspaces, and where its secrets are found."""

    app: AppId
    workspace: WorkspaceId
    secrets: SecretPlace = "env"
    """`env` (SLACK_BOT_TOKEN …), `env:acme` (ACME_SLACK_BOT_TOKEN …), `files`, `files:acme`, or `gateway`."""
    bot_user: UserId | None = None
    """The user that the app is in the workspace."""


def _by(*names: str) -> AfterValidator:
    """Entries in the order of what makes each the only one: the file's order says nothing."""

    def in_order(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
        return tuple(sorted(entries, key=lambda entry: [getattr(entry, name) for name in names]))

    return AfterValidator(in_order)


class _Described(Part):
    """Everything of a tenant's but its installations, which stand otherwise than they are described."""

    id: Slug
    name: Title
    enabled: bool = True
    """A tenant that is not enabled gets no answers; its events are still decided and counted."""
    anyone_may_stop: bool = False
    """Whether anybody may end anybody's run; otherwise its author and people who may stop."""
    self_approval: bool = False
    """Whether who asked for a task may approve what it wants to do."""
    strangers_may_ask: bool = True
    """Whether people of organisations that are not listed as partners are answered in shared channels."""
    anyone_may_approve: bool = False
    """Whether anybody may decide what an agent asks to be allowed; otherwise people who may approve."""
    agents_channel: ChannelPlace = AGENTS_CHANNEL
    """Where supervised agents are told of: a channel's id, or its name with # before it. An id is of one workspace."""
    connections: Annotated[tuple[Connection, ...], _by("workspace")] = ()
    partners: Annotated[tuple[Partner, ...], _by("workspace")] = ()
    agents: Annotated[tuple[Agent, ...], _by("id")] = ()
    rules: Annotated[tuple[Rule, ...], _by("name")] = ()
    limits: Annotated[tuple[Limit, ...], _by("scope")] = ()
    quotas: Annotated[tuple[Quota, ...], _by("what")] = ()
    people: Annotated[tuple[Person, ...], _by("user")] = ()
    tools: Annotated[tuple[Tool, ...], _by("name")] = ()

    def agents_channel_in(self, workspace: str) -> str:
        """Where supervised agents are told of in one of its connections."""
        own = next((each.agents_channel for each in self.connections if each.workspace == workspace), None)
        return own or self.agents_channel


class InstalledApp(Part):
    """An app in a workspace as it stands: described in the file, or installed through OAuth and its tokens sealed."""

    app: AppId
    workspace: WorkspaceId
    origin: Literal["file", "oauth"] = "file"
    secrets: SecretPlace | None = None
    """Where the file says that its secrets are."""
    bot_user: UserId | None = None
    scopes: Several[str] = ()
    closed_at: Instant | None = None
    """When the app was removed from the workspace, or its tokens were revoked."""

    def described(self) -> Installation | None:
        """What of it belongs into `directory.yaml`: nothing where OAuth made it, or once it was closed."""
        if self.origin != "file" or self.closed_at is not None or self.secrets is None:
            return None
        return Installation(app=self.app, workspace=self.workspace, secrets=self.secrets, bot_user=self.bot_user)


class Tenant(_Described):
    """Somebody who owns connections, and everything of theirs."""

    installations: Annotated[tuple[Installation, ...], _by("app", "workspace")] = ()

    def standing(self) -> "TenantFacts":
        """As it stands once it is applied, where nothing of it was installed or closed before."""
        same = {name: getattr(self, name) for name in _Described.model_fields}
        installed = tuple(InstalledApp(**each.model_dump()) for each in self.installations)
        return TenantFacts(**same, installations=installed)


class Document(Part):
    """`directory.yaml`: the tenants of this Threadline."""

    version: Literal[1]
    tenants: tuple[Tenant, ...] = ()


class TenantFacts(_Described):
    """A tenant as one revision has it: what decisions are made with."""

    installations: Annotated[tuple[InstalledApp, ...], _by("app", "workspace")] = ()

    def agent_for(self, channel: str | None) -> Agent | None:
        """Who answers in a channel: the agent that is bound to it, else the default one, else the only one."""
        enabled = [agent for agent in self.agents if agent.enabled]
        bound = [agent for agent in enabled if channel in agent.channels]
        default = [agent for agent in enabled if agent.default]
        only = enabled if len(enabled) == 1 else []
        return next(iter(bound + default + only), None)

    def described(self) -> Tenant:
        """What of it belongs into `directory.yaml`."""
        same = {name: getattr(self, name) for name in _Described.model_fields}
        kept = tuple(each for app in self.installations if (each := app.described()))
        return Tenant(**same, installations=kept)
