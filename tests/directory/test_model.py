"""The tables: models and migrations agree, there and back, and every table of a tenant's is guarded."""

import asyncio
from urllib.parse import quote

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import Connection, text

import services.supervisor.model  # noqa: F401 - its tables are among those that are migrated
from services.directory import migrations
from services.directory.holding import Unknown
from services.directory.model import SCHEMA, Base
from services.directory.owner import OwnerDatabase, owner_database
from services.directory.reading import read_owner
from services.directory.service import service_database
from services.kit.groups import DatabaseSettings
from tests.databases import Databases


def _differences(connection: Connection) -> list[object]:
    options = {
        "include_schemas": True,
        "version_table_schema": SCHEMA,
        "include_name": lambda name, kind, _: kind != "schema" or name == SCHEMA,
        "compare_server_default": True,
    }
    found: list[object] = compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)
    return found


async def test_models_and_migrations_agree(owner: OwnerDatabase) -> None:
    async with owner.begin() as connection:
        assert await connection.run_sync(_differences) == []


async def test_a_column_that_only_the_model_has_would_be_found(owner: OwnerDatabase) -> None:
    async with owner.begin() as connection:
        await connection.execute(text("alter table threadline.agents drop column persona"))
        assert any("persona" in str(each) for each in await connection.run_sync(_differences))
        await connection.rollback()


async def test_migrations_go_forward_and_back(databases: Databases) -> None:
    async with databases.new("template0") as settings, owner_database(settings) as owner:
        assert await migrations.current(owner) is None
        await migrations.migrate(owner, settings.database_url)
        assert await migrations.current(owner) == migrations.newest()
        await migrations.migrate_back(owner, "base")
        assert await migrations.current(owner) is None
        left = text(
            "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = 'threadline' and c.relname not like 'alembic%'"
        )
        functions = text(
            "select count(*) from pg_proc p join pg_namespace n on n.oid = p.pronamespace "
            "where n.nspname = 'threadline'"
        )
        async with owner.begin() as connection:
            assert await connection.scalar(left) == 0
            assert await connection.scalar(functions) == 0
        await migrations.migrate(owner, settings.database_url)
        assert await migrations.current(owner) == migrations.newest()


async def test_two_migrations_at_once_are_one_after_the_other(databases: Databases) -> None:
    async with databases.new("template0") as settings, owner_database(settings) as one, owner_database(settings) as two:
        await asyncio.gather(*(migrations.migrate(each, settings.database_url) for each in (one, two)))
        assert await migrations.current(one) == migrations.newest()


GUARDS = text("""
    select c.relname as name, c.relrowsecurity as guarded,
        exists (select from pg_policy p where p.polrelid = c.oid) as has_policy,
        exists (select from pg_trigger t
            where t.tgrelid = c.oid and t.tgname in ('revise', 'unchanging')) as has_trigger
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'threadline' and c.relkind = 'r' and c.relname <> 'alembic_version'
""")


PROJECTED = {
    "agent_tasks",
    "agent_checkpoints",
    "human_interventions",
    "task_artifacts",
    "agent_heartbeats",
    "agent_tellings",
}
"""What the supervisor writes. It is no part of the directory, and makes no revisions."""
OF_NOBODY = {"agent_projections"}
"""Says how far a topic is read, and nothing of anybody."""


async def test_every_table_is_guarded_and_the_directorys_make_revisions(owner: OwnerDatabase) -> None:
    async with owner.begin() as connection:
        rows = (await connection.execute(GUARDS)).all()
    assert {row.name for row in rows} == {table.name for table in Base.metadata.tables.values()}
    unguarded = {row.name for row in rows if not (row.guarded and row.has_policy)}
    assert unguarded == OF_NOBODY
    assert {row.name for row in rows if not row.has_trigger} == PROJECTED | OF_NOBODY


def test_every_table_says_whose_its_rows_are() -> None:
    nobodys = {table.name for table in Base.metadata.tables.values() if "tenant_id" not in table.columns}
    assert nobodys == OF_NOBODY


@pytest.mark.parametrize("password", ["plain", "!:hunter2secret", "o'clock", 'quo"te', "per%cent"])
async def test_the_services_role_is_made_with_whatever_password(
    databases: Databases, database: DatabaseSettings, password: str
) -> None:
    """By an owner who may: here the superuser."""
    name = (database.database_url or SecretStr("")).get_secret_value().rpartition("/")[2]
    head, _, rest = databases.superuser_url.partition("@")
    place = rest.partition("/")[0]
    superuser = DatabaseSettings(database_owner_url=SecretStr(f"{head}@{place}/{name}"))
    url = f"postgresql://test_made_role:{quote(password, safe='')}@{place}/{name}"
    async with owner_database(superuser) as owner:
        try:
            await migrations.admit(owner, SecretStr(url))
            async with service_database(DatabaseSettings(database_url=SecretStr(url))) as service:
                assert isinstance(await read_owner(service, ("slack", "T1")), Unknown)
        finally:
            async with owner.begin() as connection:
                await connection.exec_driver_sql("drop owned by test_made_role")
                await connection.exec_driver_sql("drop role test_made_role")


async def test_a_role_that_the_owner_may_not_make_is_told(owner: OwnerDatabase) -> None:
    with pytest.raises(migrations.CannotMigrate, match="the owner may not make it") as caught:
        await migrations.admit(owner, SecretStr("postgresql://test_never_made:planted-password@127.0.0.1/x"))
    assert "planted-password" not in str(caught.value)


async def test_a_version_that_nobody_knows_is_told(owner: OwnerDatabase, database: DatabaseSettings) -> None:
    with pytest.raises(migrations.CannotMigrate, match="no such migration"):
        await migrations.migrate(owner, database.database_url, "9999")


async def test_a_service_that_would_sign_in_as_the_owner_is_not_admitted(database: DatabaseSettings) -> None:
    assert database.database_owner_url is not None
    async with owner_database(database) as owner:
        with pytest.raises(migrations.CannotMigrate, match="signs in as the owner"):
            await migrations.admit(owner, database.database_owner_url)
