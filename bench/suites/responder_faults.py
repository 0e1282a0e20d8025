"""Responders under faults: kill -9, SIGTERM, pauses, absences, a third one, the broker away, and a Slack in trouble.

Two of them answer runs, of which some are asked for twice or stopped at any moment. What stands on the topics and in
Slack afterwards is held against what was asked for.
"""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from opentelemetry.trace import NoOpTracer

from bench.answers import CHECKS, told, wrong
from bench.beds.answered import messages_of, on_topics
from bench.beds.asking import Asking, wishes
from bench.beds.broker import OwnBroker, own_broker
from bench.beds.commits import Look, committed, looks
from bench.beds.router import describe, router_environment
from bench.beds.slack import own_slack
from bench.beds.slack_troubles import SlackTroubles
from bench.beds.speaking import Speaking, speaking
from bench.beds.worker import Worker
from bench.beds.workspaces import Workspaces, make_workspaces, mute
from bench.figure import Figure, Goal
from bench.suite import Bed, Measured, Suite
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings
from services.kit.kafka.admin import admin_client
from services.kit.kafka.producer import Producer
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.instruments import Instruments
from services.local import postgres
from services.slack_sim.client import SlackSim
from services.slack_sim.control import asks

RUNS, WORKSPACES, DISTURBANCES = 500, 12, 30
SESSION_S = 6.0
BETWEEN_S = (1.0, 4.0)
READY_WITHIN_S = 60.0
SHORT_S = 0.5
TOO_EARLY = 0.2
"""How often somebody is disturbed who is still starting."""
PAUSE_S = 0.55
"""Between two commands, so that they last as long as the disturbances."""
LIMITS = asks.SetLimits(times=3.0)
"""Two processes share a workspace, and neither knows what the other has called."""
FINISHED_WITHIN_S = 150.0
KINDS = ("kill", "kill", "kill", "terminate", "pause", "pause", "absence", "third", "broker")


@dataclass
class Scene:
    """Everything of one run."""

    broker: OwnBroker
    kafka: KafkaSettings
    sim: SlackSim
    model: Speaking
    workspaces: Workspaces
    chance: random.Random
    folder: Path
    environment: dict[str, str]
    troubles: SlackTroubles
    workers: dict[str, Worker] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    away: list[tuple[float, float]] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)

    @property
    def disturbances(self) -> int:
        """How many there were."""
        return sum(self.done.values())

    def worker(self, name: str) -> Worker:
        """One of the responders."""
        told = {**self.environment, "THREADLINE_RESPONDER_NAME": name}
        return self.workers.setdefault(name, Worker("responder", self.folder / name, told))


async def run(bed: Bed, number: int) -> Measured:
    """All of it, then the count. The logs stay where the suite's stack was until the next suite."""
    seed, clock = bed.seed + number, SystemClock()
    async with _scene(bed, seed) as scene:
        began = clock.monotonic()
        left = await _all_of_it(scene, seed)
        took_s = clock.monotonic() - began
        shown, emoji = await messages_of(scene.sim, scene.workspaces.app)
        stands = replace(
            await on_topics(scene.kafka),
            shown=shown, emoji=emoji, asked=scene.model.asked, looks=scene.looks, away=scene.away,
        )  # fmt: skip
    found = wrong(stands)
    exits = sum((worker.exits for worker in scene.workers.values()), Counter[str]())
    return Measured(
        {
            **{name: float(len(names)) for name, names in found.items()},
            LEFT: float(left),
            ENDED: float(exits.total()),
            **told(stands),
            "disturbances": float(scene.disturbances),
            **{f"disturbed by {kind}": float(count) for kind, count in sorted(scene.done.items())},
            **{f"Slack: {kind}": float(count) for kind, count in sorted(scene.troubles.met.items())},
            "took, s": took_s,
        },
        {"seed": seed, "wrong": found, "ended": dict(exits)},
    )


@asynccontextmanager
async def _scene(bed: Bed, seed: int) -> AsyncIterator[Scene]:
    folder = bed.home.root / f"chaos-responder-{seed}"
    await asyncio.to_thread(folder.mkdir, parents=True)
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(own_broker(folder / "broker"))
        slack = await stack.enter_async_context(own_slack(folder, f"chaos-{seed}"))
        model = await stack.enter_async_context(speaking())
        prefix = f"chaos-responder-{seed}."
        await broker.make_topics(prefix)
        kafka = broker.settings.model_copy(update={"topic_prefix": prefix})
        await mute(slack.sim)
        workspaces = await make_workspaces(slack.sim, WORKSPACES)
        await slack.sim.ask(LIMITS)
        await describe(bed.database, workspaces.document())
        environment = {
            **router_environment(kafka, bed.database),
            **workspaces.tokens(),
            "SLACK_API_URL": slack.sim.api_url,
            "THREADLINE_MODEL": "openai:chaos",
            "OPENAI_BASE_URL": f"{model.address}/v1",
            "THREADLINE_RESPONDER_SESSION_S": str(SESSION_S),
        }
        chance = random.Random(seed)  # noqa: S311 - a seeded plan
        troubles = SlackTroubles(slack.sim, random.Random(seed))  # noqa: S311 - likewise
        yield Scene(broker, kafka, slack.sim, model, workspaces, chance, folder, environment, troubles)


async def _all_of_it(scene: Scene, seed: int) -> int:
    """Gives how many commands were left."""
    for name in ("a", "b"):
        await scene.worker(name).start()
    await scene.troubles.begin()
    instruments = Instruments(SystemClock(), NoEmitter(), NoOpTracer())
    watching = looks(scene.kafka, "responder", scene.looks), scene.troubles.watch(), scene.troubles.let_streams_expire()
    beside = [asyncio.create_task(each) for each in watching]
    try:
        async with Producer(scene.kafka, "router", instruments) as producer:
            asking = Asking(scene.sim, scene.workspaces, producer)
            everything = asyncio.create_task(asking.all_of(wishes(seed, RUNS, WORKSPACES), PAUSE_S))
            await _disturb_all(scene, everything)
            await everything
        await scene.troubles.end()
        return await _until_all_is_done(scene)
    finally:
        for worker in scene.workers.values():
            await worker.end(gently=True)
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


async def _disturb_all(scene: Scene, everything: "asyncio.Task[None]") -> None:
    """One after the other, and on until everything is asked."""
    while scene.disturbances < DISTURBANCES or not everything.done():
        await asyncio.sleep(SHORT_S)
        await _disturb(scene)
        await _revive(scene)
        if everything.done():
            await everything  # what failed there is not to be hidden by what follows


async def _disturb(scene: Scene) -> None:
    kind = scene.chance.choice(KINDS)
    worker = scene.worker(scene.chance.choice(["a", "b"]))
    scene.done[kind] += 1
    if scene.chance.random() > TOO_EARLY or kind == "broker":  # who starts without a broker ends, and is started again
        await _until_ready(scene)
    match kind:
        case "kill" | "terminate":
            await worker.end(gently=kind == "terminate")
            await worker.start()
        case "pause" if worker.child is not None:
            worker.child.send(signal.SIGSTOP)
            await asyncio.sleep(SESSION_S + 3)
            worker.child.send(signal.SIGCONT)
        case "absence":
            await worker.end(gently=False)
            await asyncio.sleep(SESSION_S + 2)
            await worker.start()
        case "third":
            third = scene.worker("c")
            await third.start()
            await third.until_ready(READY_WITHIN_S)
            await asyncio.sleep(5)
            await third.end(gently=scene.chance.random() < 0.5)  # noqa: PLR2004 - a coin
        case _:
            began = SystemClock().now().timestamp()
            await scene.broker.stop()
            await asyncio.sleep(scene.chance.uniform(1, 4))
            await scene.broker.start()
            scene.away.append((began, SystemClock().now().timestamp()))


async def _until_ready(scene: Scene) -> None:
    for name in ("a", "b"):
        await scene.worker(name).until_ready(READY_WITHIN_S)
    await asyncio.sleep(scene.chance.uniform(*BETWEEN_S))


async def _revive(scene: Scene) -> None:
    for name in ("a", "b"):
        await scene.worker(name).revive()


async def _until_all_is_done(scene: Scene) -> int:
    """Until all is committed, or too long. Gives how many commands are not."""
    clock = SystemClock()
    until = clock.monotonic() + FINISHED_WITHIN_S
    ends = Counter(each.partition for each in (await on_topics(scene.kafka)).commands)
    async with admin_client(scene.kafka) as client:
        while True:
            commits = await committed(client, scene.kafka, "responder")
            left = sum(end - commits.get(partition, 0) for partition, end in ends.items())
            if left == 0 or clock.monotonic() > until:
                return left
            await _revive(scene)
            await asyncio.sleep(1)


LEFT, ENDED = "commands left undone", "responders that ended by themselves"
GOALS = {
    "disturbances": Goal(">=", DISTURBANCES),
    **dict.fromkeys((*CHECKS, LEFT, ENDED), Goal("==", 0)),
}


def judge(measured: list[Measured]) -> list[Figure]:
    """Whatever was done, each run was answered once, or stopped."""
    names = dict.fromkeys(name for each in measured for name in each.figures)
    return [
        Figure(
            name,
            name.rpartition(", ")[2] if ", " in name else "",
            tuple(each.figures.get(name, 0.0) for each in measured),
            GOALS.get(name),
        )
        for name in names
    ]


SUITE = Suite(
    name="responder",
    kind="chaos",
    what=f"two responders: {RUNS} runs, some stopped, some asked for twice, under {DISTURBANCES} disturbances",
    runs=1,
    run=run,
    judge=judge,
    parts=(postgres.NAME,),
)
