"""Many workspaces in one local Slack, each a tenant's, with people, channels and the app."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.directory.document import Agent, Connection, Document, Installation, Limit, Tenant
from services.slack_sim.client import SlackSim
from services.slack_sim.control import asks

PEOPLE, CHANNELS = 3, 3
PER_MINUTE = 100_000


@dataclass(frozen=True)
class Workspace:
    """One of them."""

    number: int
    team: str
    people: tuple[str, ...]
    channels: tuple[str, ...]
    directs: tuple[str, ...]
    """Each person's conversation with the app."""
    bot_user: str
    token: str

    @property
    def tenant_id(self) -> str:
        """Whose it is."""
        return f"tenant-{self.number}"


@dataclass(frozen=True)
class Workspaces:
    """All of them, and the app that they have in common."""

    app: str
    every: tuple[Workspace, ...]

    def document(self, per_minute: Mapping[int, int] | None = None, secrets: str = "env") -> Document:
        """The directory that knows them: each has a tenant, an agent and a token of its own, and some a limit."""
        limits = per_minute or {}
        tenants = [self._tenant(each, limits.get(each.number, PER_MINUTE), secrets) for each in self.every]
        return Document(version=1, tenants=tuple(tenants))

    def tokens(self) -> dict[str, str]:
        """Where the directory says that the tokens are."""
        return {f"W{each.number}_SLACK_BOT_TOKEN": each.token for each in self.every}

    def write_tokens(self, folder: Path) -> None:
        """Where it says so of files."""
        folder.mkdir(parents=True, exist_ok=True)
        for each in self.every:
            self.token_file(folder, each.number).write_text(each.token, "utf-8")

    @staticmethod
    def token_file(folder: Path, number: int) -> Path:
        """One of them."""
        return folder / f"w{number}_slack_bot_token"

    def _tenant(self, one: Workspace, per_minute: int, secrets: str) -> Tenant:
        installation = Installation(
            app=self.app, workspace=one.team, bot_user=one.bot_user, secrets=f"{secrets}:w{one.number}"
        )
        return Tenant(
            id=one.tenant_id,
            name=f"Tenant {one.number}",
            connections=(Connection(workspace=one.team),),
            installations=(installation,),
            agents=(Agent(id="mara", name="Mara", default=True),),
            limits=(Limit(scope="connection", per_minute=per_minute),),
        )


async def mute(sim: SlackSim) -> None:
    """The app hears of nothing: what it is to do, it is told otherwise."""
    app = (await sim.world()).apps[0].id
    await sim.ask(asks.ChangeApp(app_id=app, events=[]))


async def make_workspaces(sim: SlackSim, count: int) -> Workspaces:
    """Makes them, beside the one that is there."""
    app = (await sim.world()).apps[0].id
    return Workspaces(app, tuple([await _workspace(sim, app, number) for number in range(count)]))


async def _workspace(sim: SlackSim, app: str, number: int) -> Workspace:
    team = (await sim.ask(asks.AddWorkspace(name=f"Workspace {number}"))).id
    people = [(await sim.ask(asks.AddUser(team_id=team, name=f"person-{each}"))).id for each in range(PEOPLE)]
    channels = [
        (await sim.ask(asks.AddChannel(team_id=team, name=f"channel-{each}", members=people))).id
        for each in range(CHANNELS)
    ]
    installed = await sim.ask(asks.InstallApp(app_id=app, team_id=team, channels=channels))
    bot = installed.bot_user_id
    directs = [(await sim.ask(asks.AddChannel(team_id=team, kind="direct", members=[each, bot]))).id for each in people]
    return Workspace(number, team, tuple(people), tuple(channels), tuple(directs), bot, installed.bot_token)
