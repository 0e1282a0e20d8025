"""Forgetting a tenant that is gone."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.directory import history
from services.directory.forgetting import NotForgotten, forget
from services.directory.owner import OwnerDatabase
from services.directory.revisions import RevisionReader
from services.directory.service import ServiceDatabase
from tests.directory.samples import ACME, GLOBEX, applied


async def _let_go(owner: OwnerDatabase) -> None:
    """Acme leaves, and Globex stays."""
    await applied(owner, ACME, GLOBEX)
    await applied(owner, GLOBEX)


async def _said_of(owner: OwnerDatabase, tenant: str) -> list[str]:
    async with owner.begin() as connection:
        question = text("select document::text from threadline.revisions where tenant_id = :tenant")
        return [each for each in await connection.scalars(question, {"tenant": tenant}) if each is not None]


async def test_what_revisions_say_of_it_is_gone_and_nothing_else(
    owner: OwnerDatabase, service: ServiceDatabase
) -> None:
    await _let_go(owner)
    others = await _said_of(owner, "globex")
    assert await _said_of(owner, "acme")
    assert (await forget(owner, "acme")).revisions == 1
    assert await _said_of(owner, "acme") == []
    assert await _said_of(owner, "globex") == others
    async with owner.begin() as connection:
        changes = await history.latest(connection, 10, "acme")
        assert [each.is_forgotten for each in changes] == [True, True]
        assert await history.forgotten(connection) == {"acme": changes[0].number}
    assert await RevisionReader(service).facts_at("acme", changes[-1].number) is None
    assert (await forget(owner, "acme")).revisions == 0


async def test_who_is_still_there_is_not_forgotten(owner: OwnerDatabase) -> None:
    await applied(owner, ACME)
    with pytest.raises(NotForgotten, match="acme is in the directory"):
        await forget(owner, "acme")
    forced = "update threadline.revisions set document = null, forgotten_at = now()"
    with pytest.raises(DBAPIError, match="a revision is never changed"):
        async with owner.begin() as connection:
            await connection.execute(text(forced))
    assert await _said_of(owner, "acme")


async def test_who_never_was_is_named(owner: OwnerDatabase) -> None:
    with pytest.raises(NotForgotten, match="there never was a tenant nobody"):
        await forget(owner, "nobody")


@pytest.mark.parametrize(
    "change", ["document = '{}', forgotten_at = now()", "by = 'x', document = null, forgotten_at = now()", "at = now()"]
)
async def test_nothing_else_is_done_to_revisions_of_who_is_gone(owner: OwnerDatabase, change: str) -> None:
    await _let_go(owner)
    with pytest.raises(DBAPIError, match="a revision is never changed"):
        async with owner.begin() as connection:
            await connection.execute(text(f"update threadline.revisions set {change} where tenant_id = 'acme'"))


async def test_one_of_the_same_name_begins_anew(owner: OwnerDatabase) -> None:
    await _let_go(owner)
    await forget(owner, "acme")
    again = await applied(owner, ACME, GLOBEX)
    async with owner.begin() as connection:
        assert "acme" in await history.whole(connection)
        assert (await history.forgotten(connection))["acme"] < again.revision
