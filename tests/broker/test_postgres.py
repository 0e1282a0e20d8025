import asyncpg
import pytest


async def test_the_product_signs_in_as_a_role_that_row_level_security_binds(database_url: str) -> None:
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


async def test_nobody_signs_in_without_the_password(database_url: str) -> None:
    head, rest = database_url.split("@", 1)
    without = f"{head.rsplit(':', 1)[0]}:wrong@{rest}"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(without)
