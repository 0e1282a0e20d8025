"""The responder's speed: from a command to the model's call and to Slack, how many runs at once, how fast a stop is."""

import asyncio
import statistics
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import ClientSession
from opentelemetry.trace import NoOpTracer

from bench.beds.child import child
from bench.beds.commanding import WORKSPACES, Commanding
from bench.beds.outside import Outside, Pace, outside
from bench.beds.responder import own_responder
from bench.beds.router import describe, router_environment
from bench.beds.service import OwnService
from bench.beds.traffic import Traffic
from bench.figure import Figure, Goal, percentile
from bench.load import open_loop
from bench.suite import Bed, Measured, Suite
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings
from services.kit.kafka import admin
from services.kit.kafka.producer import Producer
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.instruments import Instruments
from services.local import kafka, postgres

STEADY = {10: 300, 50: 1_000}
"""How many runs a second, and how many of them."""
WARM = 100
SETTLED_S = 5.0
AT_ONCE = 1_000
STOPS = 200
SLOWLY = Pace(words=45, pause_s=1.0, spread_s=1.0)
LOOKS, LOOK_EVERY_S = 200, 0.05
FLOODS, FLOOD, OTHERS, OTHERS_PER_SECOND = 0, 1_000, 180, 9.0
"""Which tenant floods, with how many questions; how many the nine others ask meanwhile, and how fast."""
WITHIN_S = 60.0


async def run(bed: Bed, number: int) -> Measured:
    """Single runs at a steady pace; a thousand at once; stops."""
    settings = bed.kafka.model_copy(update={"topic_prefix": f"bench-{number}."})
    await _topics(settings)
    await describe(bed.database, Traffic(7, workspaces=WORKSPACES).document())
    clock = SystemClock()
    figures: dict[str, float] = {}
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="threadline-responder-")))
        beyond = await stack.enter_async_context(outside())
        environment = {
            **router_environment(settings, bed.database),
            "SLACK_API_URL": f"{beyond.address}/api/",
            "SLACK_BOT_TOKEN": "xoxb-bench",
            "THREADLINE_MODEL": "openai:bench",
            "OPENAI_BASE_URL": f"{beyond.address}/v1",
            "THREADLINE_RESPONDER_RUNS": "5000",
        }
        async with own_responder(folder / "rehearsal", {**environment, "THREADLINE_MODEL": "rehearsal"}) as idle:
            figures["RSS idle, MB"] = idle.child.rss_mb()
        running = await stack.enter_async_context(own_responder(folder / "own", environment))
        figures["RSS idle with OpenAI's SDK, MB"] = running.child.rss_mb()
        instruments = Instruments(clock, NoEmitter(), NoOpTracer())
        producer = await stack.enter_async_context(Producer(settings, "router", instruments))
        commanding = Commanding(producer, clock)
        for per_second, runs in STEADY.items():
            figures |= await _steady(commanding, beyond, running, per_second, runs)
        figures |= await _at_once(commanding, beyond, running)
        figures |= await _bare(beyond, folder)
        figures |= await _stops(commanding, beyond)
        figures |= await _flood(commanding, beyond)
    return Measured(figures)


async def _topics(settings: KafkaSettings) -> None:
    async with admin.admin_client(settings) as client:
        await admin.create(client, (await admin.standing_of(client, settings)).missing)


async def _steady(
    commanding: Commanding, beyond: Outside, running: OwnService, per_second: int, runs: int
) -> dict[str, float]:
    """At an even pace, each 20 words long."""
    beyond.pace = Pace()
    durable: dict[int, float] = {}
    cpu = running.child.cpu_s()

    async def one(_: int) -> None:
        number = await commanding.one()
        durable[number] = beyond.clock.monotonic()

    await open_loop(per_second, runs, one)
    await _until(lambda: beyond.ended.keys() >= durable.keys())
    counted = sorted(durable)[WARM:]
    to_model = [(beyond.asked[each] - durable[each]) * 1000 for each in counted]
    to_slack = [(beyond.placed[each] - durable[each]) * 1000 for each in counted]
    to_end = [(beyond.ended[each] - beyond.last_word[each]) * 1000 for each in counted]
    late = sum(1 for each in counted if beyond.placed[each] > beyond.ended[each])
    named = {
        "command to the model's call, p50, ms": statistics.median(to_model),
        "command to the model's call, p99, ms": percentile(to_model, 99),
        "command to Thinking…, p50, ms": statistics.median(to_slack),
        "command to Thinking…, p99, ms": percentile(to_slack, 99),
        "last word to the last call, p50, ms": statistics.median(to_end),
        "last word to the last call, p99, ms": percentile(to_end, 99),
        "answers before Thinking…": late,
        "CPU for each run, ms": (running.child.cpu_s() - cpu) / runs * 1000,
    }
    return {f"{per_second}/s: {name}": value for name, value in named.items()}


async def _at_once(commanding: Commanding, beyond: Outside, running: OwnService) -> dict[str, float]:
    """A thousand, each a word a second."""
    beyond.pace = SLOWLY
    ended = len(beyond.ended)
    await asyncio.gather(*(commanding.one() for _ in range(AT_ONCE)))
    await _until(lambda: beyond.speaking >= AT_ONCE)
    await asyncio.sleep(SETTLED_S)  # that all of them began at the same moment is not what is looked at
    took = await _looks(running.address, beyond)
    rss = running.child.rss_mb()
    await _until(lambda: len(beyond.ended) >= ended + AT_ONCE)
    return {
        f"RSS with {AT_ONCE} runs, MB": rss,
        f"its own page with {AT_ONCE} runs, p50, ms": statistics.median(took),
        f"its own page with {AT_ONCE} runs, p99, ms": percentile(took, 99),
    }


async def _bare(beyond: Outside, folder: Path) -> dict[str, float]:
    """The same thousand, read by nothing but asyncio: the floor."""
    beyond.pace = SLOWLY
    log = folder / "bare_streams.log"
    told = {"PEER_MODEL": beyond.address, "PEER_STREAMS": str(AT_ONCE)}
    async with child((sys.executable, "-m", "bench.peers.bare_streams"), told, log, Path.cwd()) as bare:
        await _until(lambda: beyond.speaking >= AT_ONCE and "serves " in bare.said())
        took = await _looks(bare.said().partition("serves ")[2].split()[0], beyond)
        rss = bare.rss_mb()
    await _until(lambda: not beyond.speaking)
    return {
        f"bare asyncio: RSS with {AT_ONCE} streams, MB": rss,
        f"bare asyncio: a page of its with {AT_ONCE} streams, p99, ms": percentile(took, 99),
    }


async def _looks(address: str, beyond: Outside) -> list[float]:
    """How long a process takes to show a page while it has other things to do: how far its loop is behind."""
    took: list[float] = []
    async with ClientSession() as session:
        for _ in range(LOOKS):
            began = beyond.clock.monotonic()
            async with session.get(f"{address}/health/live") as answer:
                await answer.read()
            took.append((beyond.clock.monotonic() - began) * 1000)
            await asyncio.sleep(LOOK_EVERY_S)
    return took


async def _stops(commanding: Commanding, beyond: Outside) -> dict[str, float]:
    """One after the other, among two hundred."""
    beyond.pace = Pace(words=2_000, pause_s=0.05, spread_s=1.0)
    numbers = await asyncio.gather(*(commanding.one() for _ in range(STOPS)))
    await _until(lambda: beyond.speaking >= STOPS)
    took = []
    for number in numbers:
        await commanding.stop(number)
        durable = beyond.clock.monotonic()
        await _until(partial(beyond.broken_off.__contains__, number))
        took.append((beyond.broken_off[number] - durable) * 1000)
    return {
        "stop to the end of the model's call, p50, ms": statistics.median(took),
        "stop to the end of the model's call, p99, ms": percentile(took, 99),
    }


async def _flood(commanding: Commanding, beyond: Outside) -> dict[str, float]:
    """Ten tenants, alone and then beside one of them that floods: how long the others wait for an answer."""
    beyond.pace = Pace(words=40, pause_s=0.05)
    alone = await _of_others(commanding, beyond)
    await asyncio.gather(*(commanding.one(FLOODS) for _ in range(FLOOD)))
    beside = await _of_others(commanding, beyond)  # Slack's limits keep the tenth busy for many minutes more
    return {
        "nine tenants alone, question to answer, p50, ms": statistics.median(alone),
        "nine tenants alone, question to answer, p99, ms": percentile(alone, 99),
        f"beside {FLOOD} questions of a tenth at once, p50, ms": statistics.median(beside),
        f"beside {FLOOD} questions of a tenth at once, p99, ms": percentile(beside, 99),
        "beside the flood, to alone, p50": statistics.median(beside) / statistics.median(alone),
    }


async def _of_others(commanding: Commanding, beyond: Outside) -> list[float]:
    asked: dict[int, float] = {}

    async def one(number: int) -> None:
        begun = beyond.clock.monotonic()
        asked[await commanding.one(1 + number % 9)] = begun

    await open_loop(OTHERS_PER_SECOND, OTHERS, one)
    await _until(lambda: beyond.ended.keys() >= asked.keys())
    return [(beyond.ended[number] - begun) * 1000 for number, begun in asked.items()]


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not holds():  # noqa: ASYNC110 - what is waited for is written by others
            await asyncio.sleep(0.005)


GOALS = {
    "50/s: command to the model's call, p50, ms": 6,
    "50/s: command to the model's call, p99, ms": 25,
    "50/s: command to Thinking…, p99, ms": 25,
    "50/s: last word to the last call, p50, ms": 5,
    "50/s: last word to the last call, p99, ms": 20,
    f"RSS with {AT_ONCE} runs, MB": 350,
    f"its own page with {AT_ONCE} runs, p99, ms": 20,
    "stop to the end of the model's call, p99, ms": 100,
    "RSS idle, MB": 170,
    "beside the flood, to alone, p50": 1.5,
    "50/s: answers before Thinking…": 0,
}


def judge(measured: list[Measured]) -> list[Figure]:
    """What was measured, and what was wanted."""
    figures = []
    for name in measured[0].figures:
        bound = GOALS.get(name)
        goal = Goal("<=", bound) if bound is not None else None
        unit = name.rpartition(", ")[2] if ", " in name else ""
        figures.append(Figure(name, unit, tuple(each.figures[name] for each in measured), goal))
    return figures


SUITE = Suite(
    name="responder",
    kind="bench",
    what="the responder: 50 runs a second, 1,000 at once beside bare asyncio, stops, a tenant that floods",
    runs=3,
    run=run,
    judge=judge,
    parts=(kafka.NAME, postgres.NAME),
)
