"""Forgetting a tenant that is gone: what its revisions said is erased, and that there were some stays."""

from dataclasses import dataclass

from sqlalchemy import func, select, text, update

from services.directory.model import RevisionRow, TenantRow
from services.directory.owner import OwnerDatabase
from services.directory.turn import TURN
from services.kit.fault import Fault


class NotForgotten(Fault):
    """Nothing was erased."""


@dataclass(frozen=True)
class Forgotten:
    """What was erased."""

    revisions: int
    """How many said something of the tenant."""


async def forget(owner: OwnerDatabase, tenant_id: str) -> Forgotten:
    """Erases what every revision says of a tenant that is not in the directory any more."""
    row = RevisionRow
    of_tenant = (row.tenant_id == tenant_id,)
    async with owner.begin() as connection:
        await connection.execute(text(TURN))
        if await connection.scalar(select(TenantRow.tenant_id).where(TenantRow.tenant_id == tenant_id)) is not None:
            raise NotForgotten(
                f"{tenant_id} is in the directory; take it out of directory.yaml and `threadline directory apply "
                "--prune` first. Nothing was erased"
            )
        if await connection.scalar(select(func.count()).where(*of_tenant)) == 0:
            raise NotForgotten(f"there never was a tenant {tenant_id}; nothing was erased")
        said = await connection.scalar(select(func.count()).where(*of_tenant, row.document.is_not(None)))
        await connection.execute(
            update(row)
            .where(*of_tenant, row.forgotten_at.is_(None))
            .values(document=None, forgotten_at=func.clock_timestamp())
        )
    return Forgotten(said or 0)
