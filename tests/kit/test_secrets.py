"""Secrets by name: three of them, the same three on both sides, and the same answer to everything else."""

import itertools
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import get_args

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter, ValidationError
from yarl import URL

from services.kit import logs
from services.kit.clock import SystemClock
from services.kit.groups import LogSettings, SecretSettings
from services.kit.http import served
from services.kit.redaction import HIDDEN, Redactor
from services.kit.secrets.gateway import LARGEST, SAME_TIME_S, Keys, gateway
from services.kit.secrets.names import NAMES, SecretName
from services.kit.secrets.place import SecretPlace, holder_in
from services.kit.secrets.sealing import CannotOpen, Sealer, WrongKeys, new_key
from services.kit.secrets.source import Secrets, SecretsUnavailable
from services.kit.secrets.vault import Vault, VaultUnreadable
from tests.hands import Hands

PINNED = ("slack_app_token", "slack_bot_token", "slack_gateway_signing_secret")
READER, WRITER = "reader-token-of-the-gateway", "writer-token-of-the-gateway"
VALUE = "xoxb-planted-in-the-gateway"

VARIANTS = sorted(
    {
        *(name.upper() for name in PINNED),
        *(name.title() for name in PINNED),
        *(name.replace("_", "-") for name in PINNED),
        *(name.replace("_", "") for name in PINNED),
        *(f"{name}{end}" for name in PINNED for end in ("s", "_2", "/", "%00", "%20", ".", ";x", "?x=1")),
        *(f"{start}{name}" for name in PINNED for start in ("_", "%20", "./", "../secrets/", "/")),
        *(name.replace("_", "%5F") for name in PINNED),
        *("slack_client_secret", "slack_signing_secret", "openai_api_key", "anthropic_api_key", "database_url"),
    }
)


@asynccontextmanager
async def running(vault: Vault) -> AsyncIterator[str]:
    keys = Keys(SecretStr(READER), SecretStr(WRITER))
    async with served(gateway(vault, keys, SystemClock()), "127.0.0.1", 0) as address:
        yield str(address)


async def answer(
    method: str, url: str, token: str | None, body: str | None = None
) -> tuple[int, bytes, dict[str, str]]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    # The path as it stands: the client must not tidy it up.
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, URL(url, encoded=True), data=body, allow_redirects=False) as response,
    ):
        kept = {name: value for name, value in response.headers.items() if name != "Date"}
        return response.status, await response.read(), kept


async def test_the_three_names_are_pinned_on_both_sides() -> None:
    """Fails when either side drifts: ours by its list, the gateway by what it takes and gives."""
    assert tuple(sorted(NAMES)) == PINNED == tuple(sorted(get_args(SecretName)))
    assert isinstance(NAMES, frozenset)
    async with running(Vault()) as url:
        for name in PINNED:
            assert (await answer("PUT", f"{url}/v1/secrets/{name}", WRITER, VALUE))[0] == 204
            assert (await answer("GET", f"{url}/v1/secrets/{name}", READER))[0] == 200
        for name in VARIANTS:
            assert (await answer("PUT", f"{url}/v1/secrets/{name}", WRITER, VALUE))[0] == 404, name
            assert (await answer("GET", f"{url}/v1/secrets/{name}", READER))[0] == 404, name
        settings = SecretSettings(secrets_gateway_url=url, secrets_gateway_token=SecretStr(READER))
        for name in PINNED:
            found = await Secrets(settings).read(name, "gateway")  # type: ignore[arg-type]
            assert found is not None
            assert found.get_secret_value() == VALUE
        for name in VARIANTS:
            with pytest.raises(ValueError, match="no secret of that name"):
                await Secrets(settings).read(name, "gateway")  # type: ignore[arg-type]


async def test_unknown_forbidden_and_absent_are_answered_alike() -> None:
    vault = Vault()
    vault.put("slack_bot_token", SecretStr(VALUE))
    async with running(vault) as url:
        unknown = await answer("GET", f"{url}/v1/secrets/slack_user_token", READER)
        forbidden = [
            await answer("GET", f"{url}/v1/secrets/slack_bot_token", token)
            for token in (None, "wrong", READER[:-1], "")
        ]
        absent = await answer("GET", f"{url}/v1/secrets/slack_app_token", READER)
        others = [
            await answer("PUT", f"{url}/v1/secrets/slack_bot_token", READER, "x"),
            await answer("DELETE", f"{url}/v1/secrets/slack_bot_token", READER),
            await answer("POST", f"{url}/v1/secrets/slack_bot_token", WRITER, "x"),
            await answer("OPTIONS", f"{url}/v1/secrets/slack_bot_token", WRITER),
            await answer("GET", f"{url}/v1/secrets/", READER),
            await answer("GET", f"{url}/v1/secrets", READER),
            await answer("GET", f"{url}/", READER),
        ]
    assert unknown[0] == 404
    assert [each for each in (*forbidden, absent, *others) if each != unknown] == []
    assert vault.get("slack_bot_token") == SecretStr(VALUE)


async def test_every_refusal_takes_its_time_whatever_the_reason() -> None:
    """The same pause on every way to 404, by a clock that a test moves: real times are compared in `./dev bench`."""
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    keys = Keys(SecretStr(READER), SecretStr(WRITER))
    async with served(gateway(Vault(), keys, Hands(), pause), "127.0.0.1", 0) as address:
        for name, token in itertools.product(
            ("slack_bot_token", "slack_user_token", "SLACK_BOT_TOKEN"), (READER, "no")
        ):
            assert (await answer("GET", f"{address}/v1/secrets/{name}", token))[0] == 404
    assert paused == [pytest.approx(SAME_TIME_S)] * 6


@pytest.mark.parametrize(
    ("body", "says"), [("", "empty"), ("   \n", "empty"), ("x" * (LARGEST + 1), "at most"), (b"\xff\xfe", "not text")]
)
async def test_what_is_no_secret_is_not_stored(body: str, says: str) -> None:
    vault = Vault()
    async with running(vault) as url:
        status, text, _ = await answer("PUT", f"{url}/v1/secrets/slack_bot_token", WRITER, body)
    assert status == 400
    assert says in text.decode()
    assert vault.get("slack_bot_token") is None


async def test_a_secret_can_be_replaced_and_removed() -> None:
    async with running(Vault()) as url:
        address = f"{url}/v1/secrets/slack_bot_token"
        for value in ("xoxb-one", "xoxb-two"):
            await answer("PUT", address, WRITER, value)
            assert value.encode() in (await answer("GET", address, READER))[1]
        assert (await answer("DELETE", address, WRITER))[0] == 204
        assert (await answer("GET", address, READER))[0] == 404
        assert (await answer("DELETE", address, WRITER))[0] == 404


async def test_the_gateway_never_repeats_a_secret_but_to_who_may_read(caplog: pytest.LogCaptureFixture) -> None:
    vault = Vault()
    said: list[bytes] = []
    async with running(vault) as url:
        address = f"{url}/v1/secrets/slack_bot_token"
        said.append(repr(await answer("PUT", address, WRITER, VALUE)).encode())
        for method, token in itertools.product(
            ("GET", "PUT", "DELETE", "POST", "HEAD"), (None, "wrong", READER, WRITER)
        ):
            if (method, token) in {("GET", READER), ("GET", WRITER), ("DELETE", WRITER)}:
                continue
            said.append(repr(await answer(method, address, token, "xoxb-other" if method == "PUT" else None)).encode())
    said += [repr(vault).encode(), repr(Keys(SecretStr(READER), SecretStr(WRITER))).encode(), caplog.text.encode()]
    for secret in (VALUE, READER, WRITER, "xoxb-other"):
        assert [each for each in said if secret.encode() in each] == []


def test_the_vault_keeps_its_secrets_sealed(tmp_path: Path) -> None:
    file, key = tmp_path / "vault", new_key()
    vault = Vault(file, Sealer([key]))
    vault.put("slack_bot_token", SecretStr(VALUE))
    vault.put("slack_app_token", SecretStr("xapp-1"))
    vault.drop("slack_app_token")
    assert VALUE not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    again = Vault(file, Sealer([new_key(), key]))
    assert (again.get("slack_bot_token"), again.get("slack_app_token")) == (SecretStr(VALUE), None)
    with pytest.raises(CannotOpen):
        Vault(file, Sealer([new_key()]))
    with pytest.raises(VaultUnreadable):
        Vault(file)
    file.write_text("rubbish")
    with pytest.raises(VaultUnreadable, match="left as it is"):
        Vault(file, Sealer([key]))
    assert file.read_text() == "rubbish"


async def test_the_environment_and_files_as_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = Secrets(SecretSettings(secrets_folder=tmp_path))
    places = ("env", "env:acme", "files", "files:acme", "env:other-one")
    for place in places:
        assert await secrets.read("slack_bot_token", place) is None
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-own")
    monkeypatch.setenv("ACME_SLACK_BOT_TOKEN", "xoxb-acme")
    monkeypatch.setenv("OTHER_ONE_SLACK_BOT_TOKEN", "xoxb-other")
    (tmp_path / "slack_bot_token").write_text("xoxb-file\n")
    (tmp_path / "acme_slack_bot_token").write_text("  xoxb-file-acme  \n")
    found = [await secrets.read("slack_bot_token", place) for place in places]
    assert [each.get_secret_value() if each else None for each in found] == [
        "xoxb-own",
        "xoxb-acme",
        "xoxb-file",
        "xoxb-file-acme",
        "xoxb-other",
    ]
    (tmp_path / "slack_app_token").mkdir()
    with pytest.raises(SecretsUnavailable, match="cannot be read"):
        await secrets.read("slack_app_token", "files")


@pytest.mark.parametrize("name", ["SLACK_SIGNING_SECRET", "SLACK_GATEWAY_SIGNING_SECRET"])
async def test_the_signing_secret_has_two_names_in_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "8f742231b10e8888abcd99yyyzzz85a5")
    found = await Secrets(SecretSettings()).read("slack_gateway_signing_secret", "env")
    assert found is not None
    assert found.get_secret_value() == "8f742231b10e8888abcd99yyyzzz85a5"
    monkeypatch.setenv(f"ACME_{name}", "acme's")
    found = await Secrets(SecretSettings()).read("slack_gateway_signing_secret", "env:acme")
    assert found is not None
    assert found.get_secret_value() == "acme's"


@pytest.mark.parametrize("status", [200, 302, 401, 403, 500])
async def test_a_gateway_that_does_not_answer_as_one_is_not_taken_for_an_absent_secret(status: int) -> None:
    async def odd(_: web.Request) -> web.Response:
        return web.Response(status=status, text="not json", headers={"Location": "/"})

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", odd)
    async with served(application, "127.0.0.1", 0) as address:
        settings = SecretSettings(secrets_gateway_url=str(address), secrets_gateway_token=SecretStr(READER))
        with pytest.raises(SecretsUnavailable, match="does not answer as one") as caught:
            await Secrets(settings).read("slack_bot_token", "gateway")
    assert READER not in str(caught.value)
    with pytest.raises(SecretsUnavailable):
        await Secrets(settings).read("slack_bot_token", "gateway")  # nobody listens there any more


async def test_a_gateway_that_is_not_set_is_told() -> None:
    with pytest.raises(SecretsUnavailable, match="THREADLINE_SECRETS_GATEWAY_URL"):
        await Secrets(SecretSettings()).read("slack_bot_token", "gateway")


place = TypeAdapter[str](SecretPlace)


@pytest.mark.parametrize("good", ["env", "files", "gateway", "env:acme", "files:acme-2", "env:a-b"])
def test_places(good: str) -> None:
    assert place.validate_python(good) == good
    assert holder_in(good)[0] in {"env", "files", "gateway"}


@given(
    st.one_of(
        st.text(max_size=30), st.sampled_from(["env:", "env:a_b", "gateway:x", "files:../x", "env:A", "vault", VALUE])
    )
)
def test_what_is_no_place_is_refused_without_being_repeated(text: str) -> None:
    try:
        place.validate_python(text)
    except ValidationError as error:
        (problem,) = error.errors()
        assert VALUE not in problem["msg"]
    else:
        kind, holder = holder_in(text)
        assert kind in {"env", "files", "gateway"}
        assert holder is None or "/" not in holder


@given(st.text(min_size=1), st.text(min_size=1))
def test_what_is_sealed_opens_for_its_purpose_only(secret: str, other: str) -> None:
    sealer = Sealer([new_key()])
    sealed = sealer.seal(SecretStr(secret), "this")
    assert sealer.open(sealed, "this").get_secret_value() == secret
    if other != "this":
        with pytest.raises(CannotOpen):
            sealer.open(sealed, other)


def test_a_changed_or_foreign_seal_does_not_open() -> None:
    sealer = Sealer([new_key()])
    sealed = sealer.seal(SecretStr(VALUE), "this")
    other = b"B" if sealed[20:21] == b"A" else b"A"
    for broken in (b"", b"rubbish", sealed[:-4], sealed[:20] + other + sealed[21:]):
        with pytest.raises(CannotOpen):
            sealer.open(broken, "this")
    with pytest.raises(CannotOpen):
        Sealer([new_key()]).open(sealed, "this")


@pytest.mark.parametrize(
    "keys", [None, SecretStr(""), SecretStr(" , "), SecretStr("short"), SecretStr(f"{new_key()},x")]
)
def test_keys_that_are_none_are_told_without_being_shown(keys: SecretStr | None) -> None:
    with pytest.raises(WrongKeys, match="THREADLINE_SEALING_KEYS") as caught:
        Sealer.of(SecretSettings(sealing_keys=keys))
    assert "short" not in str(caught.value)


async def test_a_secret_that_was_read_never_reaches_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    planted = "no-shape-that-anybody-knows-1234"
    monkeypatch.setenv("SLACK_SIGNING_SECRET", planted)
    root = logging.getLogger()
    before = root.handlers[:], root.level
    try:
        logs.set_up("test", LogSettings(log_format="json"))
        await Secrets(SecretSettings()).read("slack_gateway_signing_secret", "env")
        logging.getLogger("anywhere").error("it is %s", planted, extra={"field": {"deep": [planted]}})
    finally:
        root.handlers[:], level = before
        root.setLevel(level)
    said = capsys.readouterr().err
    assert HIDDEN in said
    assert planted not in said
    assert Redactor()(planted) == HIDDEN
