"""What a scenario is played on: a broker, a database, a Slack, a model, the services, and the links between them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bench.beds.answered import Entry
from bench.beds.broker import OwnBroker, own_broker
from bench.beds.database import OwnDatabase, own_database
from bench.beds.database_link import by_port
from bench.beds.decided import Seen
from bench.beds.relay import Relay, relay
from bench.beds.router import describe, router_environment
from bench.beds.slack import own_slack
from bench.beds.speaking import Speaking, speaking
from bench.beds.worker import Worker
from bench.beds.workspaces import Workspace, Workspaces, make_workspaces
from bench.chaos.disk import Disk, mounted, release
from bench.chaos.people import LIMITED, PER_MINUTE, WORKSPACES
from services.directory.document import Document
from services.kit.groups import KafkaSettings
from services.slack_sim.client import SlackSim
from services.slack_sim.control import asks
from services.slack_sim.control.conditions import SomeSockets

SERVICES = ("ingress", "router", "responder")
SESSION_S = 6.0
READY_WITHIN_S = 60.0
LOOK_EVERY_S = 0.3
HURRY = 1.5
LIMITS = asks.SetLimits(times=3.0)
"""Two processes share a workspace, and neither knows what the other has called."""
SENT_AGAIN = asks.SetPolicy(redelivery_s=(0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0))
"""Slack's own waits of a minute and of five would make each scenario last as long."""
SECRETS = "secrets"
BROKER_MB, DATABASE_MB, STATE_MB = 3000, 2000, 64


@dataclass(frozen=True)
class Ground:
    """What stays from scenario to scenario."""

    folder: Path
    broker: OwnBroker
    database: OwnDatabase
    disks: Mapping[str, Disk]
    """Small ones, by who keeps something there; none where this user may mount nothing."""


@asynccontextmanager
async def ground(folder: Path) -> AsyncIterator[Ground]:
    """A broker with a door for each service, and a database, each on a disk of its own."""
    await asyncio.to_thread(release, folder)
    async with AsyncExitStack() as stack:
        disks: dict[str, Disk] = {}
        for name, size_mb in (("kafka", BROKER_MB), ("postgres", DATABASE_MB)):
            disk = stack.enter_context(mounted(folder / name, size_mb))
            disks |= {name: disk} if disk is not None else {}
        broker = await stack.enter_async_context(own_broker(folder / "kafka", SERVICES))
        database = await stack.enter_async_context(own_database(folder / "postgres"))
        yield Ground(folder, broker, database, disks)


@dataclass
class Gone:
    """What stood on topics, and was deleted there."""

    inbound: list[Seen] = field(default_factory=list)
    commands: list[Entry] = field(default_factory=list)


@dataclass
class Stage:
    """All of it, for one scenario."""

    ground: Ground
    folder: Path
    kafka: KafkaSettings
    """The broker, by no link: for whoever looks on."""
    sim: SlackSim
    model: Speaking
    workspaces: Workspaces
    nobodys: Workspace
    document: Document
    links: Mapping[tuple[str, str], Relay]
    """By who calls, and whom."""
    disks: Mapping[str, Disk]
    environment: Mapping[str, str]
    """What every service is told alike."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """What is run in place of a service."""
    workers: dict[str, list[Worker]] = field(default_factory=dict)
    told: dict[str, dict[str, str]] = field(default_factory=dict)
    """What a service is told besides, by a fault that needs it from the start."""
    gone: Gone = field(default_factory=Gone)

    def worker(self, service: str, number: int = 0) -> Worker:
        """One of a service's processes."""
        found = self.workers.setdefault(service, [])
        while len(found) <= number:
            name = f"{service}-{len(found)}"
            told = {**self.environment, **self._links_of(service), **self.told.get(service, {})}
            if service == "ingress":
                told["THREADLINE_SPOOL_FOLDER"] = str(self.folder / service / name / "spool")
            else:
                told[f"THREADLINE_{service.upper()}_NAME"] = name
            log = self.folder / f"{name}.log"
            found.append(Worker(service, self.folder / service / name, told, self.modules.get(service, ""), log))
        return found[number]

    def _links_of(self, service: str) -> dict[str, str]:
        """How it reaches everybody: by links of its own."""
        link = {whom: self.links[who, whom].port for who, whom in self.links if who == service}
        database = by_port(self.ground.database.settings, link["postgres"])
        by_link = self.ground.broker.settings_by(service).model_copy(update={"topic_prefix": self.kafka.topic_prefix})
        told = router_environment(by_link, database)
        if "slack" in link:
            told["SLACK_API_URL"] = f"http://127.0.0.1:{link['slack']}/api/"
        if "model" in link:
            told["OPENAI_BASE_URL"] = f"http://127.0.0.1:{link['model']}/v1"
        return told

    @property
    def everybody(self) -> list[Worker]:
        """Every process that there was."""
        return [worker for found in self.workers.values() for worker in found]

    async def until_ready(self) -> None:
        """Until everybody who is to run is ready for work, and Slack is listened to."""
        for worker in self.everybody:
            if worker.is_wanted:
                await worker.until_ready(READY_WITHIN_S)
        if any(worker.is_wanted for worker in self.workers.get("ingress", ())):
            await self.sim.wait(SomeSockets(app_id=self.workspaces.app, count=2), READY_WITHIN_S)

    async def keep_up(self) -> None:
        """Who ends by itself is started again, as whoever runs services does."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for worker in self.everybody:
                await worker.revive()


@asynccontextmanager
async def stage(ground: Ground, name: str, modules: Mapping[str, str] | None = None) -> AsyncIterator[Stage]:
    """Topics, a Slack and a model of their own. The services are started by whoever plays."""
    folder = ground.folder / name
    await asyncio.to_thread(folder.mkdir, parents=True)
    async with AsyncExitStack() as stack:
        prefix = f"{name}."
        await ground.broker.make_topics(prefix)
        slack = await stack.enter_async_context(own_slack(folder, "chaos"))
        model = await stack.enter_async_context(speaking())
        model.hurry = HURRY
        nobodys = await _nobodys(slack.sim)
        workspaces = await make_workspaces(slack.sim, WORKSPACES)
        await slack.sim.ask(LIMITS)
        await slack.sim.ask(SENT_AGAIN)
        document = workspaces.document({LIMITED: PER_MINUTE}, "files")
        workspaces.write_tokens(folder / SECRETS)
        await describe(ground.database.settings, document)
        links = dict(_by_kafka(ground.broker))
        for who, whom, address in _others(ground, slack.sim, model):
            links[who, whom] = await stack.enter_async_context(relay(*address))
        disks = dict(ground.disks)
        for service in SERVICES:
            disk = stack.enter_context(mounted(folder / service, STATE_MB))
            disks |= {service: disk} if disk is not None else {}
        app = (await slack.sim.world()).apps[0]
        environment = {
            "THREADLINE_SECRETS_FOLDER": str(folder / SECRETS),
            "SLACK_APP_TOKEN": app.app_token,
            "SLACK_SIGNING_SECRET": app.signing_secret,
            "THREADLINE_MODEL": "openai:chaos",
            "OPENAI_API_KEY": "sk-chaos-key",
            "THREADLINE_RESPONDER_SESSION_S": str(SESSION_S),
            "THREADLINE_ROUTER_SESSION_S": str(SESSION_S),
        }
        found = Stage(
            ground=ground,
            folder=folder,
            kafka=ground.broker.settings.model_copy(update={"topic_prefix": prefix}),
            sim=slack.sim,
            model=model,
            workspaces=workspaces,
            nobodys=nobodys,
            document=document,
            links=links,
            disks=disks,
            environment=environment,
            modules=modules or {},
        )
        try:
            yield found
        finally:
            for worker in found.everybody:
                await worker.end(gently=False)


async def _nobodys(sim: SlackSim) -> Workspace:
    """The one that is there before any other is made."""
    world = await sim.world()
    [installed] = world.installations
    people = tuple(each.id for each in world.users if each.bot_id is None)
    channels = tuple(
        each.id for each in world.channels if each.kind == "channel" and installed.bot_user_id in each.members
    )
    return Workspace(-1, installed.team_id, people, channels, (), installed.bot_user_id, installed.bot_token)


def _by_kafka(broker: OwnBroker) -> list[tuple[tuple[str, str], Relay]]:
    return [((service, "kafka"), link) for service, link in broker.links.items()]


def _others(ground: Ground, sim: SlackSim, model: Speaking) -> list[tuple[str, str, tuple[str, int]]]:
    slack, words = _place(sim.address), _place(model.address)
    to_database = [(service, "postgres", ground.database.address) for service in SERVICES]
    return [*to_database, ("ingress", "slack", slack), ("responder", "slack", slack), ("responder", "model", words)]


def _place(address: str) -> tuple[str, int]:
    found = urlsplit(address)
    return found.hostname or "", found.port or 0
