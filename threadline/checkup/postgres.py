"""Postgres: whether it answers, who we are there, and whether its tables are what this version needs."""

import asyncpg
from sqlalchemy import text

from services.directory import migrations
from services.directory.faults import NotMigrated
from services.directory.owner import OwnerDatabase, owner_database
from services.directory.reading import read_owner
from services.directory.service import service_database
from services.kit.fault import Fault
from services.kit.groups import DatabaseSettings
from threadline.checkup.finding import Finding, fine, note, wrong

SERVICES, OWNER, TABLES = "postgres", "postgres owner", "tables"
START = "`threadline local start` starts one here; DATABASE_URL and THREADLINE_DATABASE_OWNER_URL name another"
MIGRATE = "`threadline directory migrate`"


async def look(settings: DatabaseSettings) -> list[Finding]:
    """The services' address, then the owner's."""
    found = [await _services(settings)]
    if settings.database_owner_url is None:
        missing = "THREADLINE_DATABASE_OWNER_URL is not set: the directory can be read by services, and not be changed"
        return [*found, note(OWNER, missing, START)]
    try:
        async with owner_database(settings) as owner:
            return [*found, await _tables(owner)]
    except Fault as fault:
        return [*found, wrong(OWNER, str(fault), START)]


async def _services(settings: DatabaseSettings) -> Finding:
    if settings.database_url is None:
        return wrong(SERVICES, "DATABASE_URL is not set", START)
    try:
        async with service_database(settings) as database:
            await read_owner(database, ("slack", "T0"))
    except NotMigrated as fault:
        return wrong(TABLES, str(fault), MIGRATE)
    except asyncpg.InsufficientPrivilegeError as error:
        return wrong(TABLES, f"services may not read them ({error})", MIGRATE)
    except Fault as fault:
        return wrong(SERVICES, str(fault), START)
    return fine(SERVICES, "it answers, and row-level security binds the role of DATABASE_URL")


_OTHERS = text("""
    select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'threadline' and c.relkind = 'r' and not pg_has_role(c.relowner, 'member')
""")


async def _tables(owner: OwnerDatabase) -> Finding:
    async with owner.begin() as connection:
        if await connection.scalar(_OTHERS):
            return wrong(
                OWNER,
                "THREADLINE_DATABASE_OWNER_URL signs in as somebody who does not own the tables",
                "name the role that made them; DATABASE_URL is the one for services",
            )
    version = await migrations.current(owner)
    if version == migrations.newest():
        return fine(TABLES, f"at {version}, which is what this version needs")
    if version is None:
        return wrong(TABLES, "there are none yet", MIGRATE)
    if not migrations.is_known(version):
        return wrong(
            TABLES, f"at {version}, which this version does not know: a newer one made them", "update Threadline"
        )
    return wrong(TABLES, f"at {version}, and this version needs {migrations.newest()}", MIGRATE)
