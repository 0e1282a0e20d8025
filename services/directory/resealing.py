"""Sealing every stored token anew, when the key changes."""

from sqlalchemy import select, tuple_, update

from services.directory.installations import purpose_of
from services.directory.model import InstallationRow
from services.directory.owner import OwnerDatabase
from services.kit.secrets.sealing import Sealer


async def reseal(owner: OwnerDatabase, sealer: Sealer) -> int:
    """Seals every stored token with the first key, so that the others can go. Gives how many there were."""
    key = (InstallationRow.tenant_id, InstallationRow.app, InstallationRow.workspace)
    sealed = (InstallationRow.sealed_bot_token, InstallationRow.sealed_refresh_token)
    count = 0
    async with owner.begin() as connection:
        rows = (await connection.execute(select(*key, *sealed).with_for_update())).all()
        for tenant_id, app, workspace, *values in rows:
            anew = {
                column.key: sealer.reseal(value, purpose_of(column.key, tenant_id, app, workspace))
                for column, value in zip(sealed, values, strict=True)
                if value is not None
            }
            if anew:
                which = tuple_(*key) == (tenant_id, app, workspace)
                await connection.execute(update(InstallationRow).where(which).values(anew))
                count += len(anew)
    return count
