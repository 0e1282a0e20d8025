"""Sign in with Slack: a code for a token, and what both say of a person."""

import base64
import json
import re
from typing import Any

import pytest
from aiohttp import ClientSession
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import ChangeApp
from tests.slack_sim.first import First

REDIRECT = "http://127.0.0.1:1/back"


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


async def code_for(sim: SlackSim, first: First, session: ClientSession, **more: str) -> str:
    """A person says who they are."""
    asked = {"response_type": "code", "scope": "openid profile", "client_id": first.app.client_id, "state": "s"}
    asked |= {"redirect_uri": REDIRECT, "nonce": "n", **more}
    async with session.get(f"{sim.address}/openid/connect/authorize", params=asked) as page:
        assert (page.status, "You are" in await page.text()) == (200, True)
    form = asked | {"user_id": first.you, "answer": "allow"}
    url = f"{sim.address}/openid/connect/authorize"
    async with session.post(url, data=form, allow_redirects=False) as answer:
        found = re.fullmatch(rf"{REDIRECT}\?code=(.+)&state=s", answer.headers["Location"])
    assert found is not None
    return found.group(1)


async def ask(session: ClientSession, sim: SlackSim, method: str, given: dict[str, Any]) -> dict[str, Any]:
    async with session.post(f"{sim.api_url}{method}", data=given) as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def test_a_person_is_known_by_a_code(sim: SlackSim, first: First) -> None:
    await sim.ask(ChangeApp(app_id=first.app.id, redirect_urls=[REDIRECT]))
    async with ClientSession() as session:
        given: dict[str, Any] = {
            "client_id": first.app.client_id,
            "client_secret": first.app.client_secret,
            "code": await code_for(sim, first, session),
            "redirect_uri": REDIRECT,
        }
        granted = await ask(session, sim, "openid.connect.token", given)
        async with session.get(f"{sim.address}/openid/connect/keys") as answer:
            (key,) = (await answer.json())["keys"]
        again = await ask(session, sim, "openid.connect.token", given)
    head, claims, signature = str(granted["id_token"]).split(".")
    numbers = (int.from_bytes(decoded(key[each])) for each in ("e", "n"))
    public = rsa.RSAPublicNumbers(*numbers).public_key()
    public.verify(decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), SHA256())
    said = json.loads(decoded(claims))
    assert (said["aud"], said["nonce"], said["sub"]) == (first.app.client_id, "n", first.you)
    assert again["error"] == "invalid_code"
    client = AsyncWebClient(str(granted["access_token"]), base_url=sim.api_url)
    known = await client.openid_connect_userInfo()
    assert (known["https://slack.com/user_id"], known["https://slack.com/team_id"]) == (first.you, first.team)
    assert (known["name"], known.get("email")) == ("You", None)
    with pytest.raises(SlackApiError, match="invalid_auth"):
        await AsyncWebClient("xoxp-none", base_url=sim.api_url).openid_connect_userInfo()


async def test_what_an_app_asks_wrongly_is_said_on_the_page(sim: SlackSim, first: First) -> None:
    await sim.ask(ChangeApp(app_id=first.app.id, redirect_urls=[REDIRECT]))
    right = {"response_type": "code", "scope": "openid", "client_id": first.app.client_id, "redirect_uri": REDIRECT}
    wrong = [
        ("client_id", "none", "invalid_client_id"),
        ("response_type", "token", "invalid_response_type"),
        ("scope", "profile", "invalid_scope"),
        ("scope", "openid chat:write", "invalid_scope"),
        ("redirect_uri", "http://evil.example", "bad_redirect_uri"),
    ]
    async with ClientSession() as session:
        for name, value, error in wrong:
            async with session.get(f"{sim.address}/openid/connect/authorize", params=right | {name: value}) as page:
                assert (page.status, error in await page.text()) == (400, True)
