"""The app in a workspace and its tokens: found where the file says, or sealed in the database by OAuth."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr
from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from services.directory.database import Database
from services.directory.document import InstalledApp
from services.directory.holding import Known
from services.directory.model import InstallationRow
from services.directory.tenancy import acting_for
from services.kit.fault import Fault
from services.kit.secrets.names import SecretName
from services.kit.secrets.sealing import Sealer
from services.kit.secrets.source import Secrets


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

    def __init__(self, database: Database, secrets: Secrets, sealer: Sealer | None) -> None:
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
        return self._needed_sealer().open(sealed, _purpose(tenant.tenant_id, installation, "bot_token"))

    async def take_in(self, tenant: Known, granted: Granted) -> None:
        """Keeps what OAuth brought, sealed, in place of what was there for this app and workspace."""
        if granted.workspace not in {each.workspace for each in tenant.facts.connections}:
            raise NotInstalled(
                f"{granted.workspace} is no connection of {tenant.tenant_id}, and nothing was kept; add it to "
                "directory.yaml, apply it, and install the app again"
            )
        sealer = self._needed_sealer()
        values = {
            "origin": "oauth",
            "secrets": None,
            "bot_user": granted.bot_user,
            "scopes": sorted(granted.scopes),
            "closed_at": None,
            "sealed_bot_token": sealer.seal(granted.bot_token, _purpose(tenant.tenant_id, granted, "bot_token")),
            "sealed_refresh_token": sealer.seal(
                granted.refresh_token, _purpose(tenant.tenant_id, granted, "refresh_token")
            )
            if granted.refresh_token
            else None,
            "expires_at": granted.expires_at,
        }
        key = {"tenant_id": tenant.tenant_id, "app": granted.app, "workspace": granted.workspace}
        kept = insert(InstallationRow).values(**key, **values)
        kept = kept.on_conflict_do_update(
            index_elements=list(key), set_=values, where=InstallationRow.origin == "oauth"
        )
        with acting_for(tenant.tenant_id):
            async with self._database.for_tenant() as connection:
                done = await connection.execute(kept)
        if not done.rowcount:
            raise NotInstalled(
                f"directory.yaml says where the secrets of {granted.app} in {granted.workspace} are found, so nothing "
                "was kept; take the installation out of the file to install it through OAuth"
            )

    async def close(self, tenant: Known, app: str, workspace: str, at: datetime) -> bool:
        """The app was removed, or its tokens revoked: they are thrown away. Says whether there was one open."""
        values = {"closed_at": at, "sealed_bot_token": None, "sealed_refresh_token": None, "expires_at": None}
        with acting_for(tenant.tenant_id):
            async with self._database.for_tenant() as connection:
                done = await connection.execute(
                    update(InstallationRow)
                    .where(
                        InstallationRow.tenant_id == tenant.tenant_id,
                        InstallationRow.app == app,
                        InstallationRow.workspace == workspace,
                        InstallationRow.closed_at.is_(None),
                    )
                    .values(values)
                )
        return bool(done.rowcount)

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


async def reseal(owner: Database, sealer: Sealer) -> int:
    """Seals every stored token with the first key, so that the others can go. Gives how many there were."""
    key = (InstallationRow.tenant_id, InstallationRow.app, InstallationRow.workspace)
    sealed = (InstallationRow.sealed_bot_token, InstallationRow.sealed_refresh_token)
    count = 0
    async with owner.for_nobody() as connection:
        rows = (await connection.execute(select(*key, *sealed).with_for_update())).all()
        for tenant_id, app, workspace, *values in rows:
            anew = {
                column.key: sealer.reseal(value)
                for column, value in zip(sealed, values, strict=True)
                if value is not None
            }
            if anew:
                which = tuple_(*key) == (tenant_id, app, workspace)
                await connection.execute(update(InstallationRow).where(which).values(anew))
                count += len(anew)
    return count


def _purpose(tenant_id: str, installation: InstalledApp | Granted, what: str) -> str:
    return f"{what} of {installation.app} in {installation.workspace} for {tenant_id}"
