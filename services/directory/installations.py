"""The app in a workspace and its tokens: found where the file says, or sealed in the database by OAuth."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr, ValidationError

from services.directory.document import InstalledApp
from services.directory.holding import Known
from services.directory.service import ServiceDatabase
from services.directory.tenancy import acting_for
from services.directory.turn import TURN
from services.kit.fault import Fault
from services.kit.secrets.names import SecretName
from services.kit.secrets.sealing import Sealer
from services.kit.secrets.source import Secrets

_IS_CONNECTED = """
    select exists (select from threadline.channel_connections where tenant_id = $1 and workspace = $2)
"""

_TAKE_IN = """
    insert into threadline.installations as i
        (tenant_id, app, workspace, origin, bot_user, scopes, sealed_bot_token, sealed_refresh_token, expires_at)
    values ($1, $2, $3, 'oauth', $4, $5, $6, $7, $8)
    on conflict (tenant_id, app, workspace) do update set
        bot_user = excluded.bot_user, scopes = excluded.scopes, closed_at = null,
        sealed_bot_token = excluded.sealed_bot_token, sealed_refresh_token = excluded.sealed_refresh_token,
        expires_at = excluded.expires_at
    where i.origin = 'oauth'
    returning i.app
"""

_CLOSE = """
    update threadline.installations
    set closed_at = $4, sealed_bot_token = null, sealed_refresh_token = null, expires_at = null
    where tenant_id = $1 and app = $2 and workspace = $3 and closed_at is null
    returning app
"""


class NoToken(Fault):
    """There is no token to act with in a workspace."""


class NotInstalled(Fault):
    """An installation could not be taken in."""


@dataclass(frozen=True)
class Granted:
    """What Slack hands over when an app is installed through OAuth."""

    app: str
    workspace: str
    bot_token: SecretStr
    bot_user: str | None = None
    scopes: tuple[str, ...] = ()
    refresh_token: SecretStr | None = None
    expires_at: datetime | None = None


class Installations:
    """Reading tokens, and taking in what OAuth brings."""

    def __init__(self, database: ServiceDatabase, secrets: Secrets, sealer: Sealer | None) -> None:
        self._database, self._secrets, self._sealer = database, secrets, sealer

    async def secret(self, name: SecretName, tenant: Known, workspace: str, app: str | None = None) -> SecretStr:
        """The bot token, or another secret, of a tenant's installation in a workspace."""
        installation = self._installed(tenant, workspace, app)
        if installation.closed_at is not None:
            raise NoToken(
                f"the app {installation.app} was removed from {workspace} at {installation.closed_at:%Y-%m-%d %H:%M} "
                "UTC; install it again"
            )
        if installation.secrets is not None:
            found = await self._secrets.read(name, installation.secrets)
            if found is None:
                raise NoToken(
                    f"{name} of the app {installation.app} in {workspace} is not where the directory says "
                    f"({installation.secrets}); `threadline doctor` says how to mend it"
                )
            return found
        if name == "slack_bot_token":
            return self._opened(tenant, installation)
        found = await self._secrets.read(name, "env")  # what belongs to the app, and to no workspace
        if found is None:
            raise NoToken(f"{name} of the app {installation.app} is not set for this process")
        return found

    def _opened(self, tenant: Known, installation: InstalledApp) -> SecretStr:
        key = (installation.app, installation.workspace)
        sealed = next((each.bot_token for each in tenant.sealed if (each.app, each.workspace) == key), None)
        if sealed is None:
            raise NoToken(f"no token is kept for {installation.app} in {installation.workspace}; install the app again")
        return self._needed_sealer().open(sealed, purpose_of("bot_token", tenant.tenant_id, *key))

    async def take_in(self, tenant: Known, granted: Granted) -> None:
        """Keeps what OAuth brought, sealed, in place of what was there for this app and workspace."""
        if granted.workspace not in {each.workspace for each in tenant.facts.connections}:
            raise _not_connected(tenant, granted)
        _refuse_what_cannot_be_read_again(granted)
        sealer = self._needed_sealer()
        bot_token = sealer.seal(
            granted.bot_token, purpose_of("bot_token", tenant.tenant_id, granted.app, granted.workspace)
        )
        refresh_token = granted.refresh_token and sealer.seal(
            granted.refresh_token, purpose_of("refresh_token", tenant.tenant_id, granted.app, granted.workspace)
        )
        with acting_for(tenant.tenant_id):
            async with self._database.for_tenant() as connection:
                await connection.execute(TURN)
                if not await connection.fetchval(_IS_CONNECTED, tenant.tenant_id, granted.workspace):
                    raise _not_connected(tenant, granted)
                kept = await connection.fetchval(
                    _TAKE_IN,
                    *(tenant.tenant_id, granted.app, granted.workspace, granted.bot_user, sorted(granted.scopes)),
                    *(bot_token, refresh_token, granted.expires_at),
                )
        if kept is None:
            raise NotInstalled(
                f"directory.yaml says where the secrets of {granted.app} in {granted.workspace} are found, so nothing "
                "was kept; take the installation out of the file to install it through OAuth"
            )

    async def close(self, tenant: Known, app: str, workspace: str, at: datetime) -> bool:
        """The app was removed, or its tokens revoked: they are thrown away. Says whether there was one open."""
        with acting_for(tenant.tenant_id):
            async with self._database.for_tenant() as connection:
                await connection.execute(TURN)
                closed = await connection.fetchval(_CLOSE, tenant.tenant_id, app, workspace, at)
        return closed is not None

    def _installed(self, tenant: Known, workspace: str, app: str | None) -> InstalledApp:
        there = [each for each in tenant.facts.installations if each.workspace == workspace and app in {None, each.app}]
        if not there:
            raise NoToken(
                f"no app is installed in {workspace} for {tenant.tenant_id}; describe it in directory.yaml under "
                "installations, or install it through OAuth"
            )
        return min(there, key=lambda each: each.closed_at is not None)

    def _needed_sealer(self) -> Sealer:
        if self._sealer is None:
            raise NoToken("THREADLINE_SEALING_KEYS is not set: sealed tokens can neither be opened nor kept")
        return self._sealer


def _not_connected(tenant: Known, granted: Granted) -> NotInstalled:
    return NotInstalled(
        f"{granted.workspace} is no connection of {tenant.tenant_id}, and nothing was kept; add it to directory.yaml, "
        "apply it, and install the app again"
    )


def _refuse_what_cannot_be_read_again(granted: Granted) -> None:
    try:
        InstalledApp(
            app=granted.app,
            workspace=granted.workspace,
            origin="oauth",
            bot_user=granted.bot_user,
            scopes=granted.scopes,
        )
    except ValidationError as error:
        fields = ", ".join(str(each["loc"][0]) for each in error.errors(include_input=False))
        raise NotInstalled(
            f"what came through OAuth is not what Slack sends ({fields}), and nothing was kept"
        ) from None


def purpose_of(what: str, tenant_id: str, app: str, workspace: str) -> str:
    """What a stored token is sealed for: it opens for nothing else."""
    return f"{what} of {app} in {workspace} for {tenant_id}"
