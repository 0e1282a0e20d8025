"""The directory's commands as operators run them, and secrets that none of them shows."""

import asyncio
import json
import re
import signal
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

from services.directory import migrations
from services.directory.check import check
from services.directory.owner import OwnerDatabase
from services.kit.groups import DatabaseSettings
from services.kit.secrets.sealing import Sealer, new_key
from services.kit.secrets.vault import Vault
from services.kit.settings import child_environment
from tests.databases import Databases
from tests.directory.samples import ACME, GLOBEX, directory_yaml

PLANTED = {
    "SLACK_BOT_TOKEN": "xoxb-planted-bot",
    "SLACK_APP_TOKEN": "xapp-planted-app",
    "SLACK_SIGNING_SECRET": "planted-signing-secret-5678",
    "ACME_SLACK_BOT_TOKEN": "xoxb-planted-acme",
    "OPENAI_API_KEY": "sk-planted-openai-key",
    "THREADLINE_SEALING_KEYS": new_key(),
}


class Threadline:
    """`threadline` with a database, some planted secrets, and an eye on all that it says."""

    def __init__(self, database: DatabaseSettings, folder: Path) -> None:
        assert database.database_url is not None
        assert database.database_owner_url is not None
        self.addresses = {
            "DATABASE_URL": database.database_url.get_secret_value(),
            "THREADLINE_DATABASE_OWNER_URL": database.database_owner_url.get_secret_value(),
        }
        self.environment = {**self.addresses, **PLANTED, "THREADLINE_HOME": str(folder / "home")}
        self.folder = folder
        self.said: list[str] = []

    async def __call__(self, *arguments: str, code: int = 0, given: str | None = None) -> tuple[str, str]:
        """What went to standard output, and what to standard error."""
        child = await self.start(*arguments)
        output, errors = await child.communicate(given.encode() if given is not None else None)
        told = output.decode(), errors.decode()
        self.said += told
        assert child.returncode == code, told
        assert "Traceback" not in told[1], told[1]
        return told

    async def start(self, *arguments: str, **more: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "threadline", *arguments),
            env=child_environment({**self.environment, **more}),
            cwd=self.folder,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    def refuse_leaks(self, *secrets: str) -> None:
        passwords = [re.findall(r"//[^:]+:([^@]+)@", url)[0] for url in self.addresses.values()]
        for secret in (*PLANTED.values(), *passwords, *secrets):
            assert [each for each in self.said if secret in each] == []


@pytest.fixture
def threadline(database: DatabaseSettings, tmp_path: Path) -> Threadline:
    (tmp_path / "directory.yaml").write_text(directory_yaml(ACME, GLOBEX))
    return Threadline(database, tmp_path)


async def test_a_directory_from_nothing_to_its_history(threadline: Threadline) -> None:
    assert "2 tenants, nothing wrong" in (await threadline("directory", "check"))[0]
    shown, _ = await threadline("directory", "apply", "--dry-run")
    assert "+ tenants.acme.agents.mara" in shown
    assert "nothing was changed" in shown
    assert "there is no tenant yet" in (await threadline("directory", "show"))[0]
    assert "the directory is at revision 2" in (await threadline("directory", "apply"))[0]
    assert "no difference" in (await threadline("directory", "apply"))[0]
    listed, _ = await threadline("directory", "show")
    assert "mara (default)" in listed
    assert "globex" in listed
    one, _ = await threadline("directory", "show", "acme")
    assert "Customer" in one
    assert "refund" in one
    assert "(?i)\\bhelp\\b" in one, "values are no markup"
    assert "env:acme" in one
    as_json = json.loads((await threadline("directory", "show", "acme", "--json"))[0])
    assert as_json[0]["tenant"]["agents"][0]["name"] == "Mara"
    assert "there is no tenant nobody" in (await threadline("directory", "show", "nobody", code=1))[1]

    (threadline.folder / "directory.yaml").write_text(directory_yaml(ACME.replace("Mara", "Mira")))
    changed, left = await threadline("directory", "apply", "--if-revision", "2")
    assert "~ tenants.acme.agents.mara.name: 'Mara' -> 'Mira'" in changed
    assert "left as they are (--prune lets them go): globex" in left
    assert "note: tenants.acme.agents_channel: #agent-supervisory is a name" in left
    assert "no longer at 2" in (await threadline("directory", "apply", "--if-revision", "2", code=1))[1]
    assert "- tenants.globex" in (await threadline("directory", "apply", "--prune"))[0]

    history, _ = await threadline("directory", "revisions")
    assert "directory.yaml" in history
    assert "the tenant went" in history
    assert "acme is in the directory" in (await threadline("directory", "forget", "acme", "--yes", code=1))[1]
    old, _ = await threadline("directory", "export", "--revision", "2")
    checked = check(old)
    assert checked.document is not None
    assert {each.id for each in checked.document.tenants} == {"acme", "globex"}
    await threadline("directory", "export", "-o", "then.yaml", "--revision", "2")
    assert (threadline.folder / "then.yaml").read_text() == old
    assert "revision 6" in (await threadline("directory", "apply", "then.yaml"))[0]

    await threadline("directory", "apply", "--prune")
    assert "Say --yes if it is meant" in (await threadline("directory", "forget", "globex", code=1))[1]
    assert "globex is forgotten: 2 revisions" in (await threadline("directory", "forget", "globex", "--yes"))[0]
    assert "forgotten" in (await threadline("directory", "revisions", "globex"))[0]
    assert "globex" not in (await threadline("directory", "export", "--revision", "2"))[0]
    threadline.refuse_leaks()


async def test_a_file_with_mistakes_is_told_whole_and_changes_nothing(
    threadline: Threadline, owner: OwnerDatabase
) -> None:
    bad = "version: 1\ntenants:\n  - id: acme\n    nam: Acme\n"
    bad += "    agents: [{id: m, name: M, model: x, persona: xoxb-1-2-abc}]\n"
    (threadline.folder / "directory.yaml").write_text(bad)
    _, told = await threadline("directory", "apply", code=1)
    for line in (
        "directory.yaml:3: tenants.acme.name: it is missing",
        "directory.yaml:4: tenants.acme.nam: there is no such field; did you mean name?",
        "directory.yaml:5: tenants.acme.agents.m.model: there is no such model",
        "directory.yaml:5: tenants.acme.agents.m.persona: a secret stands here",
        "4 things wrong with directory.yaml",
        "nothing was changed",
    ):
        assert line in told
    assert "xoxb-1-2-abc" not in told
    async with owner.begin() as connection:
        assert await connection.scalar(text("select count(*) from threadline.revisions")) == 0
    assert "cannot be read" in (await threadline("directory", "check", "nowhere.yaml", code=1))[1]
    (threadline.folder / "directory.yaml").write_bytes(b"\xff\xfe\x00")
    assert "no text in UTF-8" in (await threadline("directory", "check", code=1))[1]


async def test_a_file_by_standard_input(threadline: Threadline) -> None:
    assert "nothing wrong" in (await threadline("directory", "check", "-", given=directory_yaml(GLOBEX)))[0]


async def test_without_a_database_a_command_says_what_to_do(threadline: Threadline) -> None:
    threadline.environment["DATABASE_URL"] = threadline.environment["THREADLINE_DATABASE_OWNER_URL"] = ""
    _, told = await threadline("directory", "show", code=1)
    assert "THREADLINE_DATABASE_OWNER_URL is not set" in told
    threadline.environment["THREADLINE_DATABASE_OWNER_URL"] = "postgresql://u:planted-password@127.0.0.1:9/x"
    _, told = await threadline("directory", "show", code=1)
    assert "Postgres does not answer" in told
    assert "planted-password" not in told
    threadline.environment["THREADLINE_DATABASE_OWNER_URL"] = "planted-password-and-no-address"
    _, told = await threadline("directory", "show", code=1)
    assert "is no address" in told
    assert "planted-password" not in told


async def test_migrating_forward_and_back(databases: Databases, tmp_path: Path) -> None:
    async with databases.new("template0") as settings:
        threadline = Threadline(settings, tmp_path)
        assert "`threadline directory migrate`" in (await threadline("directory", "show", code=1))[1]
        assert f"the tables are at {migrations.newest()}" in (await threadline("directory", "migrate"))[0]
        assert "there is no tenant yet" in (await threadline("directory", "show"))[0]

        (tmp_path / "both.yaml").write_text(directory_yaml(ACME, GLOBEX))
        await threadline("directory", "apply", "both.yaml")
        (tmp_path / "one.yaml").write_text(directory_yaml(GLOBEX))
        await threadline("directory", "apply", "one.yaml", "--prune")
        assert "the tables are at 0001" in (await threadline("directory", "migrate", "--back", "--to", "0001"))[0]
        assert f"the tables are at {migrations.newest()}" in (await threadline("directory", "migrate"))[0]
        assert "acme is forgotten: 1 revision " in (await threadline("directory", "forget", "acme", "--yes"))[0]
        assert "the tables are at 0001" in (await threadline("directory", "migrate", "--back", "--to", "0001"))[0]
        assert f"the tables are at {migrations.newest()}" in (await threadline("directory", "migrate"))[0]
        assert "globex" in (await threadline("directory", "show"))[0]

        assert "the tables are at nothing" in (await threadline("directory", "migrate", "--back", "--to", "base"))[0]
        assert "--back needs --to" in (await threadline("directory", "migrate", "--back", code=1))[1]


async def test_tokens_from_their_making_to_their_end(threadline: Threadline) -> None:
    await threadline("directory", "apply")
    token, told = await threadline(
        "token", "create", "acme", "--name", "nightly", "--for", "runs,messages", "--days", "3"
    )
    threadline.said.remove(token)  # the one time that it is shown
    assert re.fullmatch(r"tl_acme_[0-9a-f]{12}_[0-9a-f]{64}\n", token)
    token_id = token.split("_")[2]
    assert token_id in told
    listed, _ = await threadline("token", "list")
    assert token_id in listed
    assert "good" in listed
    renewed, told = await threadline("token", "rotate", "acme", token_id, "--overlap-hours", "1")
    threadline.said.remove(renewed)
    assert "stays good until" in told
    await threadline("token", "revoke", "acme", token_id)
    assert "revoked" in (await threadline("token", "list", "acme"))[0]
    assert (
        "a token may be for runs"
        in (await threadline("token", "create", "acme", "--name", "x", "--for", "all", code=1))[1]
    )
    assert "acme has no token nothing" in (await threadline("token", "revoke", "acme", "nothing", code=1))[1]
    threadline.refuse_leaks(token.strip(), renewed.strip(), token.strip().rpartition("_")[2])


async def test_the_gateway_of_secrets_and_putting_one_in(threadline: Threadline) -> None:
    await threadline("secrets", "gateway", code=1)
    threadline.environment |= {
        "THREADLINE_SECRETS_GATEWAY_TOKEN": "planted-reader-token",
        "THREADLINE_SECRETS_GATEWAY_WRITER_TOKEN": "planted-writer-token",
        "THREADLINE_SECRETS_GATEWAY_FILE": str(threadline.folder / "vault"),
    }
    child = await threadline.start("secrets", "gateway")
    try:
        assert child.stderr is not None
        line = (await child.stderr.readline()).decode()
        found = re.search(r"listens at (http://\S+);", line)
        assert found, line
        threadline.environment["THREADLINE_SECRETS_GATEWAY_URL"] = found[1]
        assert (
            "slack_bot_token is stored"
            in (await threadline("secrets", "put", "slack_bot_token", given="xoxb-in-the-vault\n"))[0]
        )
        assert "no such secret" in (await threadline("secrets", "put", "SLACK_BOT_TOKEN", code=1, given="x"))[1]
        threadline.environment["THREADLINE_SECRETS_GATEWAY_WRITER_TOKEN"] = "planted-reader-token"
        assert (
            "did not take it (HTTP 404)"
            in (await threadline("secrets", "put", "slack_app_token", code=1, given="x"))[1]
        )
    finally:
        child.send_signal(signal.SIGINT)
        output, errors = await child.communicate()
    threadline.said += [output.decode(), errors.decode(), line]
    assert "Traceback" not in errors.decode()
    assert "xoxb-in-the-vault" not in (threadline.folder / "vault").read_text()
    threadline.refuse_leaks("planted-reader-token", "planted-writer-token", "xoxb-in-the-vault")


async def test_each_tenants_tools_have_a_key(threadline: Threadline) -> None:
    assert "THREADLINE_TOOLS_KEY is not set" in (await threadline("secrets", "tools-key", "acme", code=1))[1]
    threadline.environment["THREADLINE_TOOLS_KEY"] = "a key of the operator"
    acme, _ = await threadline("secrets", "tools-key", "acme")
    globex, _ = await threadline("secrets", "tools-key", "globex")
    assert len(acme.strip()) == 64
    assert acme != globex


async def test_resealing_and_new_keys(threadline: Threadline) -> None:
    key, _ = await threadline("secrets", "new-key")
    threadline.environment["THREADLINE_SEALING_KEYS"] = f"{key.strip()},{PLANTED['THREADLINE_SEALING_KEYS']}"
    assert "0 sealed with the first key" in (await threadline("secrets", "reseal"))[0]
    file = threadline.folder / "vault"
    old, new = PLANTED["THREADLINE_SEALING_KEYS"], key.strip()
    Vault(file, Sealer([old])).put("slack_bot_token", SecretStr("xoxb-kept"))
    threadline.environment["THREADLINE_SECRETS_GATEWAY_FILE"] = str(file)
    assert "1 sealed with the first key" in (await threadline("secrets", "reseal"))[0]
    assert Vault(file, Sealer([new])).get("slack_bot_token") == SecretStr("xoxb-kept")
    threadline.environment["THREADLINE_SEALING_KEYS"] = "planted-and-no-key"
    _, told = await threadline("secrets", "reseal", code=1)
    assert "not every one of its keys is a key" in told
    assert "planted-and-no-key" not in told


async def test_the_schema_for_editors(threadline: Threadline) -> None:
    assert json.loads((await threadline("directory", "schema"))[0])["title"] == "Threadline's directory.yaml"


def test_what_the_tests_plant_is_what_they_look_for() -> None:
    threadline = Threadline.__new__(Threadline)
    threadline.addresses = {}
    threadline.said = [f"a line with {PLANTED['SLACK_SIGNING_SECRET']} in it"]
    with pytest.raises(AssertionError):
        threadline.refuse_leaks()
