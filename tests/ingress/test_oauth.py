"""Installing through OAuth into the directory, and what happens when the app is removed again."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape

import pytest
from aiohttp import ClientSession

from bench.beds.inbound import stored
from bench.beds.ingress import OwnIngress
from services.directory.holding import Known
from services.directory.installations import Installations
from services.directory.lookup import Directory
from services.directory.owner import owner_database
from services.directory.service import ServiceDatabase, service_database
from services.kit.groups import DatabaseSettings, KafkaSettings, SecretSettings
from services.kit.secrets.sealing import Sealer
from services.kit.secrets.source import Secrets
from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import (
    AddChannel,
    AddUser,
    AddWorkspace,
    ChangeApp,
    FailCalls,
    RevokeToken,
    UninstallApp,
)
from tests.databases import Databases, connected
from tests.directory.conftest import Opened, open_directory
from tests.directory.samples import applied, tenant
from tests.ingress.conftest import SEALING_KEY, Runs
from tests.ingress.test_http import HTTP
from tests.slack_sim.first import First
from tests.slack_sim.peers import settled

__all__ = ["open_directory"]


@dataclass(frozen=True)
class House:
    """A workspace that the app is not in yet, and the ingress that it is installed by."""

    team: str
    owner: str
    running: OwnIngress

    @property
    def url(self) -> str:
        return self.running.http_address()


@asynccontextmanager
async def house(
    sim: SlackSim, first: First, ingress: Runs, database: DatabaseSettings, name: str = "house"
) -> AsyncIterator[House]:
    team = (await sim.ask(AddWorkspace(name="Bolt House"))).id
    owner = (await sim.ask(AddUser(team_id=team, name="owner"))).id
    await sim.ask(AddChannel(team_id=team, name="home", members=[owner]))
    async with owner_database(database) as tables:
        if name:
            await applied(tables, tenant(name, team))
    port = "18765"
    public = f"http://127.0.0.1:{port}"
    given = {
        **HTTP,
        "THREADLINE_INGRESS_HTTP_PORT": port,
        "THREADLINE_INGRESS_PUBLIC_URL": public,
        "SLACK_CLIENT_ID": first.app.client_id,
        "SLACK_CLIENT_SECRET": first.app.client_secret,
        "DATABASE_URL": database.database_url.get_secret_value() if database.database_url else "",
    }
    async with ingress(**given) as running:
        await sim.ask(
            ChangeApp(
                app_id=first.app.id,
                socket_mode=False,
                request_url=f"{public}/slack/events",
                redirect_urls=[f"{public}/slack/oauth_redirect"],
            )
        )
        yield House(team, owner, running)


async def begin(browser: ClientSession, here: House) -> tuple[str, str]:
    """The cookie, and the address of Slack's own page."""
    async with browser.get(f"{here.url}/slack/install") as page:
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        (asked,) = re.findall(r'href="([^"]*/oauth/v2/authorize[^"]*)"', await page.text())
    return cookie, unescape(asked)


async def consent(browser: ClientSession, sim: SlackSim, here: House, asked: str, answer: str = "allow") -> str:
    """Where Slack sends the browser back to."""
    async with browser.get(asked) as page:
        html = await page.text()
    form = {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', html)}
    form |= {"user_id": here.owner, "answer": answer}
    async with browser.post(f"{sim.address}/oauth/v2/authorize", data=form, allow_redirects=False) as page:
        return page.headers["Location"]


async def end(browser: ClientSession, back: str, cookie: str) -> tuple[int, str]:
    async with browser.get(back, headers={"Cookie": cookie}) as page:
        return page.status, await page.text()


async def install(sim: SlackSim, here: House, answer: str = "allow") -> tuple[int, str]:
    async with ClientSession() as browser:
        cookie, asked = await begin(browser, here)
        return await end(browser, await consent(browser, sim, here, asked, answer), cookie)


async def installed(live: Directory, team: str) -> Known:
    found = await live.owner(team)
    assert isinstance(found, Known)
    return found


async def test_an_app_is_installed_and_its_token_is_kept_sealed(
    sim: SlackSim, first: First, ingress: Runs, database: DatabaseSettings, open_directory: Opened
) -> None:
    async with house(sim, first, ingress, database) as here:
        status, page = await install(sim, here)
        assert status == 200, page
        assert "It is installed" in page
        async with open_directory() as live, service_database(database) as service:
            known = await installed(live, here.team)
            (app,) = known.facts.installations
            assert (app.app, app.origin, app.closed_at) == (first.app.id, "oauth", None)
            token = await tokens(service).secret("slack_bot_token", known, here.team)
        assert token.get_secret_value() in {each.bot_token for each in (await sim.world()).installations}
        said = here.running.child.said()
        assert token.get_secret_value() not in said
        assert "code=" not in said


def tokens(service: ServiceDatabase) -> Installations:
    return Installations(service, Secrets(SecretSettings()), Sealer([SEALING_KEY]))


async def test_states_are_checked(sim: SlackSim, first: First, ingress: Runs, database: DatabaseSettings) -> None:
    async with house(sim, first, ingress, database) as here, ClientSession() as browser:
        cookie, asked = await begin(browser, here)
        back = await consent(browser, sim, here, asked)
        assert (await end(browser, back, ""))[0] == 400, "another browser"
        assert (await end(browser, back, "slack-app-oauth-state=other"))[0] == 400
        forged = re.sub("state=[^&]*", "state=forged", back)
        assert (await end(browser, forged, "slack-app-oauth-state=forged"))[0] == 401
        assert (await end(browser, f"{here.url}/slack/oauth_redirect?state=%ff&code=x", cookie))[0] in {400, 401}
        assert (await end(browser, f"{here.url}/slack/oauth_redirect", cookie))[0] == 400
        assert (await end(browser, back, cookie))[0] == 200
        assert (await end(browser, back, cookie))[0] == 401, "it is good once"
        assert "Traceback" not in here.running.child.said()


async def test_what_goes_wrong_is_told_on_the_page(
    sim: SlackSim, first: First, ingress: Runs, database: DatabaseSettings
) -> None:
    async with house(sim, first, ingress, database, name="") as here:
        status, page = await install(sim, here)
        assert status == 500
        assert f"the workspace {here.team} belongs to nobody here" in page
        _, page = await install(sim, here, "cancel")
        assert "You did not allow it" in page
        script = "%3Cscript%3E"
        async with ClientSession() as browser:
            _, page = await end(browser, f"{here.url}/slack/oauth_redirect?error={script}", "")
            assert "<script>" not in page
        await sim.ask(FailCalls(method="oauth.v2.access", kind="lost_before"))
        status, page = await install(sim, here)
        assert status == 502
        assert "Slack did not answer" in page


async def removed(sim: SlackSim, here: House, app_id: str, how: type[UninstallApp | RevokeToken]) -> None:
    assert (await install(sim, here))[0] == 200
    await sim.ask(how(app_id=app_id, team_id=here.team))
    await settled(sim)


@pytest.mark.parametrize("how", [UninstallApp, RevokeToken])
async def test_an_app_that_is_removed_is_closed(  # noqa: PLR0913, PLR0917 - fixtures, each of which is needed
    sim: SlackSim,
    first: First,
    ingress: Runs,
    database: DatabaseSettings,
    topics: KafkaSettings,
    open_directory: Opened,
    how: type[UninstallApp | RevokeToken],
) -> None:
    async with house(sim, first, ingress, database) as here:
        await removed(sim, here, first.app.id, how)
        async with open_directory() as live:
            known = await installed(live, here.team)
            (app,) = known.facts.installations
            assert app.closed_at is not None
            assert all(each.bot_token is None for each in known.sealed)
        assert "its tokens are thrown away" in here.running.child.said()
    assert any(
        "app_uninstalled" in str(each.event) or "tokens_revoked" in str(each.event) for each in await stored(topics)
    )


async def test_while_postgres_is_away_the_event_is_kept_and_comes_again(
    sim: SlackSim, first: First, ingress: Runs, databases: Databases, topics: KafkaSettings
) -> None:
    async with databases.new() as database, house(sim, first, ingress, database) as here:
        assert (await install(sim, here))[0] == 200
        await allow_connections(databases, database, allowed=False)
        await sim.ask(UninstallApp(app_id=first.app.id, team_id=here.team))
        await says(here, "is not closed yet")
        await allow_connections(databases, database, allowed=True)
        await says(here, "its tokens are thrown away")
    assert "app_uninstalled" in str([each.event for each in await stored(topics)])


async def says(here: House, words: str) -> None:
    async with asyncio.timeout(40):
        while words not in here.running.child.said():  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.1)


async def allow_connections(databases: Databases, database: DatabaseSettings, *, allowed: bool) -> None:
    assert database.database_url is not None
    name = database.database_url.get_secret_value().rpartition("/")[2]
    async with connected(databases.superuser_url) as connection:
        await connection.execute(f"alter database {name} allow_connections {'true' if allowed else 'false'}")
        if not allowed:
            await connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
