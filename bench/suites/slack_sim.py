"""Whether the local Slack could ever be what limits a load test: events over one socket, calls, and memory."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import psutil

from bench.figure import Figure, Goal, percentile
from bench.suite import Bed, Measured, Suite
from services.slack_sim.client import SlackSim
from services.slack_sim.control.answers import WorldShown
from services.slack_sim.control.asks import (
    AddChannel,
    AddUser,
    AddWorkspace,
    InstallApp,
    Load,
    ReadCounts,
    SetLimits,
    SetPolicy,
)
from services.slack_sim.control.conditions import Settled, SomeSockets

RATE, SECONDS = 5_000, 5
AT_ONCE = 30_000
CALLS = 1_000
WORKSPACES, PEOPLE, MESSAGES = 20, 50, 100_000
KEY = '{"envelope_id":"'
KEY_ENDS = len(KEY) + 36


@dataclass(frozen=True)
class Running:
    """A simulator in a process of its own."""

    sim: SlackSim
    process: psutil.Process
    session: aiohttp.ClientSession

    def cpu_s(self) -> float:
        """What it used so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def rss_mb(self) -> float:
        """What it holds now."""
        return float(self.process.memory_info().rss) / 1e6


@asynccontextmanager
async def _running(seed: int) -> AsyncIterator[Running]:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", "slack-sim", "--port", "0", "--seed", str(seed)),
        stdout=asyncio.subprocess.PIPE,
    )
    if program.stdout is None:
        raise RuntimeError("the simulator has no output")
    try:
        address = (await program.stdout.readline()).decode().split()[5]
        async with aiohttp.ClientSession() as session:
            yield Running(SlackSim(address, session), psutil.Process(program.pid), session)
    finally:
        program.terminate()
        await program.communicate()


@asynccontextmanager
async def _answering(running: Running, world: WorldShown) -> AsyncIterator[None]:
    """A client that acknowledges at once, and does as little else as it can."""
    app = world.apps[0]
    headers = {"Authorization": f"Bearer {app.app_token}"}
    async with running.session.post(f"{running.sim.api_url}apps.connections.open", headers=headers) as answer:
        url = (await answer.json())["url"]
    async with running.session.ws_connect(url) as socket:

        async def answer_all() -> None:
            async for message in socket:
                if message.data.startswith(KEY):
                    await socket.send_str(f'{message.data[:KEY_ENDS]}"}}')

        answering = asyncio.create_task(answer_all())
        await running.sim.wait(SomeSockets(app_id=app.id))
        try:
            yield
        finally:
            answering.cancel()


async def run(bed: Bed, _: int) -> Measured:
    """At a steady pace, as fast as it goes, and full."""
    figures: dict[str, float] = {}
    raw: dict[str, list[float]] = {}
    async with _running(bed.seed) as running:
        await running.sim.ask(SetLimits(on=False))
        world = await running.sim.world()
        async with _answering(running, world):
            figures |= await _loaded(running, world, "steady", RATE * SECONDS, RATE)
            raw["ack"] = await _acks(running)
            figures |= await _loaded(running, world, "flat out", AT_ONCE, 100_000)
        raw["post"] = await _posts(running, world)
    async with _running(bed.seed) as running:
        figures |= await _filled(running)
    figures |= {f"{name} p50": percentile(samples, 50) for name, samples in raw.items()}
    figures |= {f"{name} p99": percentile(samples, 99) for name, samples in raw.items()}
    return Measured(figures, raw)


async def _loaded(running: Running, world: WorldShown, name: str, count: int, rate: float) -> dict[str, float]:
    user, channel = world.users[0].id, world.channels[0].id
    began, used = time.perf_counter(), running.cpu_s()
    await running.sim.ask(Load(user_id=user, channel_id=channel, count=count, per_second=rate))
    await running.sim.wait(Settled(), timeout_s=120)
    took = time.perf_counter() - began
    deliveries = (await running.sim.ask(ReadCounts())).deliveries
    redelivered = deliveries.get("redeliveries", 0) + deliveries.get("late", 0)
    cpu = (running.cpu_s() - used) / took * 100
    return {f"{name} rate": count / took, f"{name} cpu": cpu, f"{name} redelivered": redelivered}


async def _acks(running: Running) -> list[float]:
    """From the event to its acknowledgement, as the simulator saw it."""
    envelopes = await running.sim.envelopes()
    return [(each.acknowledged_at - each.made_at) * 1000 for each in envelopes if each.acknowledged_at]


async def _posts(running: Running, world: WorldShown) -> list[float]:
    headers = {"Authorization": f"Bearer {world.installations[0].bot_token}", "Content-Type": "application/json"}
    body = json.dumps({"channel": world.channels[0].id, "text": "An answer of a usual length, more or less."})
    took = []
    for _ in range(CALLS):
        began = time.perf_counter()
        url = f"{running.sim.api_url}chat.postMessage"
        async with running.session.post(url, data=body, headers=headers) as answer:
            await answer.read()
        took.append((time.perf_counter() - began) * 1000)
    return took


async def _filled(running: Running) -> dict[str, float]:
    """Many workspaces with people who talk a lot."""
    sim = running.sim
    await sim.ask(SetPolicy(without_socket="lose"))
    app = (await sim.world()).apps[0]
    for number in range(WORKSPACES):
        team = (await sim.ask(AddWorkspace(name=f"Workspace {number}"))).id
        people = [(await sim.ask(AddUser(team_id=team, name=f"person-{each}"))).id for each in range(PEOPLE)]
        channel = (await sim.ask(AddChannel(team_id=team, name="general", members=people))).id
        await sim.ask(InstallApp(app_id=app.id, team_id=team, channels=[channel]))
        text = "message {number}: some words that a person could have written here, and a few more of them"
        share = MESSAGES // WORKSPACES
        await sim.ask(Load(user_id=people[0], channel_id=channel, count=share, per_second=100_000, text=text))
    return {"full": running.rss_mb()}


def judge(runs: list[Measured]) -> list[Figure]:
    """What the issue asks for."""

    def values(name: str) -> tuple[float, ...]:
        return tuple(each.figures[name] for each in runs)

    return [
        Figure(
            f"{RATE:,}/s wanted: acknowledged over one socket", "/s", values("steady rate"), Goal(">=", RATE * 0.98)
        ),
        Figure("the same: late or sent again", "", values("steady redelivered"), Goal("==", 0)),
        Figure("the same: event to acknowledgement, p50", "ms", values("ack p50")),
        Figure("the same: event to acknowledgement, p99", "ms", values("ack p99")),
        Figure("the same: of one core", "%", values("steady cpu")),
        Figure("as many as it can", "/s", values("flat out rate"), Goal(">=", RATE)),
        Figure("chat.postMessage, p50", "ms", values("post p50")),
        Figure("chat.postMessage, p99", "ms", values("post p99")),
        Figure(f"memory with {MESSAGES:,} messages", "MB", values("full"), Goal("<=", 600)),
    ]


SUITE = Suite(
    name="slack-sim",
    kind="bench",
    what=f"the local Slack: {RATE:,} events/s over one socket; {WORKSPACES} workspaces with {MESSAGES:,} messages",
    runs=3,
    run=run,
    judge=judge,
    parts=(),
)
