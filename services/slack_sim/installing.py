"""How apps come into workspaces and leave them: OAuth's codes and tokens, rotation, revocation."""

from collections.abc import Sequence
from dataclasses import dataclass
from hmac import compare_digest

from services.slack_sim.given_out import GivenOut
from services.slack_sim.refusal import Refusal
from services.slack_sim.telling.events import Events
from services.slack_sim.telling.shapes import Json
from services.slack_sim.world.entities import App, Installation, User
from services.slack_sim.world.moments import Moments
from services.slack_sim.world.names import Names
from services.slack_sim.world.world import World

CODE_S = 600.0
ROTATES_S = 43_200.0


@dataclass
class Grant:
    """What somebody allowed an app, until it fetches its token with the code."""

    app_id: str
    team_id: str
    user_id: str
    scopes: list[str]
    redirect_uri: str | None
    until: float


class Installing:
    """Gives out codes and tokens, and takes them back."""

    def __init__(self, world: World, names: Names, moments: Moments, events: Events) -> None:
        self._world, self._names, self._moments, self._events = world, names, moments, events
        self._grants = GivenOut[Grant](moments)

    def client(self, client_id: str, secret: str) -> App:
        """The app that signs in with these."""
        app = next((each for each in self._world.apps.values() if each.client_id == client_id), None)
        if app is None:
            raise Refusal("invalid_client_id")
        if not compare_digest(app.client_secret.encode(), secret.encode()):
            raise Refusal("bad_client_secret")
        return app

    def allow(self, app: App, user: User, scopes: list[str], redirect_uri: str | None) -> str:
        """Somebody allows an app into their workspace. Gives the code that it fetches its token with."""
        code = f"{self._names.number('code')}.{self._names.number('code')}.{self._names.secret('code')}"
        until = self._moments.now() + CODE_S
        self._grants.give(code, Grant(app.id, user.team_id, user.id, scopes, redirect_uri, until))
        return code

    def exchange(self, app: App, code: str, redirect_uri: str | None) -> Installation:
        """A code for an installation. It is good once."""
        grant = self._grants.get(code)
        if grant is None or grant.app_id != app.id or grant.until <= self._moments.now():
            raise Refusal("invalid_code")
        if grant.redirect_uri != redirect_uri:
            raise Refusal("bad_redirect_uri")
        self._grants.take_back(code)
        return self.install(app, grant.team_id, grant.user_id, grant.scopes)

    def install(self, app: App, team_id: str, user_id: str, scopes: Sequence[str] | None = None) -> Installation:
        """Puts an app into a workspace. One that stands there keeps its bot user, and what it was allowed before."""
        wanted = list(app.scopes if scopes is None else scopes)
        found = self._world.installations.get((app.id, team_id))
        if found is not None:
            kept = found.scopes if found.ended is None else []
            found.scopes = list(dict.fromkeys([*kept, *wanted]))
            found.installed_by = user_id
            if found.ended is not None or app.token_rotation:
                self._renew(app, found)
            found.ended = None
            self._set_deleted(found, deleted=False)
            self._world.keep(found)
            return found
        bot = User(self._names.id("U"), team_id, app.name.lower().replace(" ", "_"), app.name)
        bot.bot_id, bot.app_id = self._names.id("B"), app.id
        self._world.keep(bot)
        installation = Installation(app.id, team_id, bot.id, bot.bot_id, self._token(app), wanted, user_id)
        if app.token_rotation:
            self._set_rotation(installation)
        self._world.keep(installation)
        return installation

    def refresh(self, app: App, refresh_token: str) -> Installation:
        """A refresh token for a new pair. It is good for no more; the token before it is, until it expires."""
        for installation in self._world.installations.values():
            mine = installation.app_id == app.id and installation.ended is None
            if mine and refresh_token and installation.refresh_token == refresh_token:
                now = self._moments.now()
                good = {token: until for token, until in installation.rotated.items() if until > now}
                installation.old_tokens += [token for token in installation.rotated if token not in good]
                installation.rotated = good | {installation.bot_token: installation.expires_at or now}
                installation.bot_token = self._token(app)
                self._set_rotation(installation)
                self._world.keep(installation)
                return installation
        raise Refusal("invalid_refresh_token")

    def revoke(self, installation: Installation) -> None:
        """A token is good no more; with a bot's token its app leaves."""
        self._end(installation, "revoked")

    def uninstall(self, installation: Installation) -> None:
        """Takes an app out of a workspace."""
        self._end(installation, "uninstalled")

    def granted(self, installation: Installation) -> Json:
        """What oauth.v2.access answers."""
        team = self._world.workspaces[installation.team_id]
        enterprise = {"id": team.enterprise_id, "name": team.enterprise_id} if team.enterprise_id else None
        shape: Json = {
            "app_id": installation.app_id,
            "authed_user": {"id": installation.installed_by},
            "scope": ",".join(installation.scopes),
            "token_type": "bot",
            "access_token": installation.bot_token,
            "bot_user_id": installation.bot_user_id,
            "team": {"id": team.id, "name": team.name},
            "enterprise": enterprise,
            "is_enterprise_install": False,
        }
        if installation.refresh_token is not None:
            shape |= {"refresh_token": installation.refresh_token, "expires_in": int(ROTATES_S)}
        return shape

    def forget_all(self) -> None:
        """Forgets the codes."""
        self._grants.forget_all()

    def _end(self, installation: Installation, how: str) -> None:
        if installation.ended is not None:
            return
        self._events.tokens_revoked(installation)
        self._events.uninstalled(installation)
        installation.ended = how  # type: ignore[assignment]
        self._set_deleted(installation, deleted=True)
        self._world.keep(installation)

    def _set_deleted(self, installation: Installation, *, deleted: bool) -> None:
        bot = self._world.users[installation.bot_user_id]
        bot.deleted = deleted
        self._world.keep(bot)

    def _renew(self, app: App, installation: Installation) -> None:
        installation.old_tokens += [installation.bot_token, *installation.rotated]
        installation.rotated = {}
        installation.bot_token = self._token(app)
        if app.token_rotation:
            self._set_rotation(installation)

    def _set_rotation(self, installation: Installation) -> None:
        installation.refresh_token = f"xoxe-1-{self._names.secret('refresh')}"
        installation.expires_at = self._moments.now() + ROTATES_S

    def _token(self, app: App) -> str:
        numbers = f"{self._names.number('token')}-{self._names.number('token')}"
        rotating = "xoxe." if app.token_rotation else ""
        return f"{rotating}xoxb-{numbers}-{self._names.secret('token')[:24]}"
