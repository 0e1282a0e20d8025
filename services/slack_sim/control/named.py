"""What the operations name by its id: it is there, or the operation is refused."""

from services.slack_sim.control import asks
from services.slack_sim.people.people import People
from services.slack_sim.refusal import Refusal
from services.slack_sim.simulation import Simulation
from services.slack_sim.telling.interactions import Place
from services.slack_sim.world.entities import App, Channel, User, View, Workspace


class Named:
    """Finds things by their ids."""

    def __init__(self, slack: Simulation, people: People) -> None:
        self._slack, self._people = slack, people

    def workspace(self, team_id: str) -> Workspace:
        """A workspace."""
        workspace = self._slack.world.workspaces.get(team_id)
        if workspace is None:
            raise Refusal("team_not_found")
        return workspace

    def channel(self, channel_id: str) -> Channel:
        """A channel, whoever can see it."""
        channel = self._slack.world.channel(channel_id)
        if channel is None:
            raise Refusal("channel_not_found")
        return channel

    def app(self, app_id: str) -> App:
        """An app."""
        app = self._slack.world.apps.get(app_id)
        if app is None:
            raise Refusal("app_not_found")
        return app

    def view(self, view_id: str) -> View:
        """A view that is open."""
        view = self._slack.world.views.get(view_id)
        if view is None or not view.open:
            raise Refusal("view_not_found")
        return view

    def place(self, user: User, asked: asks.Action) -> Place:
        """Where somebody acts."""
        if asked.view_id is not None:
            return Place(view=self.view(asked.view_id))
        channel = self._people.channel(asked.channel_id or "", user)
        ephemeral = self._slack.world.ephemerals.get(f"{channel.id}/{user.id}/{asked.ts}")
        if ephemeral is not None:
            return Place(channel, ephemeral=ephemeral)
        return Place(channel, self._people.message(channel, asked.ts or ""))
