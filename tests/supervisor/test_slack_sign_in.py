"""Whom Sign in with Slack believes: an id token of Slack's, for this app and this sign-in, that is still good."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from pydantic import SecretStr

from services.kit.clock import SystemClock
from services.kit.fresh_ids import RandomIds
from services.kit.http import served
from services.kit.secrets.sealing import Sealer, new_key
from services.supervisor.adapters.slack_sign_in import NotSignedIn, Person, SlackApp, SlackSignIn

BROWSER, CLIENT = "a cookie of one browser", "123.456"
SAID = {"ok": True, "sub": "U1", "https://slack.com/user_id": "U1", "https://slack.com/team_id": "T1"}


async def signed_in(own: Mapping[str, Any]) -> Person:
    """Who signed in with a Slack whose id token says this beside the usual."""
    claims: dict[str, Any] = {}
    slack = web.Application()

    async def token(_: web.Request) -> web.Response:
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        return web.json_response({"ok": True, "access_token": "xoxp-somebodys-own", "id_token": f"e30.{body}.x"})

    async def user_info(_: web.Request) -> web.Response:
        return web.json_response(SAID)

    slack.add_routes(
        [web.post("/api/openid.connect.token", token), web.post("/api/openid.connect.userInfo", user_info)]
    )
    async with served(slack, "127.0.0.1", 0) as address:
        app = SlackApp(CLIENT, SecretStr("a secret"), f"{address}/api/", "https://agents.example")
        sign_in = SlackSignIn(app, Sealer([new_key()]), SystemClock(), RandomIds())
        asked = {name: value for name, (value,) in parse_qs(urlsplit(sign_in.begin(BROWSER)).query).items()}
        until = SystemClock().now().timestamp() + 300
        usual = {"iss": "https://slack.com", "aud": CLIENT, "nonce": asked["nonce"], "exp": until, "sub": "U1"}
        claims |= usual | {name: str(address) if value == "ITSELF" else value for name, value in own.items()}
        return await sign_in.end(BROWSER, asked["state"], "a code")


@pytest.mark.parametrize("issuer", ["https://slack.com", "ITSELF"])
async def test_slack_is_believed_and_so_is_a_server_in_its_place(issuer: str) -> None:
    assert await signed_in({"iss": issuer}) == Person("U1", "U1", ("T1",))


@pytest.mark.parametrize(
    "own",
    [
        {"iss": "https://slack.com.example"},
        {"iss": None},
        {"aud": "654.321"},
        {"nonce": "of another sign-in"},
        {"exp": 1},
        {"exp": "soon"},
    ],
    ids=str,
)
async def test_a_token_of_another_or_for_another_or_of_before_is_not_believed(own: dict[str, Any]) -> None:
    with pytest.raises(NotSignedIn, match="for another sign-in"):
        await signed_in(own)


async def test_a_token_about_somebody_else_is_not_believed() -> None:
    with pytest.raises(NotSignedIn, match="two different people"):
        await signed_in({"sub": "U2"})
