"""A Slack with several workspaces and two apps, and one pipeline before all of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.beds.models import ModelServer
from bench.beds.otlp import Collector, collector
from bench.beds.responder import Pipeline, environment_of, own_pipeline
from bench.beds.router import describe
from services.directory.document import Agent, Connection, Document, Installation, Limit, Tenant
from services.kit.groups import KafkaSettings
from services.slack_sim.app import slack_sim
from services.slack_sim.client import SlackSim, slack_sim_at
from services.slack_sim.control import asks
from services.slack_sim.control.answers import AppShown
from services.slack_sim.settings import SlackSimSettings
from services.slack_sim.simulation import Simulation
from tests.databases import Databases
from tests.responder.conftest import MARA, Talk
from tests.slack_sim.first import First

VERA = Agent(id="vera", name="Vera", role="Billing", persona="Brief, and fond of numbers.", model="openai:gpt-5-mini")
IRIS = Agent(
    id="iris",
    name="Iris",
    role="Legal",
    persona="Careful.",
    transparency="You are a machine that reads contracts, and you say so in every answer.",
    model="anthropic:claude-opus-4-5",
)
GUS = Agent(id="gus", name="Gus", role="Kitchen Help", persona="Blunt.", model="openai:gpt-5", default=True)
WIDE = Limit(scope="connection", per_minute=100_000)
SLOW = Limit(scope="connection", per_minute=1, burst=30)


@dataclass(frozen=True)
class Town:
    """Who can be talked with, each from their workspace."""

    slack: Simulation
    pipeline: Pipeline
    kafka: KafkaSettings
    model: ModelServer
    """Answers for OpenAI and for Anthropic."""
    collector: Collector
    """Where every service sends its traces."""
    acme: Talk
    """Mara by default, Vera and Iris by name."""
    bram: Talk
    """Acme again, before its other app."""
    globex: Talk
    """Another tenant, with Gus."""
    initech: Talk
    """A tenant that may ask 30 times, and once more each minute."""
    hooli: Talk
    """A tenant of whom the directory says nothing about limits."""
    stray: Talk
    """A workspace that no tenant owns, with the app in it."""


@asynccontextmanager
async def town_of(kafka: KafkaSettings, databases: Databases, folder: Path, model: ModelServer) -> AsyncIterator[Town]:
    """Everything, until it is left."""
    settings = SlackSimSettings(slack_sim_port=0, slack_sim_seed="town")
    async with (
        databases.new() as database,
        collector() as traces,
        slack_sim(settings) as slack,
        slack_sim_at(slack.address) as sim,
    ):
        world = await sim.world()
        acme = First.of(world)
        other = await sim.ask(asks.AddApp(name="Bram"))
        bram = await _also_in(sim, acme, other)
        globex, initech, hooli, stray = [
            await _workspace(sim, name, acme.app) for name in ("Globex", "Initech", "Hooli", "Stray")
        ]
        tenants = (
            _tenant("acme", acme, (MARA, VERA, IRIS), (WIDE,), also=bram),
            _tenant("globex", globex, (GUS,), (WIDE,)),
            _tenant("initech", initech, (MARA,), (SLOW,)),
            _tenant("hooli", hooli, (MARA,), ()),
        )
        await describe(database, Document(version=1, tenants=tenants))
        held = {"BRAM": bram, "GLOBEX": globex, "INITECH": initech, "HOOLI": hooli}
        environment = {
            **environment_of(sim.api_url, world, kafka, database),
            **{f"{holder}_SLACK_BOT_TOKEN": each.bot_token for holder, each in held.items()},
            "BRAM_SLACK_APP_TOKEN": other.app_token,
            "BRAM_SLACK_SIGNING_SECRET": other.signing_secret,
            "THREADLINE_INGRESS_APPS": "env,env:bram",
            **_models_of(model),
            **traces.environment,
        }
        async with own_pipeline(folder, environment) as pipeline:
            talks = [
                Talk(sim, each, pipeline, environment, kafka) for each in (acme, bram, globex, initech, hooli, stray)
            ]
            yield Town(slack, pipeline, kafka, model, traces, *talks)


def _models_of(model: ModelServer) -> dict[str, str]:
    """Where both providers are."""
    return {
        "OPENAI_BASE_URL": f"{model.address}/v1",
        "OPENAI_API_KEY": "sk-test-key",
        "ANTHROPIC_BASE_URL": model.address,
        "ANTHROPIC_API_KEY": "sk-ant-test-key",
    }


def _tenant(
    name: str, first: First, agents: tuple[Agent, ...], limits: tuple[Limit, ...], also: First | None = None
) -> Tenant:
    installed = [(first, "env" if name == "acme" else f"env:{name}"), *([(also, "env:bram")] if also else [])]
    return Tenant(
        id=name,
        name=name.title(),
        connections=(Connection(workspace=first.team),),
        installations=tuple(
            Installation(app=each.app.id, workspace=each.team, bot_user=each.bot_user, secrets=place)
            for each, place in installed
        ),
        agents=agents,
        limits=limits,
    )


async def _also_in(sim: SlackSim, first: First, app: AppShown) -> First:
    """The same workspace, as another app has it."""
    installed = await sim.ask(
        asks.InstallApp(app_id=app.id, team_id=first.team, channels=[first.general, first.support])
    )
    return First(**{**vars(first), "app": app, "bot_user": installed.bot_user_id, "bot_token": installed.bot_token})


async def _workspace(sim: SlackSim, name: str, app: AppShown) -> First:
    """A workspace like the first, with the app in two of its channels."""
    team = (await sim.ask(asks.AddWorkspace(name=name))).id
    you, colleague = [(await sim.ask(asks.AddUser(team_id=team, name=each))).id for each in ("you", "colleague")]
    general, support, random = [
        (await sim.ask(asks.AddChannel(team_id=team, name=each, members=[you, colleague]))).id
        for each in ("general", "support", "random")
    ]
    installed = await sim.ask(asks.InstallApp(app_id=app.id, team_id=team, channels=[general, support]))
    return First(team, you, colleague, general, support, random, app, installed.bot_user_id, installed.bot_token)
