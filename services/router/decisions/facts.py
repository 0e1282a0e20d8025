"""What decisions are made with: a tenant as one revision of the directory has it, and what was decided before."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

When = Literal["message", "mention", "emoji_reaction", "join"]
Scope = Literal["connection", "channel", "user"]


class Pattern(Protocol):
    """A compiled expression that no text makes slow."""

    def search(self, text: str) -> Any:
        """Whether it is found anywhere."""
        ...


@dataclass(frozen=True, slots=True)
class Agent:
    """Who answers."""

    id: str
    name: str
    channels: frozenset[str] = frozenset()
    default: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """When this happens, ask that."""

    name: str
    when: When
    channels: frozenset[str] = frozenset()
    senders: frozenset[str] = frozenset()
    emoji: frozenset[str] = frozenset()
    pattern: Pattern | None = None
    prompt: str | None = None
    agent: str | None = None
    priority: int = 0
    cooldown_s: int = 0
    summary: str = ""
    """Which filters it has, in words: kinds and ids, never the pattern."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A token bucket: how much fills in a minute, and how much it holds."""

    scope: Scope
    per_minute: int
    capacity: int


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant, as decisions need it: without agents that are switched off, and rules that are, or ask for such."""

    id: str
    enabled: bool = True
    anyone_may_stop: bool = False
    strangers_may_ask: bool = True
    agents_channels: frozenset[str] = frozenset()
    """Where people speak with supervised agents in plain words; none where the directory only says its name."""
    agents: tuple[Agent, ...] = ()
    rules: tuple[Rule, ...] = ()
    """In the order in which they win: by priority, then by name."""
    limits: tuple[Limit, ...] = ()
    stoppers: frozenset[str] = frozenset()
    """Who may end anybody's run."""
    homes: frozenset[str] = frozenset()
    """The tenant's workspaces and organisations: their people are no strangers."""
    partners: Mapping[str, bool] = field(default_factory=dict)
    """Other organisations by workspace, and whether their people are answered."""
    closed: frozenset[str] = frozenset()
    """The connections that were closed."""
    bot_users: Mapping[str, str] = field(default_factory=dict)
    """By connection, the user that the app is, where an installation says it."""


class Entry(Protocol):
    """What an earlier decision left under a key."""

    @property
    def value(self) -> Any:
        """Plain JSON."""
        ...

    @property
    def offset(self) -> int:
        """Which record of the source left it."""
        ...


class Memory(Protocol):
    """What was decided before, in the same partition."""

    def get(self, key: str, now: float) -> Entry | None:
        """What stands under a key, unless its time is over."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known beside the event itself."""

    tenant: Tenant | None
    """None where no tenant owns the workspace."""
    revision: int
    """The directory's, as of which it is so."""
    memory: Memory
