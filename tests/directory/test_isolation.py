"""No query sees another tenant's rows: not by raw SQL, not by forgetting, not by chance."""

import asyncio
import random

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from services.directory.database import Database, WrongRole, owner_database, refuse_unbound_role, service_database
from services.directory.model import AgentRow, Base
from services.directory.tenancy import NoTenantBound, acting_for, bound_tenant
from services.kit.groups import DatabaseSettings
from tests.directory.samples import ACME, GLOBEX, applied

TABLES = sorted(table.name for table in Base.metadata.tables.values())
WITH_ROWS = {"tenants", "channel_connections", "agents", "revisions"}


async def test_raw_sql_for_another_tenants_rows_finds_nothing(owner: Database, service: Database) -> None:
    await applied(owner, ACME, GLOBEX)
    for name in TABLES:
        with acting_for("acme"):
            async with service.for_tenant() as connection:
                others = text(f"select count(*) from threadline.{name} where tenant_id = 'globex'")
                assert await connection.scalar(others) == 0, name
                everything = (await connection.scalars(text(f"select distinct tenant_id from threadline.{name}"))).all()
                assert set(everything) <= {"acme"}, name
        with acting_for("globex"):
            async with service.for_tenant() as connection:
                own = await connection.scalar(text(f"select count(*) from threadline.{name}"))
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
async def test_no_trick_of_sql_gets_round_it(owner: Database, service: Database, trick: str) -> None:
    await applied(owner, ACME, GLOBEX)
    head, _, question = trick.rpartition("; ")
    with acting_for("acme"):
        try:
            async with service.for_tenant() as connection:
                if head:
                    await connection.execute(text(head))
                rows = (await connection.execute(text(question or "select * from threadline.agents"))).all()
        except DBAPIError:
            return  # it was refused
        assert {row.tenant_id for row in rows} <= {"acme"}


async def test_whoever_forgets_to_bind_finds_nothing_and_is_told(
    owner: Database, service: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await applied(owner, ACME, GLOBEX)
    with pytest.raises(NoTenantBound, match="no tenant is bound"):
        async with service.for_tenant():
            pass
    async with service.engine.connect() as connection:  # past our own door
        assert (await connection.execute(select(AgentRow))).all() == []
    assert "no tenant is bound, so nothing is found" in caplog.text


async def test_a_connection_forgets_its_tenant(owner: Database, service: Database) -> None:
    await applied(owner, ACME, GLOBEX)
    for _ in range(20):  # more than the pool has
        with acting_for("acme"):
            async with service.for_tenant() as connection:
                assert (await connection.execute(select(AgentRow))).all()
        async with service.engine.connect() as connection:
            assert (await connection.execute(select(AgentRow))).all() == []


async def test_a_thousand_interleavings_of_two_tenants_on_one_pool(owner: Database, service: Database) -> None:
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
                    rows = await connection.scalars(text(f"select tenant_id from threadline.{table}"))
                    assert set(rows) == {tenant_id}
                    await asyncio.sleep(pause)
                if number % 10 == 0:
                    raise LookupError  # rolled back: the next on this connection must not inherit it
        seen[tenant_id] += 1

    outcomes = await asyncio.gather(*(one(number) for number in range(1000)), return_exceptions=True)
    strange = [each for each in outcomes if each is not None and not isinstance(each, LookupError)]
    assert strange == []
    assert min(seen.values()) > 300
    assert bound_tenant() is None


async def test_a_task_sees_the_tenant_that_it_was_started_for(owner: Database, service: Database) -> None:
    await applied(owner, ACME, GLOBEX)

    async def mine() -> set[str]:
        async with service.for_tenant() as connection:
            return set(await connection.scalars(select(AgentRow.tenant_id)))

    with acting_for("acme"):
        started = asyncio.create_task(mine())
        with acting_for("globex"):
            inner = asyncio.create_task(mine())
    assert (await started, await inner) == ({"acme"}, {"globex"})


async def test_a_service_can_put_nothing_into_another_tenant(owner: Database, service: Database) -> None:
    await applied(owner, ACME, GLOBEX)
    row = (
        "insert into threadline.installations (tenant_id, app, workspace, origin, scopes) "
        "values ('globex', 'A1', 'T0GLOBEX', 'oauth', '{}')"
    )
    with acting_for("acme"), pytest.raises(DBAPIError, match="row-level security"):
        async with service.for_tenant() as connection:
            await connection.execute(text(row))


@pytest.mark.parametrize("table", sorted(set(TABLES) - {"installations"}))
@pytest.mark.parametrize("statement", ["delete from threadline.{}", "update threadline.{} set tenant_id = tenant_id"])
async def test_a_service_changes_nothing_but_installations(service: Database, table: str, statement: str) -> None:
    with acting_for("acme"), pytest.raises(DBAPIError, match="permission denied"):
        async with service.for_tenant() as connection:
            await connection.execute(text(statement.format(table)))


async def test_the_role_of_services_is_bound_and_the_owners_is_refused(database: DatabaseSettings) -> None:
    async with service_database(database) as service:
        await refuse_unbound_role(service)
    async with owner_database(database) as owner:
        with pytest.raises(WrongRole, match="owns the tables"):
            await refuse_unbound_role(owner)


async def test_the_one_question_before_a_tenant_is_bound(owner: Database, service: Database) -> None:
    await applied(owner, ACME, GLOBEX)
    async with service.for_nobody() as connection:
        rows = (await connection.execute(text("select * from threadline.tenant_of('slack', 'T0GLOBEX')"))).all()
    assert [tuple(row) for row in rows] == [("globex", 2)]
