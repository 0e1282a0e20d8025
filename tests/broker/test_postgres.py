"""Who may sign in to the embedded database, and as what."""

import asyncpg
import pytest

from services.local.home import Home
from services.local.postgres import Database
from services.local.state import StackState


@pytest.fixture(scope="module")
def embedded_database(embedded: StackState, bed_home: Home) -> Database:
    return Database.at(bed_home, embedded.address_of("postgres"))


@pytest.mark.parametrize("which", ["url", "owner_url"])
async def test_the_product_signs_in_as_no_superuser(embedded_database: Database, which: str) -> None:
    connection = await asyncpg.connect(getattr(embedded_database, which))
    try:
        row = await connection.fetchrow(
            "select rolsuper, rolbypassrls, rolcreaterole, current_setting('server_version_num')::int as version "
            "from pg_roles where rolname = current_user"
        )
    finally:
        await connection.close()
    assert row is not None
    assert (row["rolsuper"], row["rolbypassrls"], row["rolcreaterole"]) == (False, False, False)
    assert row["version"] >= 150000


async def test_the_services_password_opens_nobody_elses_account(embedded_database: Database) -> None:
    for other in ("postgres", "threadline"):
        with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)):
            await asyncpg.connect(embedded_database.url.replace("//threadline_service:", f"//{other}:", 1))


async def test_nobody_signs_in_without_the_password(embedded_database: Database) -> None:
    head, rest = embedded_database.url.split("@", 1)
    without = f"{head.rsplit(':', 1)[0]}:wrong@{rest}"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(without)


async def test_the_embedded_database_has_the_directorys_tables(embedded_database: Database) -> None:
    connection = await asyncpg.connect(embedded_database.url)
    try:
        assert await connection.fetch("select * from threadline.tenants") == []
    finally:
        await connection.close()
