"""A local Slack with a tenant, the pipeline, and a supervisor to which programs report."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from opentelemetry.trace import NoOpTracer

from bench.beds.inbox import Found, Inbox
from bench.beds.models import ModelServer, model_server
from bench.beds.responder import Pipeline, environment_of, own_pipeline
from bench.beds.router import describe
from bench.beds.supervisor import OwnSupervisor, Reporter, own_supervisor, token_for
from bench.beds.tools import ToolServer, tool_server
from schemas.base import Event
from schemas.topics import AGENTS_EVENTS, Topic
from services.directory.document import Connection, Document, Installation, Person, Tenant, Tool
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.kit.kafka.producer import Producer
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.instruments import Instruments
from services.slack_sim.app import slack_sim
from services.slack_sim.client import SlackSim, slack_sim_at
from services.slack_sim.control import asks
from services.slack_sim.control.conditions import AnEphemeral
from services.slack_sim.settings import SlackSimSettings
from tests.conftest import fresh, topics_of
from tests.databases import Databases
from tests.responder.conftest import MARA, tenant
from tests.responder.desk import globex
from tests.slack_sim.first import First

TOOLS_KEY = "a key of sixteen letters and more"
AT_ONCE = {"THREADLINE_SUPERVISOR_REFUSED_AGAIN_S": "0.5"}
"""What Slack does not take is said again so soon."""


@dataclass
class Watch:
    """Everything between an agent and the people who watch it."""

    sim: SlackSim
    first: First
    kafka: KafkaSettings
    database: DatabaseSettings
    pipeline: Pipeline
    supervisor: OwnSupervisor
    environment: dict[str, str]
    tokens: dict[str, str]
    tools: ToolServer
    model: ModelServer
    """Reads words that no rule understands."""
    session: ClientSession
    folder: Path
    stack: AsyncExitStack
    channels: dict[str, str] = field(default_factory=dict)
    """Where each task is told of."""
    _tasks: Any = field(default_factory=lambda: count(1))

    async def reporter(self, name: str, program: str = "acme") -> Reporter:
        """A program with a task of its own, in a channel of its own: Slack takes one message a second in each."""
        task_id = f"{name}-{next(self._tasks)}"
        if program == "acme":
            people = [self.first.you, self.first.colleague, self.first.bot_user]
            added = asks.AddChannel(team_id=self.first.team, name=task_id, members=people)
            self.channels[task_id] = (await self.sim.ask(added)).id
        address, token = self.supervisor.agents, self.tokens[program]
        return Reporter(address, token, self.session, task_id, channel=self.channels.get(task_id))

    async def heads(self, channel: str) -> list[dict[str, Any]]:
        """What our app says at the top of a channel."""
        found = (await self.sim.transcript(channel)).messages
        return [each for each in found if each.get("app_id")]

    async def head(self, task_id: str, contains: str = "") -> dict[str, Any]:
        """A task's own message, once it says something."""
        async with asyncio.timeout(20):
            while True:
                for each in await self.heads(self.channels[task_id]):
                    words = str(each)
                    if f"`{task_id}`" in words and contains in words:
                        return each | {"channel": self.channels[task_id]}
                await asyncio.sleep(0.05)

    async def under(self, task_id: str, contains: str) -> dict[str, Any]:
        """A message in the thread of a task, once there is one that says something."""
        head = await self.head(task_id)
        async with asyncio.timeout(20):
            while True:
                found = (await self.sim.transcript(self.channels[task_id], head["ts"])).messages
                for each in found:
                    if each["ts"] != head["ts"] and contains in str(each):
                        return each | {"channel": self.channels[task_id]}
                await asyncio.sleep(0.05)

    async def press(self, who: str, message: dict[str, Any], action: str, value: str | None = None) -> None:
        """Somebody presses a button, or chooses something."""
        channel, ts = message["channel"], message["ts"]
        await self.sim.ask(asks.Press(user_id=who, action_id=action, channel_id=channel, ts=ts, value=value))

    async def write(self, who: str, words: str) -> None:
        """Somebody fills in the form that is opened for them, and sends it."""
        async with asyncio.timeout(20):
            while not (found := (await self.sim.ask(asks.ReadViews(user_id=who))).views):  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.05)
        await self.sim.ask(asks.SubmitView(user_id=who, view_id=found[-1]["id"], values={"said": words}))

    async def command(self, who: str, line: str) -> None:
        """Somebody types a command."""
        await self.sim.ask(asks.RunCommand(user_id=who, channel_id=self.first.support, line=line))

    async def heard(self, who: str, contains: str, task_id: str | None = None) -> dict[str, Any]:
        """What somebody alone is told, beside a task or where they typed."""
        channel = self.first.support if task_id is None else self.channels[task_id]
        seen = AnEphemeral(channel_id=channel, user_id=who, contains=contains)
        return await self.sim.wait(seen, 20)

    async def events(self, task_id: str) -> list[Found]:
        """What stands of a task in the log."""
        found = await Inbox(self.kafka).found(AGENTS_EVENTS, passing_over=True)
        return [each for each in found if each.event.task_id == task_id]

    async def put(self, topic: Topic, key: str | bytes | None, event: Event, name: str) -> None:
        """One record more, under a name of its own."""
        instruments = Instruments(SystemClock(), NoEmitter(), NoOpTracer())
        async with Producer(self.kafka, "supervisor", instruments) as producer:
            await producer.publish(topic, key, event, name)

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        """Waits until something is so."""
        async with asyncio.timeout(30):
            while not await holds():  # noqa: ASYNC110 - what is waited for is somebody else's
                await asyncio.sleep(0.05)

    async def restart(self, **more: str) -> None:
        """Kills the supervisor, and starts the next one where it was."""
        await self.supervisor.child.kill()
        await self.start(**more)

    @asynccontextmanager
    async def set_to(self, **more: str) -> AsyncIterator[None]:
        """Another supervisor while it lasts; each keyword is a variable of its environment."""
        await self.restart(**more)
        try:
            yield
        finally:
            await self.restart()

    async def start(self, **more: str) -> None:
        """Starts a supervisor where one was that is killed; each keyword is a variable of its environment."""
        started = own_supervisor(self.folder / "supervisor", {**self.environment, **more})
        self.supervisor = await self.stack.enter_async_context(started)


@asynccontextmanager
async def watching(kafka: KafkaSettings, databases: Databases, folder: Path, **more: str) -> AsyncIterator[Watch]:
    """A Slack, two tenants, the pipeline and a supervisor; each keyword is a variable of its environment."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(databases.new())
        simulation = await stack.enter_async_context(slack_sim(SlackSimSettings(slack_sim_port=0, slack_sim_seed="w")))
        sim = await stack.enter_async_context(slack_sim_at(simulation.address))
        world = await sim.world()
        first = First.of(world)
        people = (Person(user=first.you, may=("approve",)),)
        tools = await stack.enter_async_context(tool_server())
        may_use = (
            Tool(name="refund", description="Pays back.", url=f"{tools.address}/refund"),
            Tool(name="look_up", description="Finds.", url=f"{tools.address}/look_up", approval="never", within_s=5),
            Tool(name="find", description="Finds.", url=f"{tools.address}/find", approval="never", repeatable=True),
        )
        agent = MARA.model_copy(update={"tools": ("find", "look_up", "refund")})
        of_acme = {"people": people, "agents_channel": first.support, "tools": may_use}
        acme = tenant(first, agent).model_copy(update=of_acme)
        await describe(database, Document(version=1, tenants=(acme, of_two_workspaces(globex()))))
        tokens = {each: await token_for(database, each) for each in ("acme", "globex")}
        model = await stack.enter_async_context(model_server())
        environment = {
            **environment_of(sim.api_url, world, kafka, database),
            "THREADLINE_TOOLS_KEY": TOOLS_KEY,
            "THREADLINE_SUPERVISOR_MODEL": "openai:gpt-5",
            "OPENAI_BASE_URL": f"{model.address}/v1",
            "OPENAI_API_KEY": "sk-test-key",
            **AT_ONCE,
            **more,
        }
        session = await stack.enter_async_context(ClientSession())
        pipeline = await stack.enter_async_context(own_pipeline(folder, environment))
        supervisor = await stack.enter_async_context(own_supervisor(folder / "supervisor", environment))
        yield Watch(
            *(sim, first, kafka, database, pipeline, supervisor, environment),
            *(tokens, tools, model, session, folder, stack),
        )


def of_two_workspaces(tenant: Tenant) -> Tenant:
    """With one more, where its agents are told of elsewhere."""
    lab = Connection(workspace="T0LAB", agents_channel="C0LAB")
    connections, app = (*tenant.connections, lab), Installation(app="A0ONE", workspace="T0LAB")
    return tenant.model_copy(update={"connections": connections, "installations": (*tenant.installations, app)})


@pytest.fixture(scope="session")
async def watch(brokers: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watch]:
    """One for all tests that watch agents."""
    async with topics_of(fresh(brokers)) as kafka, watching(kafka, databases, tmp_path_factory.mktemp("w")) as found:
        yield found
