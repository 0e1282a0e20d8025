"""A local Slack with a tenant, and a pipeline before it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.beds.inbox import Inbox
from bench.beds.responder import Pipeline, environment_of, own_pipeline
from bench.beds.router import describe
from schemas.buttons import STOP
from schemas.run import RunState
from schemas.topics import AUDIT_RUNS
from services.directory.document import Agent, Connection, Document, Installation, Limit, Tenant, Tool
from services.kit.groups import KafkaSettings
from services.slack_sim.app import slack_sim
from services.slack_sim.client import SlackSim, slack_sim_at
from services.slack_sim.control.conditions import AMessage
from services.slack_sim.settings import SlackSimSettings
from tests.conftest import fresh, topics_of
from tests.databases import Databases
from tests.slack_sim.first import First

Talks = Callable[..., AbstractAsyncContextManager["Talk"]]

MARA = Agent(id="mara", name="Mara", role="Customer Support", persona="Professional and empathetic", default=True)


def tenant(first: First, agent: Agent = MARA) -> Tenant:
    """The first workspace's."""
    return Tenant(
        id="acme",
        name="Acme",
        connections=(Connection(workspace=first.team),),
        installations=(Installation(app=first.app.id, workspace=first.team, bot_user=first.bot_user),),
        agents=(agent,),
        limits=(Limit(scope="connection", per_minute=100_000),),
    )


@dataclass(frozen=True)
class Talk:
    """A Slack where somebody answers."""

    sim: SlackSim
    first: First
    pipeline: Pipeline
    environment: dict[str, str]
    kafka: KafkaSettings

    async def mention(self, text: str, channel: str | None = None, thread: str | None = None) -> str:
        """Somebody asks. Gives its ts."""
        said = f"<@{self.first.bot_user}> {text}"
        return await self.sim.say(self.first.you, channel or self.first.support, said, thread)

    async def thread(self, ts: str, channel: str | None = None) -> list[dict[str, Any]]:
        """What stands under a message."""
        found = await self.sim.transcript(channel or self.first.support, ts)
        return [each for each in found.messages if each["ts"] != ts]

    async def answer(
        self, ts: str, contains: str = "", *, channel: str | None = None, after: str = ""
    ) -> dict[str, Any]:
        """The answer that stands under a message when its run is over."""
        async with asyncio.timeout(30):
            while True:
                ours = [each for each in await self.thread(ts, channel) if each.get("app_id") and each["ts"] > after]
                done = [each for each in ours if contains in words_of(each) and not is_under_way(each)]
                if done:
                    return done[0]
                await asyncio.sleep(0.05)

    async def growing(self, ts: str, contains: str = "3.", channel: str | None = None) -> dict[str, Any]:
        """The message that grows under another, once a part of the answer is seen."""
        place, ours = channel or self.first.support, self.first.bot_user
        seen = AMessage(channel_id=place, thread_ts=ts, user_id=ours, contains=contains, streaming=True)
        return await self.sim.wait(seen, 20)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Waits until something is so."""
        async with asyncio.timeout(30):
            while not await holds():  # noqa: ASYNC110 - what is waited for is somebody else's
                await asyncio.sleep(0.1)

    async def ended(self, answer: dict[str, Any]) -> RunState:
        """What the audit says of the run that wrote it, when that is over."""
        run_id = answer["metadata"]["event_payload"]["run_id"]
        async with asyncio.timeout(10):
            while True:
                audit = [each.event for each in await Inbox(self.kafka).found(AUDIT_RUNS)]
                states = [each for each in audit if isinstance(each, RunState) and each.run_id == run_id]
                if states and states[-1].state not in {"start", "cancel_requested"}:
                    return states[-1]
                await asyncio.sleep(0.1)


def words_of(message: dict[str, Any]) -> str:
    """Its Markdown."""
    blocks = [block["text"] for block in message.get("blocks", ()) if block["type"] == "markdown"]
    return "\n\n".join(blocks)


def buttons_of(message: dict[str, Any]) -> list[str]:
    """What can be pressed under it."""
    return [
        element["action_id"]
        for block in message.get("blocks", ())
        if block["type"] in {"actions", "context_actions"}
        for element in block["elements"]
    ]


def is_under_way(message: dict[str, Any]) -> bool:
    """Whether it can still be stopped."""
    return STOP in buttons_of(message)


@asynccontextmanager
async def talking(
    kafka: KafkaSettings, databases: Databases, folder: Path, tools: tuple[Tool, ...] = (), /, **more: str
) -> AsyncIterator[Talk]:
    """A Slack, a tenant with tools and a pipeline; each keyword is a variable of its environment."""
    settings = SlackSimSettings(slack_sim_port=0, slack_sim_seed="test")
    async with (
        databases.new() as database,
        slack_sim(settings) as simulation,
        slack_sim_at(simulation.address) as sim,
    ):
        world = await sim.world()
        first = First.of(world)
        agent = MARA.model_copy(update={"tools": tuple(each.name for each in tools)})
        acme = tenant(first, agent).model_copy(update={"tools": tools})
        await describe(database, Document(version=1, tenants=(acme,)))
        environment = {**environment_of(sim.api_url, world, kafka, database), **more}
        async with own_pipeline(folder, environment) as pipeline:
            yield Talk(sim, first, pipeline, environment, kafka)


@pytest.fixture(scope="module")
async def talk(brokers: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Talk]:
    """Mara answers, to all tests of a module."""
    async with topics_of(fresh(brokers)) as kafka, talking(kafka, databases, tmp_path_factory.mktemp("talk")) as found:
        yield found


@pytest.fixture
def talks(topics: KafkaSettings, databases: Databases, tmp_path: Path) -> Talks:
    """A pipeline of a test's own."""

    def talks(**more: str) -> AbstractAsyncContextManager[Talk]:
        return talking(topics, databases, tmp_path, **more)

    return talks
