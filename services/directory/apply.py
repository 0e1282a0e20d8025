"""Making the directory what a file says: all of it or nothing, one at a time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import asyncpg
from sqlalchemy import ColumnElement, delete, insert, text, tuple_, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.directory import history
from services.directory.difference import Difference, differences
from services.directory.document import Document, Tenant, TenantFacts
from services.directory.faults import root_of
from services.directory.model import Base, InstallationRow, TenantRow
from services.directory.owner import OwnerDatabase
from services.directory.rows import Rows, changed, rows_of
from services.directory.turn import TURN
from services.kit.fault import Fault

WAIT_MS = 30_000
AT_ONCE = 1000


class NotApplied(Fault):
    """The directory is as it was."""


@dataclass(frozen=True)
class How:
    """What an apply is told beside the document."""

    by: str
    """Who does it, for the history."""
    dry_run: bool = False
    prune: bool = False
    """Whether tenants that are not in the file go."""
    only_after: int | None = None
    """The revision that the directory must still have."""


@dataclass(frozen=True)
class Applied:
    """What was changed, or would be."""

    differences: list[Difference]
    left_alone: list[str]
    """Tenants that the directory has and the file has not."""
    revision: int


async def apply(owner: OwnerDatabase, document: Document, how: How) -> Applied:
    """Compares and, unless it is a dry run, changes. Another apply waits until this one has ended."""
    async with owner.begin() as connection:
        await _wait_for_turn(connection)
        await connection.execute(text("select set_config('threadline.by', :by, true)"), {"by": how.by})
        number = await history.newest(connection)
        if how.only_after is not None and number != how.only_after:
            raise NotApplied(
                f"the directory is at revision {number} and no longer at {how.only_after}: somebody changed it "
                "meanwhile. Nothing was changed; look at the difference again (--dry-run)"
            )
        there = {tenant_id: each.facts for tenant_id, each in (await history.whole(connection)).items() if each.facts}
        wanted = {tenant.id: tenant for tenant in document.tenants}
        _refuse_conflicts(there, wanted)
        before = {tenant_id: facts.described() for tenant_id, facts in there.items()}
        gone = sorted(set(before) - set(wanted))
        compared = {tenant_id: tenant for tenant_id, tenant in before.items() if how.prune or tenant_id in wanted}
        found = differences(compared, wanted)
        if not how.prune:
            _refuse_claims(wanted, [before[tenant_id] for tenant_id in gone])
        if found and not how.dry_run:
            await _write(connection, compared, wanted)
            await connection.execute(text("set constraints all immediate"))  # the revisions are made now
            number = await history.newest(connection)
    return Applied(found, [] if how.prune else gone, number)


async def _wait_for_turn(connection: AsyncConnection) -> None:
    """The triggers that make revisions take the same lock, so nothing else changes meanwhile either."""
    await connection.execute(text(f"set local lock_timeout = {WAIT_MS}"))
    try:
        await connection.execute(text(TURN))
    except DBAPIError as error:
        if isinstance(root_of(error), asyncpg.LockNotAvailableError):
            raise NotApplied(
                f"another change of the directory has been going on for {WAIT_MS / 1000:.0f} s; nothing was changed. "
                "Try again"
            ) from None
        raise


def _refuse_conflicts(there: Mapping[str, TenantFacts], wanted: Mapping[str, Tenant]) -> None:
    """What was installed through OAuth has its tokens here; the file would take them away."""
    for tenant_id, facts in there.items():
        installed = {
            (each.app, each.workspace)
            for each in facts.installations
            if each.origin == "oauth" and each.closed_at is None
        }
        described = wanted[tenant_id].installations if tenant_id in wanted else ()
        for each in described:
            if (each.app, each.workspace) in installed:
                raise NotApplied(
                    f"tenants.{tenant_id}.installations.{each.app}: it was installed in {each.workspace} through "
                    "OAuth, and its tokens are kept sealed. Nothing was changed; leave it out of the file"
                )


def _refuse_claims(wanted: Mapping[str, Tenant], others: Iterable[Tenant]) -> None:
    """What a tenant has that the file leaves alone, workspaces and secrets, is still that tenant's."""
    others = list(others)
    owners = {each.workspace: tenant.id for tenant in others for each in tenant.connections}
    places = {each.secrets: tenant.id for tenant in others for each in tenant.installations}
    for tenant in wanted.values():
        for installation in tenant.installations:
            if installation.secrets in places:
                raise NotApplied(
                    f"tenants.{tenant.id}.installations.{installation.app}: {places[installation.secrets]}, which is "
                    f"not in the file, has its secrets in the same place ({installation.secrets}). Nothing was "
                    "changed; give each a holder, such as env:acme"
                )
        for each in tenant.connections:
            if each.workspace in owners:
                raise NotApplied(
                    f"tenants.{tenant.id}.connections.{each.workspace}: it belongs to {owners[each.workspace]}, which "
                    "is in the directory and not in the file. Nothing was changed; put that tenant into the file, or "
                    "let it go with --prune"
                )


async def _write(connection: AsyncConnection, before: Mapping[str, Tenant], wanted: Mapping[str, Tenant]) -> None:
    """Everything that goes before anything that comes: a workspace may change its tenant."""
    gone = sorted(set(before) - set(wanted))
    await _delete(connection, TenantRow, [(tenant_id,) for tenant_id in gone])
    old = {tenant_id: rows_of(tenant) for tenant_id, tenant in before.items() if tenant_id in wanted}
    new = {tenant_id: rows_of(tenant) for tenant_id, tenant in wanted.items()}
    for tenant_id, rows in new.items():
        await _write_tenant(connection, rows, known=tenant_id in old)
    plans = [
        (table, *changed(table, old.get(tenant_id, {}).get(table, []), rows[table]))
        for tenant_id, rows in new.items()
        for table in rows
        if table is not TenantRow
    ]
    described = [(tenant.id, each.app, each.workspace) for tenant in wanted.values() for each in tenant.installations]
    # What was closed and is described again is installed again.
    await _delete(connection, InstallationRow, described, InstallationRow.closed_at.is_not(None))
    for table, keys, _ in plans:
        await _delete(connection, table, keys)
    for table, _, come in plans:
        if come:
            await connection.execute(insert(table), come)


async def _write_tenant(connection: AsyncConnection, rows: Rows, *, known: bool) -> None:
    (row,) = rows[TenantRow]
    if not known:
        await connection.execute(insert(TenantRow), [row])
        return
    different = [getattr(TenantRow, name).is_distinct_from(value) for name, value in row.items() if name != "tenant_id"]
    either = different[0]
    for each in different[1:]:
        either |= each
    await connection.execute(update(TenantRow).where(TenantRow.tenant_id == row["tenant_id"], either).values(row))


async def _delete(
    connection: AsyncConnection, table: type[Base], keys: Sequence[tuple[object, ...]], *also: ColumnElement[bool]
) -> None:
    """A part at a time: Postgres reads a list of keys like brackets within brackets, and only so deep."""
    columns = list(table.__table__.primary_key)
    for begin in range(0, len(keys), AT_ONCE):
        some = keys[begin : begin + AT_ONCE]
        await connection.execute(delete(table).where(tuple_(*columns).in_(some), *also))
