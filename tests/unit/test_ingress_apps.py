from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from services.ingress.apps import AppPlace, NoApps, SlackApp, app_places, apps_of
from services.kit.groups import SecretSettings
from services.kit.secrets.source import Secrets, SecretsUnavailable

TOKEN, OTHER_TOKEN = "xapp-1-A0LOCAL-123-abcdef", "xapp-1-A0LOCAL-456-ghijkl"


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return Secrets(SecretSettings(secrets_folder=tmp_path))


@pytest.mark.parametrize(
    ("named", "places"),
    [
        ("env", (AppPlace("env"),)),
        ("A1=env", (AppPlace("env", "A1"),)),
        (" env , files:acme ,", (AppPlace("env"), AppPlace("files:acme"))),
        ("A1=env:acme,A2=gateway", (AppPlace("env:acme", "A1"), AppPlace("gateway", "A2"))),
    ],
)
def test_apps_are_named_by_where_their_secrets_are_found(named: str, places: tuple[AppPlace, ...]) -> None:
    assert app_places(named) == places


@pytest.mark.parametrize("named", ["", " ", ",", " , ,"])
def test_naming_no_app_says_what_to_write(named: str) -> None:
    with pytest.raises(NoApps, match="names no app: `env` is SLACK_APP_TOKEN"):
        app_places(named)


@pytest.mark.parametrize("named", ["env,env", "A1=env,A2=env", "files:acme,env,files:acme"])
def test_a_place_is_named_once(named: str) -> None:
    with pytest.raises(NoApps, match="names a place twice"):
        app_places(named)


@pytest.mark.parametrize(
    "named", ["vault", "ENV", "env:", "env:Acme", "gateway:acme", "A1=", "=env", "a1=env", "A1=A2=env", "env\nfiles"]
)
def test_what_is_no_place_is_refused(named: str) -> None:
    with pytest.raises(NoApps, match="THREADLINE_INGRESS_APPS: say where the secrets are found"):
        app_places(named)


@given(st.sampled_from(["", "A1=", "env,", "env:", "A1=files:", "=", "gateway,A2="]), st.text())
def test_a_secret_that_is_given_by_mistake_is_never_quoted(before: str, rest: str) -> None:
    secret = f"xapp-1-A{rest}"
    with pytest.raises(NoApps) as caught:
        app_places(f"{before}{secret}")
    assert "xapp-1-" not in str(caught.value)


async def test_an_app_learns_its_id_from_its_token(monkeypatch: pytest.MonkeyPatch, secrets: Secrets) -> None:
    monkeypatch.setenv("SLACK_APP_TOKEN", TOKEN)
    app = SlackApp(AppPlace("env"), secrets)
    assert (app.app_id, app.label) == (None, "env")
    assert await app.learned_id() == "A0LOCAL"
    assert (app.app_id, app.label) == ("A0LOCAL", "A0LOCAL")


@pytest.mark.parametrize("token", ["xapp-odd", "xoxb-1-A0LOCAL-2", "xapp-1-a0local-2-x", " xapp-1-A0LOCAL-2-x"])
async def test_a_token_that_names_no_app_is_a_token_all_the_same(
    monkeypatch: pytest.MonkeyPatch, secrets: Secrets, token: str
) -> None:
    monkeypatch.setenv("SLACK_APP_TOKEN", token)
    app = SlackApp(AppPlace("env"), secrets)
    assert await app.has_app_token()
    assert await app.learned_id() is None


async def test_an_id_that_was_given_stands_whatever_token_or_slack_say(
    monkeypatch: pytest.MonkeyPatch, secrets: Secrets
) -> None:
    monkeypatch.setenv("SLACK_APP_TOKEN", TOKEN)
    app = SlackApp(AppPlace("env", "A1"), secrets)
    assert await app.learned_id() == "A1"
    app.is_called("A2")
    assert app.app_id == "A1"


def test_slack_tells_an_app_its_id_where_nobody_else_did(secrets: Secrets) -> None:
    app = SlackApp(AppPlace("files"), secrets)
    for said in (None, "A1", "A2", None):
        app.is_called(said)
    assert app.app_id == "A1"


async def test_a_token_that_changes_is_seen_at_once(monkeypatch: pytest.MonkeyPatch, secrets: Secrets) -> None:
    app = SlackApp(AppPlace("env"), secrets)
    for token in (TOKEN, OTHER_TOKEN):
        monkeypatch.setenv("SLACK_APP_TOKEN", token)
        assert await app.app_token() == token


async def test_a_file_that_changes_is_seen_at_once(tmp_path: Path, secrets: Secrets) -> None:
    app = SlackApp(AppPlace("files:acme"), secrets)
    for token in (TOKEN, OTHER_TOKEN):
        (tmp_path / "acme_slack_app_token").write_text(f"{token}\n")
        assert await app.app_token() == token


@pytest.mark.parametrize("place", ["env", "env:acme", "files", "files:acme"])
async def test_without_a_token_an_app_says_where_it_should_be(secrets: Secrets, place: str) -> None:
    app = SlackApp(AppPlace(place), secrets)
    assert not await app.has_app_token()
    with pytest.raises(NoApps, match=rf"there is no app token \(xapp-…\) where it is said to be \({place}\)"):
        await app.app_token()


async def test_a_token_that_is_taken_away_is_missed(monkeypatch: pytest.MonkeyPatch, secrets: Secrets) -> None:
    monkeypatch.setenv("ACME_SLACK_APP_TOKEN", TOKEN)
    app = SlackApp(AppPlace("env:acme"), secrets)
    assert await app.has_app_token()
    assert await app.learned_id() == "A0LOCAL"
    monkeypatch.delenv("ACME_SLACK_APP_TOKEN")
    assert not await app.has_app_token()
    assert await app.learned_id() == "A0LOCAL"


async def test_a_place_that_does_not_answer_may_have_a_token_and_tells_no_id(secrets: Secrets) -> None:
    app = SlackApp(AppPlace("gateway"), secrets)
    assert await app.has_app_token()
    assert await app.learned_id() is None
    with pytest.raises(SecretsUnavailable):
        await app.app_token()


async def test_each_app_has_a_signing_secret_of_its_own(monkeypatch: pytest.MonkeyPatch, secrets: Secrets) -> None:
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "one-signing-secret")
    monkeypatch.setenv("ACME_SLACK_SIGNING_SECRET", "another-signing-secret")
    one, other, none = apps_of(app_places("env,env:acme,files"), secrets, None)
    assert await one.signing_secret() == SecretStr("one-signing-secret")
    assert await other.signing_secret() == SecretStr("another-signing-secret")
    assert await none.signing_secret() is None


def test_slack_app_id_is_about_the_app_in_the_environment_alone(secrets: Secrets) -> None:
    apps = apps_of(app_places("env,env:acme,A2=files"), secrets, "A1")
    assert [app.app_id for app in apps] == ["A1", None, "A2"]
    assert apps_of(app_places("A3=env"), secrets, "A1")[0].app_id == "A3"
