"""What a browser shows: whose eyes it is, which conversation and which thread. It stands in the address."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from services.slack_sim.page.viewer import Viewer
from services.slack_sim.simulation import Simulation
from services.slack_sim.world.entities import App, Channel, Message, User, View, Workspace
from services.slack_sim.world.world import World

AT_FIRST = 100
"""How many messages a conversation shows at first."""


@dataclass(frozen=True)
class Seen:
    """What one browser shows."""

    slack: Simulation
    team: Workspace
    user: User
    channel: Channel | None
    thread: str | None = None
    home: bool = False
    """Whether an app's home is shown in place of its messages."""
    inspector: bool = False
    listing: bool = False
    """Whether a narrow screen shows the list of conversations."""
    most: int = AT_FIRST

    @property
    def viewer(self) -> Viewer:
        """Whose eyes it is."""
        return Viewer(self.slack.world, self.user)

    @property
    def app(self) -> App | None:
        """The app that the direct conversation is with."""
        if self.channel is None or self.channel.kind != "im":
            return None
        world = self.slack.world
        others = (world.users[each] for each in self.channel.members if each in world.users)
        return next((world.apps[each.app_id] for each in others if each.app_id in world.apps), None)

    def messages(self) -> list[Message]:
        """What the channel itself shows, the oldest first."""
        if self.channel is None:
            return []
        conversation = self.slack.world.conversations[self.channel.id]
        stamps = conversation.between("", "", inclusive=True)[-self.most :]
        return [conversation.messages[ts] for ts in stamps]

    def replies(self) -> list[Message]:
        """What the thread shows, its root first."""
        if self.channel is None or self.thread is None:
            return []
        conversation = self.slack.world.conversations[self.channel.id]
        stamps = (self.thread, *conversation.replies(self.thread)[-self.most :])
        return [conversation.messages[ts] for ts in stamps if ts in conversation.messages]

    def modal(self) -> View | None:
        """The topmost modal that they have open."""
        views = self.slack.world.views.values()
        mine = (each for each in views if each.open and each.user == self.user.id and each.team_id == self.team.id)
        return next((each for each in reversed(list(mine)) if each.body.get("type") == "modal"), None)

    def home_view(self) -> View | None:
        """The app's home, if it has published one."""
        app = self.app
        installation = self.slack.world.installations.get((app.id, self.team.id)) if app else None
        return self.slack.views.home(installation, self.user.id) if installation else None

    def address(self, **changes: str | bool | None) -> str:
        """The address of this, or of something beside it."""
        return address(
            {
                "team": self.team.id,
                "user": self.user.id,
                "channel": self.channel.id if self.channel else None,
                "thread": self.thread,
                "tab": "home" if self.home else None,
                "inspector": self.inspector,
            }
            | changes
        )


def address(parts: Mapping[str, str | bool | None]) -> str:
    """An address of the page; what is nothing is left out."""
    said = {name: "1" if value is True else value for name, value in parts.items() if value}
    return f"/?{urlencode(said)}"


def seen_at(slack: Simulation, query: Mapping[str, str], most: int = AT_FIRST) -> Seen | None:
    """What an address shows: what it names as far as that is there, and what comes first in its place."""
    world = slack.world
    user = _user(world, query)
    if user is None:
        return None
    channel = _channel(Viewer(world, user), query.get("channel", ""))
    thread = query.get("thread") or None
    if channel is None or thread not in world.conversations[channel.id].messages:
        thread = None
    seen = Seen(
        slack, world.workspaces[user.team_id], user, channel, thread,
        inspector=query.get("inspector") == "1", listing=query.get("list") == "1", most=most,
    )  # fmt: skip
    return replace(seen, home=query.get("tab") == "home" and seen.app is not None)


def people_of(world: World, team_id: str) -> list[User]:
    """The people of a workspace, who can be acted as."""
    return [each for each in world.users_of(team_id) if each.bot_id is None and not each.deleted]


def _user(world: World, query: Mapping[str, str]) -> User | None:
    teams = list(world.workspaces)
    wanted = query.get("team", "")
    if wanted in teams:
        teams = [wanted, *(each for each in teams if each != wanted)]
    everybody = [user for team_id in teams for user in people_of(world, team_id)]
    named = next((each for each in everybody if each.id == query.get("user")), None)
    if named is not None and (wanted not in world.workspaces or named.team_id == wanted):
        return named
    return everybody[0] if everybody else None


def _channel(viewer: Viewer, wanted: str) -> Channel | None:
    named = viewer.world.channel(wanted)
    if named is not None and viewer.sees(named) and viewer.user.team_id in viewer.world.teams_of(named):
        return named
    around = [each for each in viewer.world.channels_of(viewer.user.team_id) if viewer.sees(each)]
    return next((each for each in around if each.name == "general"), around[0] if around else None)
