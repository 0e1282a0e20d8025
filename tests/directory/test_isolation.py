"""No query sees another tenant's rows: not by raw SQL, not by forgetting, not by chance."""

import asyncio
import random

import asyncpg
import pytest
from sqlalchemy import text

import services.supervisor.model  # noqa: F401 - its tables belong to tenants, too
from services.directory.faults import WrongRole
from services.directory.migrations import WRITTEN_BY_SERVICES
from services.directory.model import Base
from services.directory.owner import OwnerDatabase
from services.directory.service import ServiceDatabase, service_database
from services.directory.tenancy import NoTenantBound, acting_for, bound_tenant
from services.kit.groups import DatabaseSettings
from tests.directory.samples import ACME, GLOBEX, applied

TABLES = sorted(table.name for table in Base.metadata.tables.values() if "tenant_id" in table.columns)
KINDS = {"bigint": "int8", "boolean": "bool"}
WITH_ROWS = {"tenants", "channel_connections", "agents", "revisions"}


async def test_raw_sql_for_another_tenants_rows_finds_nothing(owner: OwnerDatabase, service: ServiceDatabase) -> None:
    await applied(owner, ACME, GLOBEX)
    for name in TABLES:
        with acting_for("acme"):
            async with service.for_tenant() as connection:
                others = f"select count(*) from threadline.{name} where tenant_id = 'globex'"
                assert await connection.fetchval(others) == 0, name
                everything = await connection.fetch(f"select distinct tenant_id from threadline.{name}")
                assert {row["tenant_id"] for row in everything} <= {"acme"}, name
        with acting_for("globex"):
            async with service.for_tenant() as connection:
                own = await connection.fetchval(f"select count(*) from threadline.{name}")
                assert own or name not in WITH_ROWS, f"{name}: the test would prove nothing"


@pytest.mark.parametrize(
    "trick",
    [
        "select * from threadline.agents where tenant_id = 'globex' or true",
        "select * from threadline.agents union all select * from threadline.agents where tenant_id <> 'acme'",
        "select a.* from threadline.tenants t join threadline.agents a on a.tenant_id <> t.tenant_id",
        "with every as (select * from threadline.agents) select * from every",
        "set local row_security = off; ",
        "set local role threadline_test_owner; ",
        "set local session authorization threadline_test_owner; ",
    ],
)
async def test_no_trick_of_sql_gets_round_it(owner: OwnerDatabase, service: ServiceDatabase, trick: str) -> None:
    await applied(owner, ACME, GLOBEX)
    head, _, question = trick.rpartition("; ")
    with acting_for("acme"):
        try:
            async with service.for_tenant() as connection:
                if head:
                    await connection.execute(head)
                rows = await connection.fetch(question or "select * from threadline.agents")
        except asyncpg.PostgresError:
            return  # it was refused
        assert {row["tenant_id"] for row in rows} <= {"acme"}


async def test_whoever_forgets_to_bind_finds_nothing_and_is_told(
    owner: OwnerDatabase, service: ServiceDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    await applied(owner, ACME, GLOBEX)
    with pytest.raises(NoTenantBound, match="no tenant is bound"):
        async with service.for_tenant():
            pass
    async with service.for_nobody() as connection:  # past our own door
        assert await connection.fetch("select * from threadline.agents") == []
    assert "no tenant is bound, so nothing is found" in caplog.text


async def test_a_connection_forgets_its_tenant(owner: OwnerDatabase, service: ServiceDatabase) -> None:
    await applied(owner, ACME, GLOBEX)
    for _ in range(20):  # more than the pool has
        with acting_for("acme"):
            async with service.for_tenant() as connection:
                assert await connection.fetch("select * from threadline.agents")
                await connection.execute("set threadline.tenant = 'acme'")  # for the session, and not the transaction
        async with service.for_nobody() as connection:
            assert await connection.fetch("select * from threadline.agents") == []


async def test_a_thousand_interleavings_of_two_tenants_on_one_pool(
    owner: OwnerDatabase, service: ServiceDatabase
) -> None:
    await applied(owner, ACME, GLOBEX)
    chance = random.Random(7)
    seen = {"acme": 0, "globex": 0}

    async def one(number: int) -> None:
        tenant_id = chance.choice(("acme", "globex"))
        pauses = [chance.random() * 0.004 for _ in range(4)]
        await asyncio.sleep(pauses[0])
        with acting_for(tenant_id):
            async with service.for_tenant() as connection:
                for table, pause in zip(("agents", "channel_connections", "revisions"), pauses[1:], strict=True):
                    rows = await connection.fetch(f"select tenant_id from threadline.{table}")
                    assert {row["tenant_id"] for row in rows} == {tenant_id}
                    await asyncio.sleep(pause)
                if number % 10 == 0:
                    raise LookupError  # rolled back: the next on this connection must not inherit it
        seen[tenant_id] += 1

    outcomes = await asyncio.gather(*(one(number) for number in range(1000)), return_exceptions=True)
    strange = [each for each in outcomes if each is not None and not isinstance(each, LookupError)]
    assert strange == []
    assert min(seen.values()) > 300
    assert bound_tenant() is None


async def test_a_task_sees_the_tenant_that_it_was_started_for(owner: OwnerDatabase, service: ServiceDatabase) -> None:
    await applied(owner, ACME, GLOBEX)

    async def mine() -> set[str]:
        async with service.for_tenant() as connection:
            return {row["tenant_id"] for row in await connection.fetch("select tenant_id from threadline.agents")}

    with acting_for("acme"):
        started = asyncio.create_task(mine())
        with acting_for("globex"):
            inner = asyncio.create_task(mine())
    assert (await started, await inner) == ({"acme"}, {"globex"})


async def test_a_service_can_put_nothing_into_another_tenant(owner: OwnerDatabase, service: ServiceDatabase) -> None:
    await applied(owner, ACME, GLOBEX)
    row = (
        "insert into threadline.installations (tenant_id, app, workspace, origin, scopes) "
        "values ('globex', 'A1', 'T0GLOBEX', 'oauth', '{}')"
    )
    with acting_for("acme"), pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with service.for_tenant() as connection:
            await connection.execute(row)


STEAL = """
create function pg_temp.steal(pg_catalog.jsonb) returns boolean language plpgsql as $$
begin
    execute 'create table threadline.loot as select * from threadline.agents';
    return true;
exception when others then
    return true;
end $$
"""


async def test_what_runs_as_the_owner_is_not_led_astray_by_temporary_objects(
    owner: OwnerDatabase, service: ServiceDatabase
) -> None:
    """A domain named like a type that a trigger uses would be looked up first, and run its check as the owner."""
    await applied(owner, ACME, GLOBEX)
    with acting_for("acme"):
        async with service.for_tenant() as connection:
            await connection.execute(STEAL)
            for kind in ("jsonb", "text", "bigint", "boolean"):
                check = "check (pg_temp.steal(to_jsonb(value)))"
                await connection.execute(f"create domain pg_temp.{kind} as pg_catalog.{KINDS.get(kind, kind)} {check}")
            await connection.execute("update threadline.installations set bot_user = 'U0OTHER'")
    async with owner.begin() as connection:
        assert await connection.scalar(text("select to_regclass('threadline.loot')")) is None


async def test_a_service_cannot_name_a_place_of_secrets_nor_forge_who_made_a_change(
    owner: OwnerDatabase, service: ServiceDatabase
) -> None:
    await applied(owner, ACME, GLOBEX)
    columns = "insert into threadline.installations (tenant_id, app, workspace, origin, scopes, secrets) values "
    with acting_for("acme"):
        for statement in (
            columns + "('acme', 'A9', 'T0LAB', 'file', '{}', 'env:globex')",
            "update threadline.installations set secrets = 'env:globex'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with service.for_tenant() as connection:
                    await connection.execute(statement)
        async with service.for_tenant() as connection:
            await connection.execute("set local threadline.by = 'the auditor'")
            await connection.execute("set local threadline.compiled = '/acme/'")
            await connection.execute("update threadline.installations set bot_user = 'U0OTHER'")
    async with owner.begin() as connection:
        last = "select by, document #>> '{installations,0,bot_user}' from threadline.revisions order by revision desc"
        assert tuple((await connection.execute(text(last))).first() or ()) == ("threadline_test_service", "U0OTHER")


@pytest.mark.parametrize("table", sorted(set(TABLES) - WRITTEN_BY_SERVICES.keys()))
@pytest.mark.parametrize("statement", ["delete from threadline.{}", "update threadline.{} set tenant_id = tenant_id"])
async def test_a_service_changes_nothing_of_the_directory_but_installations(
    service: ServiceDatabase, table: str, statement: str
) -> None:
    with acting_for("acme"), pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
        async with service.for_tenant() as connection:
            await connection.execute(statement.format(table))


async def test_the_role_of_services_is_bound_and_the_owners_is_refused(database: DatabaseSettings) -> None:
    async with service_database(database) as service, service.for_nobody():
        pass
    async with service_database(DatabaseSettings(database_url=database.database_owner_url)) as owner:
        with pytest.raises(WrongRole, match="owns the tables"):
            async with owner.for_nobody():
                pass


async def test_the_one_question_before_a_tenant_is_bound(owner: OwnerDatabase, service: ServiceDatabase) -> None:
    await applied(owner, ACME, GLOBEX)
    async with service.for_nobody() as connection:
        rows = await connection.fetch("select * from threadline.tenant_of('slack', 'T0GLOBEX')")
    assert [tuple(row) for row in rows] == [("globex", 2)]
