import asyncpg
import pytest


async def test_the_product_signs_in_as_no_superuser(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        row = await connection.fetchrow(
            "select rolsuper, rolbypassrls, current_setting('server_version_num')::int as version "
            "from pg_roles where rolname = current_user"
        )
    finally:
        await connection.close()
    assert row is not None
    assert (row["rolsuper"], row["rolbypassrls"]) == (False, False)
    assert row["version"] >= 150000


async def test_row_level_security_binds_the_product_where_it_is_forced_on_owners(database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(
            "create temp table kept (tenant text); insert into kept values ('a'), ('b');"
            "alter table kept enable row level security; alter table kept force row level security;"
            "create policy own on kept using (tenant = 'a')"
        )
        assert [row["tenant"] for row in await connection.fetch("select tenant from kept")] == ["a"]
    finally:
        await connection.close()


async def test_the_products_password_does_not_open_the_superusers_account(database_url: str) -> None:
    with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError)):
        await asyncpg.connect(database_url.replace("//threadline:", "//postgres:", 1))


async def test_nobody_signs_in_without_the_password(database_url: str) -> None:
    head, rest = database_url.split("@", 1)
    without = f"{head.rsplit(':', 1)[0]}:wrong@{rest}"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(without)
