"""An app's tokens: found where the file says, or sealed in the database, and never for another workspace."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from services.directory.holding import Known
from services.directory.installations import Granted, Installations, NotInstalled, NoToken
from services.directory.lookup import Directory, Surroundings
from services.directory.owner import OwnerDatabase
from services.directory.resealing import reseal
from services.directory.service import ServiceDatabase
from services.kit.clock import SystemClock
from services.kit.groups import SecretSettings
from services.kit.secrets.sealing import CannotOpen, Sealer, new_key
from services.kit.secrets.source import Secrets
from services.kit.telemetry.emitter import NoEmitter
from tests.directory.samples import ACME, GLOBEX, applied
from tests.directory.test_lookup import heard, until

TOKEN = "xoxb-111-222-acme"
KEY = new_key()


def installations(service: ServiceDatabase, *keys: str, folder: Path | None = None) -> Installations:
    settings = SecretSettings(secrets_folder=folder or Path("/nowhere"))
    return Installations(service, Secrets(settings), Sealer(keys or (KEY,)))


async def known(live: Directory, workspace: str) -> Known:
    found = await live.owner(workspace)
    assert isinstance(found, Known)
    return found


def granted(workspace: str = "T0GLOBEX", token: str = TOKEN) -> Granted:
    return Granted("A1", workspace, SecretStr(token), "U0BOT", ("chat:write",), SecretStr("xoxe-1-refresh"))


async def taken_in(service: ServiceDatabase, live: Directory) -> Known:
    before = await known(live, "T0GLOBEX")
    await installations(service).take_in(before, granted())
    await until(lambda: bool(live.known("T0GLOBEX") not in {before, None}), within=2)
    return await known(live, "T0GLOBEX")


async def test_a_token_is_found_where_the_file_says(
    owner: OwnerDatabase, service: ServiceDatabase, live: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    await applied(owner, ACME)
    tenant = await known(live, "T0ACME")
    with pytest.raises(NoToken, match=r"not where the directory says \(env:acme\)"):
        await installations(service).secret("slack_bot_token", tenant, "T0ACME")
    monkeypatch.setenv("ACME_SLACK_BOT_TOKEN", TOKEN)
    found = await installations(service).secret("slack_bot_token", tenant, "T0ACME")
    assert found.get_secret_value() == TOKEN
    with pytest.raises(NoToken, match="no app is installed in T0LAB"):
        await installations(service).secret("slack_bot_token", tenant, "T0LAB")


async def test_what_oauth_brings_is_sealed_and_opens_again(
    owner: OwnerDatabase, service: ServiceDatabase, live: Directory
) -> None:
    await applied(owner, GLOBEX)
    await heard(live)
    tenant = await taken_in(service, live)
    assert (await installations(service).secret("slack_bot_token", tenant, "T0GLOBEX")).get_secret_value() == TOKEN
    (installed,) = tenant.facts.installations
    assert (installed.origin, installed.bot_user, installed.scopes) == ("oauth", "U0BOT", ("chat:write",))
    async with owner.begin() as connection:
        kept = await connection.scalar(text("select to_jsonb(i)::text from threadline.installations i"))
        document = await connection.scalar(
            text("select document::text from threadline.revisions order by revision desc limit 1")
        )
    assert TOKEN not in kept
    assert TOKEN.encode().hex() not in kept
    assert "sealed" not in document


async def test_an_installation_is_a_revision_and_its_token_alone_is_none(
    owner: OwnerDatabase, service: ServiceDatabase, live: Directory
) -> None:
    await applied(owner, GLOBEX)
    await heard(live)
    first = await taken_in(service, live)
    await installations(service).take_in(first, granted(token="xoxb-another"))

    async def renewed() -> bool:
        secret = await installations(service).secret("slack_bot_token", await known(live, "T0GLOBEX"), "T0GLOBEX")
        return secret.get_secret_value() == "xoxb-another"

    await until(renewed, within=2)
    assert (await known(live, "T0GLOBEX")).revision == first.revision == 2


async def test_a_closed_installation_has_no_token_any_more(
    owner: OwnerDatabase, service: ServiceDatabase, live: Directory
) -> None:
    await applied(owner, GLOBEX)
    await heard(live)
    tenant = await taken_in(service, live)
    at = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
    assert await installations(service).close(tenant, "A1", "T0GLOBEX", at)
    assert not await installations(service).close(tenant, "A1", "T0GLOBEX", at)
    await until(lambda: bool(live.known("T0GLOBEX") != tenant), within=2)
    with pytest.raises(NoToken, match="removed from T0GLOBEX at 2026-03-02 09:15"):
        await installations(service).secret("slack_bot_token", await known(live, "T0GLOBEX"), "T0GLOBEX")
    async with owner.begin() as connection:
        assert await connection.scalar(text("select sealed_bot_token from threadline.installations")) is None
    await installations(service).take_in(tenant, granted())  # installed again


async def test_oauth_cannot_take_in_a_workspace_of_nobodys_nor_what_the_file_describes(
    owner: OwnerDatabase, service: ServiceDatabase, live: Directory
) -> None:
    await applied(owner, ACME, GLOBEX)
    with pytest.raises(NotInstalled, match="T0ACME is no connection of globex"):
        await installations(service).take_in(await known(live, "T0GLOBEX"), granted("T0ACME"))
    described = Granted("A0LINE", "T0ACME", SecretStr(TOKEN))
    with pytest.raises(NotInstalled, match=r"directory\.yaml says where"):
        await installations(service).take_in(await known(live, "T0ACME"), described)


async def test_what_memory_still_believes_is_asked_of_the_database(
    owner: OwnerDatabase, service: ServiceDatabase, live: Directory
) -> None:
    await applied(owner, GLOBEX)
    before = await known(live, "T0GLOBEX")
    await applied(owner, GLOBEX.replace("T0GLOBEX", "T0MOVED"))
    with pytest.raises(NotInstalled, match="is no connection of globex"):
        await installations(service).take_in(before, granted())


async def test_what_could_not_be_read_again_is_not_taken_in(
    owner: OwnerDatabase, service: ServiceDatabase, live: Directory
) -> None:
    await applied(owner, GLOBEX)
    odd = Granted("A1", "T0GLOBEX", SecretStr(TOKEN), bot_user="B1")
    with pytest.raises(NotInstalled, match=r"\(bot_user\), and nothing was kept"):
        await installations(service).take_in(await known(live, "T0GLOBEX"), odd)


async def test_oauth_and_applies_at_once_wait_for_each_other(
    owner: OwnerDatabase, service: ServiceDatabase, live: Directory
) -> None:
    await applied(owner, ACME, GLOBEX)
    globex = await known(live, "T0GLOBEX")

    async def install() -> None:
        for number in range(10):
            await installations(service).take_in(globex, granted(token=f"xoxb-{number}"))
            await installations(service).close(globex, "A1", "T0GLOBEX", datetime(2026, 3, 2, tzinfo=UTC))

    async def change() -> None:
        for number in range(10):
            await applied(owner, ACME.replace("Customer Support", f"role {number}"), GLOBEX)

    await asyncio.gather(install(), change())


async def test_what_oauth_installed_may_be_described_once_it_is_closed(
    owner: OwnerDatabase, service: ServiceDatabase, live: Directory
) -> None:
    await applied(owner, GLOBEX)
    await heard(live)
    tenant = await taken_in(service, live)
    await installations(service).close(tenant, "A1", "T0GLOBEX", datetime(2026, 3, 2, tzinfo=UTC))
    done = await applied(owner, GLOBEX + "    installations: [{app: A1, workspace: T0GLOBEX}]\n")
    assert [str(each) for each in done.differences] == ["+ tenants.globex.installations.A1/T0GLOBEX"]


async def test_keys_rotate(owner: OwnerDatabase, service: ServiceDatabase, live: Directory) -> None:
    await applied(owner, GLOBEX)
    await heard(live)
    tenant = await taken_in(service, live)
    fresh = new_key()
    with pytest.raises(CannotOpen, match="the key that sealed it"):
        await installations(service, fresh).secret("slack_bot_token", tenant, "T0GLOBEX")
    assert await reseal(owner, Sealer((fresh, KEY))) == 2
    await until(lambda: bool(live.known("T0GLOBEX") != tenant), within=2)
    renewed = await known(live, "T0GLOBEX")
    assert (
        await installations(service, fresh).secret("slack_bot_token", renewed, "T0GLOBEX")
    ).get_secret_value() == TOKEN
    with pytest.raises(CannotOpen):
        await installations(service, KEY).secret("slack_bot_token", renewed, "T0GLOBEX")


async def test_a_sealed_token_that_is_moved_to_another_tenant_does_not_open(
    owner: OwnerDatabase, service: ServiceDatabase, live: Directory
) -> None:
    await applied(owner, ACME, GLOBEX)
    await heard(live)
    await taken_in(service, live)
    move = text("update threadline.installations set tenant_id = 'acme', workspace = 'T0LAB' where app = 'A1'")
    async with owner.begin() as connection:
        await connection.execute(move)

    async def moved() -> bool:
        return any(each.app == "A1" for each in (await known(live, "T0ACME")).facts.installations)

    await until(moved, within=2)
    with pytest.raises(CannotOpen, match="it was moved"):
        await installations(service).secret("slack_bot_token", await known(live, "T0ACME"), "T0LAB")


async def test_tokens_survive_in_the_snapshot_sealed(
    owner: OwnerDatabase, service: ServiceDatabase, live: Directory, tmp_path: Path
) -> None:
    await applied(owner, GLOBEX)
    await heard(live)
    tenant = await taken_in(service, live)
    await live.finish()
    assert TOKEN not in (tmp_path / "one.json").read_text()
    restored = Directory(service, live._settings, _surroundings(tmp_path / "one.json"))
    restored.recall()
    found = restored.known("T0GLOBEX")
    assert found == tenant
    assert isinstance(found, Known)
    assert (await installations(service).secret("slack_bot_token", found, "T0GLOBEX")).get_secret_value() == TOKEN


def _surroundings(snapshot: Path) -> Surroundings:
    return Surroundings(SystemClock(), NoEmitter(), snapshot)
