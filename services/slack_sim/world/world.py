"""The whole simulated Slack at this moment: everything by its id, and whoever watches it is told what changed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from services.slack_sim.world.conversation import Conversation
from services.slack_sim.world.entities import (
    App,
    Channel,
    Counters,
    Entity,
    Ephemeral,
    File,
    Installation,
    Message,
    Session,
    User,
    View,
    Workspace,
)

BEGUN_ANEW = frozenset(
    {"T", "U", "B", "A", "C", "token", "app_token", "client", "client_secret", "signing_secret", "verification"}
)
"""The names that a new world repeats: of who is there, and what they sign in with."""


class Watcher(Protocol):
    """Told of an entity that changed."""

    def __call__(self, entity: Entity, *, there: bool) -> None:
        """Takes note of it; `there` says whether it is still there."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """Whom a token stands for."""

    kind: Literal["bot", "app"]
    app: App
    installation: Installation | None = None


class World:
    """Holds every entity. A change is made to the entity itself, and then told by `keep`."""

    def __init__(self, counters: Counters) -> None:
        self.counters = counters
        self.workspaces: dict[str, Workspace] = {}
        self.users: dict[str, User] = {}
        self.apps: dict[str, App] = {}
        self.installations: dict[tuple[str, str], Installation] = {}
        self.conversations: dict[str, Conversation] = {}
        self.ephemerals: dict[str, Ephemeral] = {}
        self.files: dict[str, File] = {}
        self.sessions: dict[str, Session] = {}
        self.views: dict[str, View] = {}
        self.tokens: dict[str, Token] = {}
        self.watchers: list[Watcher] = []
        self._by_team: dict[str, list[Installation]] = {}
        self._bots: dict[str, User] = {}
        self._direct: dict[tuple[str, ...], str] = {}

    def keep(self, entity: Entity) -> None:
        """Puts an entity in, or tells that it changed."""
        self.place(entity)
        for watcher in self.watchers:
            watcher(entity, there=True)

    def forget(self, entity: Message | Ephemeral | View) -> None:
        """Takes an entity out."""
        match entity:
            case Message():
                self.conversations[entity.channel].remove(entity)
            case Ephemeral():
                del self.ephemerals[entity.key]
            case View():
                del self.views[entity.id]
        for watcher in self.watchers:
            watcher(entity, there=False)

    def place(self, entity: Entity) -> None:  # noqa: C901, PLR0912 - one for each kind
        """Puts an entity where it is found."""
        match entity:
            case Message():
                conversation = self.conversations[entity.channel]
                if entity.ts not in conversation.messages:
                    conversation.add(entity)
            case Workspace():
                self.workspaces[entity.id] = entity
            case User():
                self.users[entity.id] = entity
                if entity.bot_id is not None:
                    self._bots[entity.bot_id] = entity
            case App():
                self.apps[entity.id] = entity
                self.tokens[entity.app_token] = Token("app", entity)
            case Installation():
                self._place_installation(entity)
            case Channel():
                if entity.id not in self.conversations:
                    self.conversations[entity.id] = Conversation(entity)
                if entity.kind in {"im", "mpim"}:
                    self._direct[_together(entity.team_id, entity.members)] = entity.id
            case Ephemeral():
                self.ephemerals[entity.key] = entity
            case File():
                self.files[entity.id] = entity
            case Session():
                self.sessions[entity.key] = entity
            case View():
                self.views[entity.id] = entity
            case Counters():
                self.counters = entity

    def _place_installation(self, installation: Installation) -> None:
        place = (installation.app_id, installation.team_id)
        if place not in self.installations:
            self._by_team.setdefault(installation.team_id, []).append(installation)
        self.installations[place] = installation
        token = Token("bot", self.apps[installation.app_id], installation)
        for text in (installation.bot_token, *installation.old_tokens, *installation.rotated):
            self.tokens[text] = token

    def clear(self) -> None:
        """Empties it. Who is made next has the same names again; what apps may remember never comes again."""
        for held in (
            self.workspaces,
            self.users,
            self.apps,
            self.installations,
            self.conversations,
            self.ephemerals,
            self.files,
            self.sessions,
            self.views,
            self.tokens,
            self._by_team,
            self._bots,
            self._direct,
        ):
            held.clear()
        for kind in BEGUN_ANEW & self.counters.drawn.keys():
            del self.counters.drawn[kind]

    def user(self, user_id: str, team_id: str) -> User | None:
        """Somebody whom a workspace can see: its own, or one of a workspace that it shares a channel with."""
        user = self.users.get(user_id)
        if user is None or user.team_id == team_id:
            return user
        shared = (
            each.channel
            for each in self.conversations.values()
            if each.channel.connected_team_ids and team_id in self.teams_of(each.channel)
        )
        return user if any(user_id in channel.members for channel in shared) else None

    def bot(self, bot_id: str) -> User | None:
        """The bot user with that bot id."""
        return self._bots.get(bot_id)

    def users_of(self, team_id: str) -> list[User]:
        """Everybody in a workspace, apps too."""
        return [user for user in self.users.values() if user.team_id == team_id]

    def channel(self, channel_id: str) -> Channel | None:
        """A channel by its id."""
        conversation = self.conversations.get(channel_id)
        return conversation.channel if conversation else None

    def channels_of(self, team_id: str) -> Iterator[Channel]:
        """Every channel that a workspace has or shares."""
        return (each.channel for each in self.conversations.values() if team_id in self.teams_of(each.channel))

    def teams_of(self, channel: Channel) -> list[str]:
        """The workspaces that a channel belongs to, its own first."""
        return [channel.team_id, *channel.connected_team_ids]

    def direct(self, team_id: str, members: list[str]) -> Channel | None:
        """The direct conversation of exactly these."""
        found = self._direct.get(_together(team_id, members))
        return self.channel(found) if found else None

    def installed(self, channel: Channel) -> Iterator[Installation]:
        """The apps that stand in any of a channel's workspaces."""
        for team_id in self.teams_of(channel):
            yield from (each for each in self._by_team.get(team_id, ()) if each.ended is None)

    def session(self, app_id: str, channel_id: str, thread_ts: str) -> Session | None:
        """What an agent says of itself in a thread."""
        return self.sessions.get(f"{app_id}/{channel_id}/{thread_ts}")


def _together(team_id: str, members: list[str]) -> tuple[str, ...]:
    return (team_id, *sorted(members))
