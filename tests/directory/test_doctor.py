"""`threadline doctor`: each thing that can be wrong is named, with what mends it."""

import asyncio
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import SecretStr

from services.directory.apply import How, apply
from services.directory.document import TenantFacts
from services.directory.holding import Known
from services.directory.installations import Granted, Installations
from services.directory.migrations import migrate_back
from services.directory.owner import OwnerDatabase, owner_database
from services.directory.service import service_database
from services.directory.slack_tokens import SCOPES
from services.kit.groups import DatabaseSettings, KafkaSettings, SecretSettings
from services.kit.secrets.sealing import Sealer, new_key
from services.kit.secrets.source import Secrets
from services.kit.settings import child_environment
from tests.databases import Databases
from tests.directory.acme_slack import APP, BOT, AcmeSlack, slack_at
from tests.directory.samples import ACME, GLOBEX, document
from threadline.checkup.finding import Finding
from threadline.doctor import look

Environment = dict[str, str]


@pytest.fixture
def surroundings(database: DatabaseSettings, topics: KafkaSettings, tmp_path: Path) -> Environment:
    """All that a doctor could wish for, but for Slack."""
    assert database.database_url is not None
    assert database.database_owner_url is not None
    return {
        "DATABASE_URL": database.database_url.get_secret_value(),
        "THREADLINE_DATABASE_OWNER_URL": database.database_owner_url.get_secret_value(),
        "THREADLINE_KAFKA_BROKERS": topics.kafka_brokers,
        "THREADLINE_TOPIC_PREFIX": topics.topic_prefix,
        "THREADLINE_TOPIC_PARTITIONS": str(topics.topic_partitions),
        "THREADLINE_TOPIC_REPLICATION": "1",
        "THREADLINE_STATE_FOLDER": str(tmp_path / "state"),
        "THREADLINE_HOME": str(tmp_path / "home"),
        "ACME_SLACK_BOT_TOKEN": BOT,
        "ACME_SLACK_APP_TOKEN": APP,
    }


async def run(environment: Mapping[str, str], *arguments: str) -> tuple[int, str, str]:
    """The command as people run it."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", "doctor", *arguments),
        env=child_environment(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await child.communicate()
    assert child.returncode is not None
    assert b"Traceback" not in errors, errors
    for secret in (BOT, APP, "ticket="):
        assert secret.encode() not in output + errors
    return child.returncode, output.decode(), errors.decode()


async def found(environment: Mapping[str, str], slack: AcmeSlack | None = None) -> list[Finding]:
    """What it finds, without a process for each."""
    with pytest.MonkeyPatch.context() as patch:
        async with slack_at(slack or AcmeSlack()) as url:
            for name, value in {"SLACK_API_URL": url, **environment}.items():
                patch.setenv(name, value)
            findings = await look()
    for secret in (BOT, APP, "ticket="):
        assert secret not in repr(findings)
    return findings


def only_wrong(findings: list[Finding]) -> tuple[str, str]:
    """What is wrong, and what mends it."""
    (wrong,) = [each for each in findings if each.state == "wrong"]
    assert wrong.mend
    return wrong.what, wrong.mend


def of_agents_channel(findings: list[Finding]) -> list[Finding]:
    """What is said of it."""
    return [each for each in findings if each.subject.startswith("slack ") and "agents_channel" in each.what]


async def with_acme(owner: OwnerDatabase) -> None:
    await apply(owner, document(ACME), How("a test"))


async def test_all_is_well(owner: OwnerDatabase, surroundings: Environment) -> None:
    await with_acme(owner)
    slack = AcmeSlack()
    findings = await found(surroundings, slack)
    assert [each for each in findings if each.state == "wrong"] == []
    assert sorted(slack.asked) == ["apps.connections.open", "auth.test", "conversations.list"]
    said = {each.what for each in findings}
    assert "signed in to Acme HQ (T0ACME) as mara" in said
    assert "the token has every scope that is needed" in said
    async with slack_at(slack) as url:
        code, text, _ = await run({**surroundings, "SLACK_API_URL": url})
        assert code == 0
        assert "0 wrong" in text
        code, text, _ = await run({**surroundings, "SLACK_API_URL": url, "THREADLINE_COLOUR": "blue"}, "--json")
    report = json.loads(text)
    assert report["healthy"]
    assert "there is no setting THREADLINE_COLOUR; it has no effect" in [each["what"] for each in report["findings"]]


async def test_nothing_is_there_yet(tmp_path: Path) -> None:
    code, text, _ = await run({"THREADLINE_HOME": str(tmp_path / "home")})
    assert code == 1
    for says in (
        "no cluster answers at 127.0.0.1:9092",
        "DATABASE_URL is not set",
        "`threadline local start`",
        "THREADLINE_DATABASE_OWNER_URL is not set",
        "set SLACK_BOT_TOKEN",
        "it cannot be looked into without THREADLINE_DATABASE_OWNER_URL",
    ):
        assert says in text


@pytest.mark.parametrize(
    ("given", "what", "mend"),
    [
        (
            ("ACME_SLACK_BOT_TOKEN", APP),
            "slack_bot_token is the wrong one: it is an app-level token",
            "set ACME_SLACK_BOT_TOKEN (xoxb-",
        ),
        (("ACME_SLACK_BOT_TOKEN", "xoxp-1-2-3-user"), "it is a user token", "set ACME_SLACK_BOT_TOKEN"),
        (("ACME_SLACK_BOT_TOKEN", "hunter2-hunter2"), "looks like no token", "set ACME_SLACK_BOT_TOKEN"),
        (("ACME_SLACK_BOT_TOKEN", ""), "there is no bot token", "set ACME_SLACK_BOT_TOKEN"),
        (("ACME_SLACK_BOT_TOKEN", "xoxb-0-revoked-token"), "Slack does not take the bot token (invalid_auth)", "xoxb-"),
        (
            ("ACME_SLACK_APP_TOKEN", BOT),
            "slack_app_token is the wrong one: it is a bot token",
            "set ACME_SLACK_APP_TOKEN (xapp-",
        ),
        (("ACME_SLACK_APP_TOKEN", ""), "there is no app token, and no signing secret", "set ACME_SLACK_APP_TOKEN"),
        (("ACME_SLACK_APP_TOKEN", "xapp-1-A0-other"), "Slack does not take the app token (invalid_auth)", "xapp-"),
        (
            ("ACME_SLACK_SIGNING_SECRET", BOT),
            "slack_gateway_signing_secret is the wrong one: it is a bot token",
            "Signing Secret",
        ),
    ],
)
async def test_a_wrong_token_is_named_as_what_it_is(
    owner: OwnerDatabase, surroundings: Environment, given: tuple[str, str], what: str, mend: str
) -> None:
    await with_acme(owner)
    said, advice = only_wrong(await found(surroundings | dict([given])))
    assert what in said
    assert mend in advice


async def test_scopes_are_compared_with_what_is_needed(owner: OwnerDatabase, surroundings: Environment) -> None:
    await with_acme(owner)
    slack = AcmeSlack(scopes=tuple(each for each in SCOPES if each != "chat:write"))
    findings = await found(surroundings, slack)
    assert only_wrong(findings)[0] == "the scope chat:write is missing: answer"
    assert any("without the scope reactions:read it cannot see emoji reactions" in each.what for each in findings)


async def test_a_token_of_another_workspace_is_named(owner: OwnerDatabase, surroundings: Environment) -> None:
    await with_acme(owner)
    what, _ = only_wrong(await found(surroundings, AcmeSlack(team="T0OTHER")))
    assert what == "the bot token is T0OTHER's, and belongs to T0ACME"


async def test_an_agents_channel_that_is_only_named_is_found_and_what_is_lost_is_told(
    owner: OwnerDatabase, surroundings: Environment
) -> None:
    await with_acme(owner)
    others = tuple(f"channel-{number}" for number in range(1000))  # more than Slack tells at once
    named = "agents_channel: #agent-supervisory is a name, so agents do not hear plain words there"
    for is_invited, mend in (
        (True, "write C1000 as agents_channel of T0ACME under connections into directory.yaml"),
        (False, "invite the app to it, and write C1000 as agents_channel of T0ACME under connections"),
    ):
        slack = AcmeSlack(channels=(*others, "agent-supervisory"), is_invited=is_invited)
        (told,) = of_agents_channel(await found(surroundings, slack))
        assert (told.state, told.what.partition(";")[0]) == ("note", named)
        assert (told.mend or "").startswith(mend)
    (told,) = of_agents_channel(await found(surroundings))
    assert told.what.startswith("the app sees no channel #agent-supervisory")
    blind = AcmeSlack(scopes=tuple(SCOPES))
    (told,) = of_agents_channel(await found(surroundings, blind))
    assert told.what.endswith("Slack does not list channels (missing_scope)")
    by_id = document(ACME.replace("name: Acme HQ", "name: Acme HQ, agents_channel: C1000"))
    await apply(owner, by_id, How("a test"))
    slack = AcmeSlack(channels=(*others, "agent-supervisory"))
    assert of_agents_channel(await found(surroundings, slack)) == []
    assert "conversations.list" not in slack.asked


@pytest.mark.parametrize(
    ("said", "advice"), [("missing_scope", "the scope connections:write"), ("link_disabled", "switch on Socket Mode")]
)
async def test_an_app_token_that_opens_no_socket(
    owner: OwnerDatabase, surroundings: Environment, said: str, advice: str
) -> None:
    await with_acme(owner)
    what, mend = only_wrong(await found(surroundings, AcmeSlack(app_error=said)))
    assert f"({said})" in what
    assert advice in mend


async def test_a_slack_that_does_not_answer_is_no_fault_of_the_token(
    owner: OwnerDatabase, surroundings: Environment
) -> None:
    await with_acme(owner)
    findings = await found({**surroundings, "SLACK_API_URL": "http://127.0.0.1:9/api/"})
    assert [each for each in findings if each.state == "wrong"] == []
    assert sum("does not answer" in each.what and "so the token was not tried" in each.what for each in findings) == 2


async def test_a_slack_that_answers_rubbish_is_told(owner: OwnerDatabase, surroundings: Environment) -> None:
    await with_acme(owner)
    findings = await found(surroundings, AcmeSlack(status=500))
    assert any("Slack" in each.what for each in findings if each.state == "wrong")


async def test_a_token_with_a_line_break_in_it_is_named(owner: OwnerDatabase, surroundings: Environment) -> None:
    await with_acme(owner)
    what, _ = only_wrong(await found({**surroundings, "ACME_SLACK_BOT_TOKEN": f"{BOT}\nmore"}))
    assert "it has a space or a line break in it" in what


@pytest.mark.parametrize("good", [True, False])
async def test_a_token_that_oauth_brought_is_opened_and_tried(
    owner: OwnerDatabase, database: DatabaseSettings, surroundings: Environment, good: bool
) -> None:
    await apply(owner, document(GLOBEX), How("a test"))
    key = new_key()
    async with service_database(database) as service:
        facts = TenantFacts.model_validate(document(GLOBEX).tenants[0].model_dump(), strict=False)
        granted = Granted("A1", "T0GLOBEX", SecretStr(BOT))
        await Installations(service, Secrets(SecretSettings()), Sealer([key])).take_in(Known(1, facts), granted)
    mine = {
        "THREADLINE_SEALING_KEYS": key if good else new_key(),
        "SLACK_SIGNING_SECRET": "8f742231b10e8888abcd99baa85a5000",
    }
    findings = await found({**surroundings, **mine}, AcmeSlack(team="T0GLOBEX"))
    if good:
        assert [each for each in findings if each.state == "wrong"] == []
        assert "signed in to Acme HQ (T0GLOBEX) as mara" in [each.what for each in findings]
    else:
        assert "the key that sealed it is not in THREADLINE_SEALING_KEYS" in only_wrong(findings)[0]


async def test_an_owner_who_does_not_own_the_tables_is_told(owner: OwnerDatabase, surroundings: Environment) -> None:
    await with_acme(owner)
    mixed_up = {**surroundings, "THREADLINE_DATABASE_OWNER_URL": surroundings["DATABASE_URL"]}
    wrong = [each.what for each in await found(mixed_up) if each.state == "wrong"]
    assert any("signs in as somebody who does not own the tables" in each for each in wrong)


async def test_a_directory_that_cannot_be_read_is_not_an_empty_one(surroundings: Environment) -> None:
    away = "postgresql://u:p@127.0.0.1:9/x"
    gone = {**surroundings, "DATABASE_URL": away, "THREADLINE_DATABASE_OWNER_URL": away}
    findings = await found(gone)
    assert not any("there is no tenant" in each.what for each in findings)
    assert any("it could not be read: Postgres does not answer" in each.what for each in findings)


async def test_what_is_not_migrated_is_told(databases: Databases, surroundings: Environment) -> None:
    async with databases.new() as settings, owner_database(settings) as owner:
        await migrate_back(owner, "base")
        assert settings.database_url is not None
        assert settings.database_owner_url is not None
        elsewhere = {
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "THREADLINE_DATABASE_OWNER_URL": settings.database_owner_url.get_secret_value(),
        }
        findings = await found({**surroundings, **elsewhere})
    mends = {each.mend for each in findings if each.state == "wrong" and each.subject == "tables"}
    assert mends == {"`threadline directory migrate`"}


async def test_signing_in_as_the_owner_is_told(owner: OwnerDatabase, surroundings: Environment) -> None:
    await with_acme(owner)
    as_owner = {**surroundings, "DATABASE_URL": surroundings["THREADLINE_DATABASE_OWNER_URL"]}
    assert "row-level security does not bind" in only_wrong(await found(as_owner))[0]


async def test_topics_that_are_missing_and_settings_that_are_wrong(
    owner: OwnerDatabase, surroundings: Environment
) -> None:
    await with_acme(owner)
    odd = {"THREADLINE_TOPIC_PREFIX": "nobody-made-these.", "THREADLINE_HTTP_PORT": "many"}
    findings = await found({**surroundings, **odd})
    wrong = {each.subject: each for each in findings if each.state == "wrong"}
    assert wrong["topics"].mend == "`threadline topics apply`"
    assert "THREADLINE_HTTP_PORT" in wrong["settings"].what


async def test_a_models_key_that_is_missing_is_told(owner: OwnerDatabase, surroundings: Environment) -> None:
    await apply(owner, document(ACME.replace("model: rehearsal", "model: 'anthropic:claude'")), How("a test"))
    assert only_wrong(await found(surroundings))[1] == "set ANTHROPIC_API_KEY"
    findings = await found({**surroundings, "ANTHROPIC_API_KEY": "sk-ant-planted-1234"})
    assert [each for each in findings if each.state == "wrong"] == []


async def test_a_password_that_is_wrong_is_told_and_not_shown(owner: OwnerDatabase, surroundings: Environment) -> None:
    await with_acme(owner)
    head, _, _ = surroundings["DATABASE_URL"].partition("@")
    password = head.rpartition(":")[2]
    wrong_password = surroundings["DATABASE_URL"].replace(password, "wrong-password-1234")
    findings = await found({**surroundings, "DATABASE_URL": wrong_password})
    assert "does not let us in" in only_wrong(findings)[0]
    assert "wrong-password-1234" not in repr(findings)
