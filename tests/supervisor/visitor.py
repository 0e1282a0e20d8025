"""A supervisor with its page, and people who visit it. Nothing speaks in Slack here."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, CookieJar

from bench.beds.responder import environment_of
from bench.beds.router import describe
from bench.beds.supervisor import OwnSupervisor, Reporter, own_supervisor, token_for
from services.directory.document import Connection, Document, Installation, Person, Tenant
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.local import ports
from services.slack_sim.app import slack_sim
from services.slack_sim.client import SlackSim, slack_sim_at
from services.slack_sim.control import asks
from services.slack_sim.settings import SlackSimSettings
from services.supervisor.adapters.codes import Codes
from tests.databases import Databases
from tests.responder.conftest import tenant
from tests.responder.desk import globex
from tests.slack_sim.first import First

TENANTS = ("acme", "globex", "initech")


@dataclass
class Looking:
    """Everything that the page is about."""

    sim: SlackSim
    first: First
    kafka: KafkaSettings
    database: DatabaseSettings
    supervisor: OwnSupervisor
    environment: Mapping[str, str]
    tokens: dict[str, str]
    session: ClientSession
    folder: Path
    address: str
    _tasks: Any = field(default_factory=lambda: count(1))

    @property
    def state(self) -> Path:
        """The supervisor's state folder."""
        return self.folder / "supervisor" / "state"

    def agent(self, name: str, program: str = "acme", agent_id: str = "deployer") -> Reporter:
        """A program with a task of its own."""
        task_id = f"{name}-{next(self._tasks)}"
        return Reporter(self.supervisor.agents, self.tokens[program], self.session, task_id, agent_id)

    def way_in(self, tenant_id: str) -> str:
        """What `threadline supervisor open` prints."""
        return Codes(self.state, SystemClock()).way_in(tenant_id)

    @asynccontextmanager
    async def visitor(self, tenant_id: str | None = None) -> AsyncIterator["Visitor"]:
        """A browser; signed in on the machine where a tenant is named."""
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
            visitor = Visitor(self.address, session)
            if tenant_id is not None:
                status, _ = await visitor.get(self.way_in(tenant_id).removeprefix(self.address))
                assert status == 200
            yield visitor

    @asynccontextmanager
    async def person(self, user: str) -> AsyncIterator["Visitor"]:
        """A browser of somebody who signs in with Slack."""
        async with self.visitor() as visitor:
            assert (await visitor.sign_in_with_slack(user))[0] == 200
            yield visitor

    @asynccontextmanager
    async def again(self) -> AsyncIterator[None]:
        """The next supervisor, where the last one was."""
        async with own_supervisor(self.folder / "supervisor", self.environment) as self.supervisor:
            yield


@dataclass
class Visitor:
    """A browser without scripts."""

    address: str
    session: ClientSession
    headers: dict[str, str] = field(default_factory=dict)
    """Of the last answer."""

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(f"{self.address}{path}") as answer:
            self.headers = dict(answer.headers)
            return answer.status, await answer.text()

    async def until(self, words: str, path: str = "/") -> str:
        """What a page says once it says this."""
        async with asyncio.timeout(20):
            while words not in (text := (await self.get(path))[1]):  # noqa: ASYNC110 - what is waited for is somebody else's
                await asyncio.sleep(0.05)
        return text

    async def post(self, path: str, form: Mapping[str, str], **headers: str) -> tuple[int, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.post(f"{self.address}{path}", data=form, headers=named) as answer:
            return answer.status, await answer.text()

    async def form(self, path: str, approval: str) -> tuple[str, dict[str, str]]:
        """Where the first form of an approval goes, and what it carries."""
        _, text = await self.get(path)
        card = text.partition(approval)[2].partition("<form")[2].partition("</form>")[0]
        where = re.search(r'action="([^"]+)"', card)
        assert where is not None, text
        fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', card))
        return where.group(1), fields

    async def sign_in_with_slack(self, user: str) -> tuple[int, str]:
        """Begins on our page, says who they are on Slack's, and comes back."""
        async with self.session.get(f"{self.address}/in/slack/begin", allow_redirects=False) as begun:
            asked = begun.headers["Location"]
        async with self.session.get(asked) as page:
            text = await page.text()
            assert page.status == 200, text
        fields = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text))
        fields = {name: value.replace("&amp;", "&") for name, value in fields.items()}
        where = asked.partition("?")[0]
        form = fields | {"user_id": user, "answer": "allow"}
        async with self.session.post(where, data=form, allow_redirects=False) as allowed:
            back = allowed.headers["Location"]
        return await self.get(back.removeprefix(self.address))


@asynccontextmanager
async def looking(kafka: KafkaSettings, databases: Databases, folder: Path) -> AsyncIterator[Looking]:
    """A Slack, three tenants, and a supervisor whose page is known to the Slack's app."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(databases.new())
        simulation = await stack.enter_async_context(slack_sim(SlackSimSettings(slack_sim_port=0, slack_sim_seed="p")))
        sim = await stack.enter_async_context(slack_sim_at(simulation.address))
        world = await sim.world()
        first = First.of(world)
        acme = tenant(first).model_copy(update={"people": (Person(user=first.you, may=("approve",)),)})
        initech = Tenant(
            id="initech",
            name="Initech",
            connections=(Connection(workspace="T0INITECH"),),
            installations=(Installation(app="A0INI", workspace="T0INITECH"),),
            agents=acme.agents,
            anyone_may_approve=True,
        )
        one_app = globex().model_copy(update={"installations": globex().installations[:1]})
        await describe(database, Document(version=1, tenants=(acme, one_app, initech)))
        tokens = {each: await token_for(database, each) for each in TENANTS}
        port = ports.free()
        address = f"http://127.0.0.1:{port}"
        await sim.ask(asks.ChangeApp(app_id=first.app.id, redirect_urls=[f"{address}/in/slack"]))
        environment = environment_of(sim.api_url, world, kafka, database) | {
            "THREADLINE_SUPERVISOR_HTTP_PORT": str(port),
            "THREADLINE_SUPERVISOR_PUBLIC_URL": address,
            "SLACK_CLIENT_ID": first.app.client_id,
            "SLACK_CLIENT_SECRET": first.app.client_secret,
        }
        session = await stack.enter_async_context(ClientSession())
        supervisor = await stack.enter_async_context(own_supervisor(folder / "supervisor", environment))
        yield Looking(sim, first, kafka, database, supervisor, environment, tokens, session, folder, address)
