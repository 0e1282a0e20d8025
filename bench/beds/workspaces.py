"""Many workspaces in one local Slack, each a tenant's, with people, channels and the app."""

from dataclasses import dataclass

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

    def document(self) -> Document:
        """The directory that knows them: each has a tenant, an agent and a token of its own."""
        return Document(version=1, tenants=tuple(self._tenant(each) for each in self.every))

    def tokens(self) -> dict[str, str]:
        """Where the directory says that the tokens are."""
        return {f"W{each.number}_SLACK_BOT_TOKEN": each.token for each in self.every}

    def _tenant(self, one: Workspace) -> Tenant:
        installation = Installation(
            app=self.app, workspace=one.team, bot_user=one.bot_user, secrets=f"env:w{one.number}"
        )
        return Tenant(
            id=one.tenant_id,
            name=f"Tenant {one.number}",
            connections=(Connection(workspace=one.team),),
            installations=(installation,),
            agents=(Agent(id="mara", name="Mara", default=True),),
            limits=(Limit(scope="connection", per_minute=PER_MINUTE),),
        )


async def make_workspaces(sim: SlackSim, count: int) -> Workspaces:
    """Makes them. The app hears of nothing: what it is to do, it is told otherwise."""
    app = (await sim.world()).apps[0].id
    await sim.ask(asks.ChangeApp(app_id=app, events=[]))
    return Workspaces(app, tuple([await _workspace(sim, app, number) for number in range(count)]))


async def _workspace(sim: SlackSim, app: str, number: int) -> Workspace:
    team = (await sim.ask(asks.AddWorkspace(name=f"Workspace {number}"))).id
    people = [(await sim.ask(asks.AddUser(team_id=team, name=f"person-{each}"))).id for each in range(PEOPLE)]
    channels = [
        (await sim.ask(asks.AddChannel(team_id=team, name=f"channel-{each}", members=people))).id
        for each in range(CHANNELS)
    ]
    installed = await sim.ask(asks.InstallApp(app_id=app, team_id=team, channels=channels))
    return Workspace(number, team, tuple(people), tuple(channels), installed.bot_user_id, installed.bot_token)
