"""API tokens: good for one tenant and some actions, known again by a digest, ended at once."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from services.directory.faults import DatabaseAway
from services.directory.lookup import Directory, Surroundings
from services.directory.metrics import CATALOGUE
from services.directory.owner import OwnerDatabase
from services.directory.service import ServiceDatabase
from services.directory.settings import DirectorySettings
from services.directory.sign_in import ACTIONS, Granted, Refused, sign_in
from services.directory.tokens import Made, NoSuchToken, Tokens, Wanted
from services.kit.clock import SystemClock
from services.kit.telemetry.metrics import metrics_of
from tests.directory.conftest import Opened
from tests.directory.samples import ACME, GLOBEX, applied
from tests.directory.test_lookup import heard, until
from tests.hands import START, Hands

NOW = START


@pytest.fixture
async def tokens(owner: OwnerDatabase) -> Tokens:
    await applied(owner, ACME, GLOBEX)
    return Tokens(owner, Hands())


async def made(tokens: Tokens, *actions: str, good_for: timedelta | None = None) -> Made:
    chosen = tuple(each for each in ACTIONS if each in actions)
    return await tokens.create(Wanted("acme", "nightly", chosen, good_for))


async def test_a_token_signs_its_tenant_in_for_its_actions(tokens: Tokens, live: Directory) -> None:
    new = await made(tokens, "runs", "messages")
    for action in ("runs", "messages"):
        found = await sign_in(live, new.token.get_secret_value(), action, NOW)
        assert isinstance(found, Granted)
        assert (found.tenant.tenant_id, found.token_id) == ("acme", new.id)
    assert await sign_in(live, new.token.get_secret_value(), "agents", NOW) == Refused("not_for_this")


async def test_what_is_no_token_of_ours_is_refused(tokens: Tokens, live: Directory) -> None:
    token = (await made(tokens, "runs")).token.get_secret_value()
    head, _, secret = token.rpartition("_")
    assert await sign_in(live, "", "runs", NOW) == Refused("not_a_token")
    assert await sign_in(live, token + "\n", "runs", NOW) == Refused("not_a_token")
    assert await sign_in(live, token.upper(), "runs", NOW) == Refused("not_a_token")
    assert await sign_in(live, f"{head}_{secret[::-1]}", "runs", NOW) == Refused("unknown")
    assert await sign_in(live, token.replace("tl_acme_", "tl_globex_"), "runs", NOW) == Refused("unknown")
    assert await sign_in(live, token.replace("tl_acme_", "tl_nobody_"), "runs", NOW) == Refused("unknown")


async def test_a_token_is_good_as_soon_as_it_is_made(tokens: Tokens, service: ServiceDatabase, tmp_path: Path) -> None:
    """Its tenant is known already, and nothing is heard of the new token; what strangers make up costs little."""
    measured = metrics_of("test", CATALOGUE)
    around = Surroundings(SystemClock(), measured.emitter, tmp_path / "deaf.json")
    deaf = Directory(service, DirectorySettings(), around)
    await deaf.tenant("acme")
    strange = (f"tl_acme_{number:012x}_{'0' * 64}" for number in range(200))
    asked = [asyncio.create_task(sign_in(deaf, each, "runs", NOW)) for each in strange]
    await asyncio.sleep(0)  # all of them have begun to ask before the tokens are made
    for _ in range(2):
        token = (await made(tokens, "runs")).token.get_secret_value()
        assert isinstance(await sign_in(deaf, token, "runs", NOW), Granted)
    assert set(await asyncio.gather(*asked)) == {Refused("unknown")}
    reads = re.search(r"^threadline_directory_read_seconds_count (\S+)$", measured.text().decode(), re.MULTILINE)
    assert reads is not None
    assert float(reads.group(1)) <= 4, "once for the tenant, once for all strangers, and once for each token"
    await deaf.finish()


async def test_a_token_that_nobody_knows_is_not_called_wrong_while_postgres_is_away(
    tokens: Tokens, open_directory: Opened
) -> None:
    token = (await made(tokens, "runs")).token.get_secret_value()
    async with open_directory() as found:
        await found.tenant("acme")
    nowhere = "postgresql://threadline@127.0.0.1:1/threadline"
    async with open_directory(database_url=nowhere) as alone:
        assert isinstance(await sign_in(alone, token, "runs", NOW), Granted)
        with pytest.raises(DatabaseAway, match="cannot be told"):
            await sign_in(alone, f"tl_acme_{'0' * 12}_{'0' * 64}", "runs", NOW)


async def test_a_token_expires(tokens: Tokens, live: Directory) -> None:
    token = (await made(tokens, "runs", good_for=timedelta(days=1))).token.get_secret_value()
    assert isinstance(await sign_in(live, token, "runs", NOW + timedelta(hours=23)), Granted)
    assert await sign_in(live, token, "runs", NOW + timedelta(days=1)) == Refused("expired")


async def test_a_revoked_token_ends_in_every_process_at_once(tokens: Tokens, live: Directory) -> None:
    await heard(live)
    new = await made(tokens, "runs")
    token = new.token.get_secret_value()
    assert isinstance(await sign_in(live, token, "runs", NOW), Granted)
    await tokens.revoke("acme", new.id)

    async def refused() -> bool:
        return await sign_in(live, token, "runs", NOW) == Refused("revoked")

    await until(refused, within=1)
    await tokens.revoke("acme", new.id)  # again is no error


async def test_a_rotated_token_stays_good_for_a_while(tokens: Tokens, live: Directory) -> None:
    old = await made(tokens, "runs", "agents", good_for=timedelta(days=30))
    rotated = await tokens.rotate("acme", old.id, timedelta(hours=24))
    assert rotated.old_ends == NOW + timedelta(hours=24)
    new = rotated.made
    assert new.token.get_secret_value() != old.token.get_secret_value()
    for each in (old, new):
        assert isinstance(await sign_in(live, each.token.get_secret_value(), "agents", NOW), Granted)
    later = NOW + timedelta(hours=24)
    assert await sign_in(live, old.token.get_secret_value(), "agents", later) == Refused("expired")
    assert isinstance(await sign_in(live, new.token.get_secret_value(), "agents", later), Granted)
    listed = {each.id: each for each in await tokens.listed("acme")}
    assert (listed[new.id].name, listed[new.id].actions) == ("nightly", ("runs", "agents"))
    assert listed[new.id].expires_at == NOW + timedelta(days=30)


async def test_rotating_twice_shortens_no_lifetime(tokens: Tokens, live: Directory) -> None:
    for_ever = await made(tokens, "runs")
    await tokens.rotate("acme", for_ever.id, timedelta(hours=1))
    again = (await tokens.rotate("acme", for_ever.id, timedelta(hours=9))).made
    later = NOW + timedelta(days=1000)
    assert isinstance(await sign_in(live, again.token.get_secret_value(), "runs", later), Granted)
    listed = {each.id: each for each in await tokens.listed("acme")}
    assert listed[for_ever.id].expires_at == NOW + timedelta(hours=1), "nor does it give one back"


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 81])
async def test_a_token_has_a_name_that_can_be_read(tokens: Tokens, name: str) -> None:
    with pytest.raises(NoSuchToken, match="a name that people can read"):
        await tokens.create(Wanted("acme", name, ("runs",)))


async def test_what_is_not_there_or_no_longer_good_cannot_be_rotated(tokens: Tokens) -> None:
    new = await made(tokens, "runs")
    await tokens.revoke("acme", new.id)
    with pytest.raises(NoSuchToken, match="revoked"):
        await tokens.rotate("acme", new.id, timedelta(0))
    with pytest.raises(NoSuchToken, match="globex has no token"):
        await tokens.revoke("globex", new.id)
    with pytest.raises(NoSuchToken, match="no tenant nobody"):
        await tokens.create(Wanted("nobody", "x", ("runs",)))


async def test_the_database_holds_digests_and_no_token(tokens: Tokens, owner: OwnerDatabase) -> None:
    token = (await made(tokens, "runs")).token.get_secret_value()
    async with owner.begin() as connection:
        everything = (await connection.scalars(text("select to_jsonb(t)::text from threadline.api_tokens t"))).all()
    assert len(everything) == 1
    assert token not in everything[0]
    assert token.rpartition("_")[2] not in everything[0]


async def test_listing_says_which_are_good(tokens: Tokens) -> None:
    good, old, ended = [await made(tokens, "runs", good_for=days) for days in (None, timedelta(days=1), None)]
    await tokens.revoke("acme", ended.id)
    states = {each.id: each.state(NOW + timedelta(days=2)) for each in await tokens.listed()}
    assert states == {good.id: "good", old.id: "expired", ended.id: "revoked"}


async def test_tokens_are_no_part_of_a_revision(tokens: Tokens, owner: OwnerDatabase) -> None:
    async with owner.begin() as connection:
        before = await connection.scalar(text("select max(revision) from threadline.revisions"))
    await made(tokens, "runs")
    async with owner.begin() as connection:
        assert await connection.scalar(text("select max(revision) from threadline.revisions")) == before
