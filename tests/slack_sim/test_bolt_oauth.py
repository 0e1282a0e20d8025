"""OAuth: how Bolt's own flow brings an app into a workspace, and how it gets its tokens there."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from html import unescape
from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import ClientSession
from slack_bolt.async_app import AsyncApp, AsyncSay
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store.file import FileInstallationStore
from slack_sdk.oauth.installation_store.models import Installation
from slack_sdk.oauth.state_store.file import FileOAuthStateStore
from slack_sdk.web.async_client import AsyncWebClient

from services.kit.http import served
from services.local import ports
from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import AddChannel, AddUser, AddWorkspace, Advance, ChangeApp, Join
from services.slack_sim.control.conditions import AMessage
from tests.slack_sim.first import First
from tests.slack_sim.peers import PATIENCE_S, Json, settled

pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")
"""The SDK signs oauth.v2.access in with what aiohttp is about to drop."""

SCOPES = ["app_mentions:read", "channels:history", "chat:write"]
STATE_S = 600
ALWAYS_MIN = 1000
"""Longer than a token lives that is to be renewed."""


@dataclass(frozen=True)
class House:
    """A workspace that the app is not in yet, and where Bolt listens."""

    team: str
    owner: str
    home: str
    url: str
    store: FileInstallationStore

    async def installed(self) -> Installation:
        """What Bolt stored."""
        found = await self.store.async_find_installation(enterprise_id=None, team_id=self.team)
        assert found is not None
        return found


Opens = Callable[[], AbstractAsyncContextManager[House]]


@pytest.fixture
def house(sim: SlackSim, first: First, tmp_path: Path) -> Opens:
    """Opens it."""

    @asynccontextmanager
    async def opens() -> AsyncIterator[House]:
        port = ports.free()
        url, store = f"http://127.0.0.1:{port}", FileInstallationStore(base_dir=f"{tmp_path}/installed")
        async with served(answering(sim, first, f"{url}/slack/oauth_redirect", store).web_app(), "127.0.0.1", port):
            team = (await sim.ask(AddWorkspace(name="Bolt House"))).id
            owner = (await sim.ask(AddUser(team_id=team, name="owner"))).id
            home = (await sim.ask(AddChannel(team_id=team, name="home", members=[owner]))).id
            await sim.ask(
                ChangeApp(
                    app_id=first.app.id,
                    socket_mode=False,
                    request_url=f"{url}/slack/events",
                    redirect_urls=[f"{url}/slack/oauth_redirect"],
                )
            )
            yield House(team, owner, home, url, store)

    return opens


def answering(sim: SlackSim, first: First, redirect_uri: str, store: FileInstallationStore) -> AsyncApp:
    """An app for any workspace that lets it in."""
    settings = AsyncOAuthSettings(
        client_id=first.app.client_id,
        client_secret=first.app.client_secret,
        scopes=SCOPES,
        redirect_uri=redirect_uri,
        authorization_url=f"{sim.address}/oauth/v2/authorize",
        state_store=FileOAuthStateStore(expiration_seconds=STATE_S, base_dir=f"{store.base_dir}-states"),
        installation_store=store,
        token_rotation_expiration_minutes=ALWAYS_MIN,
    )
    app = AsyncApp(
        client=AsyncWebClient(base_url=sim.api_url),
        signing_secret=first.app.signing_secret,
        oauth_settings=settings,
        installation_store=store,
    )

    @app.event("app_mention")
    async def answer(event: Json, say: AsyncSay) -> None:
        await say(text="Thanks for having me", thread_ts=event["ts"])

    @app.event("member_joined_channel")
    @app.event("message")
    async def hear() -> None:
        """Only acknowledges."""

    return app


async def install(sim: SlackSim, house: House, answer: str = "allow") -> tuple[int, str]:
    """Goes through it as a browser does: the app's page, Slack's page, and back. Gives the last page."""
    async with ClientSession() as browser:
        async with browser.get(f"{house.url}/slack/install") as page:
            cookie = page.headers["Set-Cookie"].partition(";")[0]
            (asked,) = re.findall(r'href="([^"]*/oauth/v2/authorize[^"]*)"', await page.text())
        async with browser.get(unescape(asked)) as page:
            html = await page.text()
            assert page.status == HTTPStatus.OK, html
        form = {
            name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html)
        }
        form |= {"user_id": house.owner, "answer": answer}
        async with browser.post(f"{sim.address}/oauth/v2/authorize", data=form, allow_redirects=False) as page:
            assert page.status == HTTPStatus.FOUND
            back = page.headers["Location"]
        async with browser.get(back, headers={"Cookie": cookie}) as page:
            return page.status, await page.text()


async def answered_at(sim: SlackSim, house: House, bot_user: str) -> None:
    """The app comes in, is mentioned, and answers."""
    await sim.ask(Join(user_id=bot_user, channel_id=house.home))
    await settled(sim)
    ts = await sim.say(house.owner, house.home, f"<@{bot_user}> welcome")
    until = AMessage(channel_id=house.home, thread_ts=ts, user_id=bot_user, contains="Thanks")
    await sim.wait(until, PATIENCE_S)


async def test_an_app_comes_into_a_workspace_and_works_there(sim: SlackSim, house: Opens) -> None:
    async with house() as here:
        status, page = await install(sim, here)
        assert status == HTTPStatus.OK, page
        stored = await here.installed()
        token = str(stored.bot_token)
        test = await AsyncWebClient(token, base_url=sim.api_url).auth_test()
        assert (test["team_id"], test["user_id"], test["bot_id"]) == (here.team, stored.bot_user_id, stored.bot_id)
        assert (stored.user_id, stored.bot_scopes) == (here.owner, SCOPES)
        await answered_at(sim, here, str(stored.bot_user_id))


async def test_a_workspace_that_says_no_is_left_alone(sim: SlackSim, house: Opens) -> None:
    async with house() as here:
        _, page = await install(sim, here, "cancel")
    assert "access_denied" in page
    assert [each for each in (await sim.world()).installations if each.team_id == here.team] == []


async def test_a_code_is_good_once(sim: SlackSim, first: First, house: Opens) -> None:
    async with house() as here:
        form = {"client_id": first.app.client_id, "scope": ",".join(SCOPES), "user_id": here.owner, "answer": "allow"}
        async with (
            ClientSession() as browser,
            browser.post(f"{sim.address}/oauth/v2/authorize", data=form, allow_redirects=False) as page,
        ):
            (code,) = re.findall(r"[?&]code=([^&]+)", page.headers["Location"])
        client = AsyncWebClient(base_url=sim.api_url)
        secrets = {"client_id": first.app.client_id, "client_secret": first.app.client_secret, "code": code}
        granted = await client.oauth_v2_access(**secrets)
        with pytest.raises(SlackApiError) as refused:
            await client.oauth_v2_access(**secrets)
    assert (granted["team"]["id"], granted["scope"]) == (here.team, ",".join(SCOPES))
    assert refused.value.response["error"] == "invalid_code"


async def test_a_token_that_runs_out_is_renewed(sim: SlackSim, first: First, house: Opens) -> None:
    async with house() as here:
        await sim.ask(ChangeApp(app_id=first.app.id, token_rotation=True, events=["app_mention"]))
        status, page = await install(sim, here)
        assert status == HTTPStatus.OK, page
        before = await here.installed()
        await answered_at(sim, here, str(before.bot_user_id))
        after = await here.installed()
        for good in (before, after):
            await AsyncWebClient(good.bot_token, base_url=sim.api_url).auth_test()
        await sim.ask(Advance(seconds=43_201))
        with pytest.raises(SlackApiError) as refused:
            await AsyncWebClient(before.bot_token, base_url=sim.api_url).auth_test()
    assert str(before.bot_token).startswith("xoxe.xoxb-")
    assert refused.value.response["error"] == "token_expired"
    assert "refresh_token" in {each.arguments.get("grant_type") for each in await sim.calls("oauth.v2.access")}
