"""Operations that make what there is: workspaces, people, channels, apps."""

from services.slack_sim.control import answers, asks, shown
from services.slack_sim.control.named import Named
from services.slack_sim.control.operation import Operations
from services.slack_sim.people.people import People
from services.slack_sim.refusal import Refusal
from services.slack_sim.simulation import Simulation
from services.slack_sim.world import sample
from services.slack_sim.world.entities import App, Channel, Command, Shortcut, User, Workspace


class SettingUp:
    """Makes what there is."""

    def __init__(self, slack: Simulation, people: People) -> None:
        self._slack, self._people, self._named = slack, people, Named(slack, people)

    def operations(self) -> Operations:
        """What it does, by what it is asked."""
        return {
            asks.AddWorkspace: self._add_workspace,
            asks.AddUser: self._add_user,
            asks.AddChannel: self._add_channel,
            asks.AddApp: self._add_app,
            asks.ChangeApp: self._change_app,
            asks.InstallApp: self._install,
            asks.UninstallApp: self._uninstall,
            asks.RevokeToken: self._revoke,
        }

    def _add_workspace(self, asked: asks.AddWorkspace) -> answers.Created:
        domain = asked.domain or asked.name.lower().replace(" ", "-")
        workspace = Workspace(self._slack.names.id("T"), asked.name, domain, asked.enterprise_id)
        self._slack.world.keep(workspace)
        return answers.Created(id=workspace.id)

    def _add_user(self, asked: asks.AddUser) -> answers.Created:
        team = self._named.workspace(asked.team_id)
        email = asked.email or f"{asked.name}@{team.domain}.example"
        user = User(
            self._slack.names.id("U"), team.id, asked.name, asked.real_name or asked.name, email, asked.is_admin
        )
        self._slack.world.keep(user)
        self._slack.events.team_join(user)
        return answers.Created(id=user.id)

    def _add_channel(self, asked: asks.AddChannel) -> answers.Created:
        team = self._named.workspace(asked.team_id)
        members = [self._people.user(each).id for each in asked.members]
        if asked.kind == "direct" and not members:
            raise Refusal("not_enough_users")
        if asked.kind == "direct":
            return answers.Created(id=self._slack.talk.direct(team.id, members, members[0]).id)
        slack = self._slack
        if any(
            each.name == asked.name for each in slack.world.channels_of(team.id) if each.kind in {"channel", "group"}
        ):
            raise Refusal("name_taken")
        channel = Channel(
            slack.names.id("C"), team.id, asked.name, asked.kind, members[0] if members else "", slack.moments.seconds()
        )
        channel.members, channel.no_streams = members, asked.no_streams
        channel.connected_team_ids = [self._named.workspace(each).id for each in asked.connected_team_ids]
        slack.talk.make_channel(channel)
        return answers.Created(id=channel.id)

    def _add_app(self, asked: asks.AddApp) -> answers.AppShown:
        return self._set_up(sample.new_app(self._slack.names, asked.name or "Another Agent"), asked)

    def _change_app(self, asked: asks.ChangeApp) -> answers.AppShown:
        return self._set_up(self._named.app(asked.app_id), asked)

    def _set_up(self, app: App, asked: asks.AppSettings) -> answers.AppShown:
        said = {name: getattr(asked, name) for name in asks.AppSettings.model_fields}
        for name, value in said.items():
            if value is not None and name not in {"commands", "shortcuts"}:
                setattr(app, name, value)
        if asked.commands is not None:
            app.commands = [Command(**each.model_dump()) for each in asked.commands]
        if asked.shortcuts is not None:
            app.shortcuts = [Shortcut(**each.model_dump()) for each in asked.shortcuts]
        app.disabled = False
        self._slack.world.keep(app)
        if not app.socket_mode:
            for link in self._slack.sockets.links(app.id):
                self._slack.sockets.disconnect(link, "link_disabled")
            if app.request_url:
                self._slack.http.set_up(app)
            self._slack.dispatcher.way_opened(app.id)
        return shown.app(app)

    def _install(self, asked: asks.InstallApp) -> answers.InstallationShown:
        app, team = self._named.app(asked.app_id), self._named.workspace(asked.team_id)
        everybody = self._slack.world.users_of(team.id)
        user_id = asked.user_id or next((each.id for each in everybody if each.bot_id is None), "")
        installation = self._slack.installing.install(app, team.id, user_id, asked.scopes)
        bot = self._slack.world.users[installation.bot_user_id]
        for channel_id in asked.channels:
            channel = self._named.channel(channel_id)
            if bot.id not in channel.members:
                self._slack.talk.join(channel, bot, user_id)
        return shown.installation(installation)

    def _uninstall(self, asked: asks.UninstallApp) -> answers.Nothing:
        self._slack.installing.uninstall(self._people.app_in(asked.app_id, asked.team_id))
        return answers.Nothing()

    def _revoke(self, asked: asks.RevokeToken) -> answers.Nothing:
        self._slack.installing.revoke(self._people.app_in(asked.app_id, asked.team_id))
        return answers.Nothing()
