"""Programs with tokens, before a responder that they may call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from bench.beds.responder import environment_of, own_responder
from bench.beds.router import describe
from bench.beds.service import OwnService
from services.directory.document import Agent, Connection, Document, Installation, Tenant
from services.directory.owner import owner_database
from services.directory.sign_in import Action
from services.directory.tokens import Tokens, Wanted
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.slack_sim.app import slack_sim
from services.slack_sim.client import SlackSim, slack_sim_at
from services.slack_sim.settings import SlackSimSettings
from tests.databases import Databases
from tests.responder.conftest import tenant
from tests.slack_sim.first import First

HTTP = {
    "THREADLINE_RESPONDER_HTTP": "true",
    "THREADLINE_RESPONDER_HTTP_PORT": "0",
    "THREADLINE_RESPONDER_NAME": "r1",
    "THREADLINE_RESPONDER_SESSION_S": "6",
}
ENDS = {"confirmed", "failed", "unknown"}


@dataclass
class Desk:
    """Programs with tokens, and a responder to ask."""

    sim: SlackSim
    first: First
    kafka: KafkaSettings
    environment: dict[str, str]
    tokens: dict[str, str]
    session: ClientSession
    folder: Path
    responder: OwnService

    @property
    def address(self) -> str:
        """Where programs may call it."""
        lines = [line for line in self.responder.child.said().splitlines() if "the responder takes calls at" in line]
        return lines[-1].partition("takes calls at ")[2].partition(": ")[0]

    async def ask(
        self, path: str, body: Any = None, program: str = "acme", method: str = "POST", **headers: str
    ) -> tuple[int, Any]:
        """One request. Bytes are sent as they are."""
        signed = {"Authorization": f"Bearer {self.tokens[program]}"} if program in self.tokens else {}
        sent = {"data": body} if isinstance(body, bytes) else {"json": body}
        url = f"{self.address}{path}"
        async with self.session.request(method, url, headers={**signed, **headers}, **sent) as answer:
            return answer.status, await answer.json()

    async def say(self, text: str, **more: Any) -> str:
        """A message that is accepted. Gives its effect's id."""
        status, answer = await self.ask("/v1/messages", {"channel": self.first.support, "text": text, **more})
        assert status == 202, answer
        effect: str = answer["effect_id"]
        return effect

    async def ended(self, effect: str) -> Any:
        """What is told of a message when nothing is left to be done."""
        async with asyncio.timeout(40):
            while True:
                status, view = await self.ask(f"/v1/effects/{effect}", method="GET")
                if status == 200 and view["state"] in ENDS:
                    return view
                await asyncio.sleep(0.05)

    async def said(self, thread: str | None = None) -> list[dict[str, Any]]:
        """What our app says in a channel, or under a message."""
        found = (await self.sim.transcript(self.first.support, thread)).messages
        return [each for each in found if each.get("app_id") and each["ts"] != thread]

    async def stands(self, text: str, thread: str | None = None) -> int:
        """How often it is said."""
        return sum(each["text"] == text for each in await self.said(thread))

    def at(self, responder: OwnService) -> "Desk":
        """The same programs, before another responder."""
        return replace(self, responder=responder)

    @asynccontextmanager
    async def again(self) -> AsyncIterator[None]:
        """The next responder, where the last one was."""
        async with own_responder(self.folder, self.environment) as self.responder:
            yield


@asynccontextmanager
async def opened(kafka: KafkaSettings, databases: Databases, folder: Path) -> AsyncIterator[Desk]:
    """A Slack, two tenants and a responder."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(databases.new())
        simulation = await stack.enter_async_context(slack_sim(SlackSimSettings(slack_sim_port=0, slack_sim_seed="m")))
        sim = await stack.enter_async_context(slack_sim_at(simulation.address))
        world = await sim.world()
        first = First.of(world)
        await describe(database, Document(version=1, tenants=(tenant(first), globex())))
        environment = {**environment_of(sim.api_url, world, kafka, database), **HTTP}
        tokens = await tokens_in(database)
        session = await stack.enter_async_context(ClientSession())
        responder = await stack.enter_async_context(own_responder(folder, environment))
        yield Desk(sim, first, kafka, environment, tokens, session, folder, responder)


def globex() -> Tenant:
    """Another tenant, with two apps in its workspace."""
    return Tenant(
        id="globex",
        name="Globex",
        connections=(Connection(workspace="T0GLOBEX"),),
        installations=tuple(Installation(app=app, workspace="T0GLOBEX") for app in ("A0ONE", "A0TWO")),
        agents=(Agent(id="mara", name="Mara"),),
    )


async def tokens_in(database: DatabaseSettings) -> dict[str, str]:
    """By program."""
    wanted: list[tuple[str, str, Action]] = [
        ("acme", "acme", "messages"),
        ("runner", "acme", "runs"),
        ("globex", "globex", "messages"),
    ]
    async with owner_database(database) as owner:
        makes = Tokens(owner, SystemClock())
        return {
            program: (await makes.create(Wanted(tenant_id, program, (action,)))).token.get_secret_value()
            for program, tenant_id, action in wanted
        }
