"""Every change makes a revision, however it was made; none is ever changed; each can be read back."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.directory import history
from services.directory.document import TenantFacts
from services.directory.owner import OwnerDatabase
from services.directory.revisions import RevisionReader, UnreadableRevision, facts_of
from services.directory.service import ServiceDatabase
from services.directory.tenancy import acting_for
from tests.directory.samples import ACME, GLOBEX, applied, tenant


async def numbers(owner: OwnerDatabase) -> list[int]:
    async with owner.begin() as connection:
        return list(await connection.scalars(text("select revision from threadline.revisions order by revision")))


async def test_a_change_of_many_rows_is_one_revision_of_each_tenant(owner: OwnerDatabase) -> None:
    await applied(owner, ACME, GLOBEX)
    assert await numbers(owner) == [1, 2]
    await applied(owner, ACME.replace("Customer Support", "Sales").replace("priority: 5", "priority: 6"), GLOBEX)
    assert await numbers(owner) == [1, 2, 3]


async def test_a_change_by_hand_is_a_revision_too(owner: OwnerDatabase) -> None:
    await applied(owner, ACME, GLOBEX)
    async with owner.begin() as connection:
        await connection.execute(text("update threadline.agents set role = 'By hand' where tenant_id = 'globex'"))
    async with owner.begin() as connection:
        latest = (await history.whole(connection))["globex"]
    assert latest.number == 3
    assert latest.facts is not None
    assert latest.facts.agents[0].role == "By hand"
    assert latest.by == "threadline_test_owner"


async def test_a_row_that_changes_its_tenant_revises_both(owner: OwnerDatabase) -> None:
    await applied(owner, tenant("a", "T1"), tenant("b", "T2"))
    async with owner.begin() as connection:
        move = "update threadline.channel_connections set tenant_id = 'b' where workspace = 'T1'"
        await connection.execute(text(move))
    async with owner.begin() as connection:
        found = await history.whole(connection)
    kept = {
        name: [each.workspace for each in revision.facts.connections]
        for name, revision in found.items()
        if revision.facts
    }
    assert kept == {"a": [], "b": ["T1", "T2"]}
    assert await numbers(owner) == [1, 2, 3, 4]


async def test_a_revision_is_whole_even_where_it_is_made_before_the_end(owner: OwnerDatabase) -> None:
    await applied(owner, ACME)
    async with owner.begin() as connection:
        await connection.execute(text("set constraints all immediate"))
        await connection.execute(text("update threadline.tenants set name = 'First'"))
        await connection.execute(text("update threadline.agents set role = 'Second'"))
    async with owner.begin() as connection:
        facts = (await history.whole(connection))["acme"].facts
    assert facts is not None
    assert (facts.name, {each.role for each in facts.agents}) == ("First", {"Second"})


async def test_a_large_tenant_is_compiled_once(owner: OwnerDatabase) -> None:
    people = ", ".join(f"{{user: U{number}, may: [stop]}}" for number in range(3000))
    done = await applied(owner, tenant("big", "T1", f"people: [{people}]"))
    assert done.revision == 1
    assert await numbers(owner) == [1]


async def test_what_is_rolled_back_is_no_revision(owner: OwnerDatabase) -> None:
    await applied(owner, ACME)
    async with owner.begin() as connection:
        await connection.execute(text("update threadline.tenants set name = 'Other'"))
        await connection.rollback()
    assert await numbers(owner) == [1]


@pytest.mark.parametrize(
    "statement",
    ["update threadline.revisions set by = 'x'", "delete from threadline.revisions", "truncate threadline.revisions"],
)
async def test_not_even_the_owner_changes_a_revision(owner: OwnerDatabase, statement: str) -> None:
    await applied(owner, ACME)
    with pytest.raises(DBAPIError, match="a revision is never changed"):
        async with owner.begin() as connection:
            await connection.execute(text(statement))


async def test_numbers_have_no_holes_and_stand_in_the_order_of_the_commits(
    owner: OwnerDatabase, service: ServiceDatabase
) -> None:
    await applied(owner, *(tenant(f"t{n}", f"T{n}") for n in range(8)))
    seen: list[int] = []

    async def change(number: int) -> None:
        for turn in range(5):
            async with owner.begin() as connection:
                statement = text("update threadline.tenants set name = :name where tenant_id = :id")
                await connection.execute(statement, {"name": f"turn {turn}", "id": f"t{number}"})

    async def look() -> None:
        for _ in range(60):
            async with service.for_nobody() as connection:
                question = "select revision from threadline.tenant_of('slack', 'T0NOBODY')"
                seen.append(await connection.fetchval(question))

    await asyncio.gather(look(), *(change(number) for number in range(8)))
    assert await numbers(owner) == list(range(1, 8 + 8 * 5 + 1))
    assert seen == sorted(seen)


async def test_any_revision_can_be_read_back(owner: OwnerDatabase, service: ServiceDatabase) -> None:
    roles = [f"role {number}" for number in range(5)]
    made = [(await applied(owner, ACME.replace("Customer Support", role), GLOBEX)).revision for role in roles]
    await applied(owner, GLOBEX)  # acme goes
    reader = RevisionReader(service)
    for role, number in zip(roles, made, strict=True):
        facts = await reader.facts_at("acme", number)
        assert isinstance(facts, TenantFacts)
        assert facts.agents[0].role == role
    assert await reader.facts_at("acme", made[-1] + 1) is None
    assert await reader.facts_at("acme", 0) is None
    assert await reader.facts_at("nobody", 3) is None


async def test_whose_workspace_it_was_can_be_read_back(owner: OwnerDatabase, service: ServiceDatabase) -> None:
    first = (await applied(owner, tenant("a", "T1"))).revision
    second = (await applied(owner, tenant("a", "T2"), tenant("b", "T1"))).revision
    third = (await applied(owner, tenant("a", "T2"))).revision
    reader = RevisionReader(service)
    assert await reader.tenant_of_at("T1", 0) is None
    assert await reader.tenant_of_at("T1", first) == "a"
    assert await reader.tenant_of_at("T1", second) == "b"
    assert await reader.tenant_of_at("T1", third) is None
    assert await reader.tenant_of_at("T2", third) == "a"


async def test_past_revisions_are_bound_to_their_tenant(owner: OwnerDatabase, service: ServiceDatabase) -> None:
    await applied(owner, ACME, GLOBEX)
    with acting_for("acme"):
        async with service.for_tenant() as connection:
            assert await connection.fetch("select * from threadline.revisions where tenant_id = 'globex'") == []


def test_a_revision_of_a_newer_version_is_read_without_what_is_not_known() -> None:
    facts = facts_of({"id": "a", "name": "A", "colour": "blue", "agents": [{"id": "m", "name": "M", "mood": 3}]}, 7)
    assert facts is not None
    assert facts.agents[0].name == "M"


def test_a_revision_that_cannot_be_read_is_told_by_its_number_and_field() -> None:
    with pytest.raises(UnreadableRevision, match=r"revision 7 .*agents\.0\.name"):
        facts_of({"id": "a", "name": "A", "agents": [{"id": "m"}]}, 7)
