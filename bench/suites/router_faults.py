"""Routers under faults: kill -9, SIGTERM, pauses, absences, a third one, broker and Postgres away; then the count.

Every decision that stands on the topic is compared with the one that a router without any fault would have made.
"""

import asyncio
import json
import random
import signal
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from aiokafka import AIOKafkaProducer

from bench.beds.broker import OwnBroker, own_broker
from bench.beds.child import Child, child
from bench.beds.database_link import database_link
from bench.beds.decided import end_of, seen
from bench.beds.inbox import encoded
from bench.beds.relay import Relay
from bench.beds.router import describe, router_environment
from bench.beds.traffic import Traffic
from bench.beds.undisturbed import Undisturbed, over_granted
from bench.figure import Figure, Goal
from bench.suite import Bed, Measured, Suite
from schemas.envelope import Envelope
from schemas.topics import AUDIT_DECISIONS, AUDIT_RUNS, RUNS_COMMANDS, SLACK_INBOUND
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.local import postgres
from services.router.stream.deciding import Source

EVENTS, RESENT = 200_000, 10
"""Every tenth is sent twice."""
DISTURBANCES = 50
SESSION_S = 6.0
PER_MINUTE = 20
"""Of every workspace: at the pace of the log most are near their limit, and every tenth is over it."""
WORKSPACES = 40
STRANGE = 500
"""Every so many-th event is of a workspace that nobody owns."""
FINISHED_WITHIN_S = 600.0
KINDS = ("kill", "kill", "terminate", "pause", "pause", "absence", "third", "broker", "postgres")


@dataclass
class Scene:
    """Everything of one run."""

    broker: OwnBroker
    kafka: KafkaSettings
    database: DatabaseSettings
    relay: Relay
    folder: Path
    chance: random.Random
    done: Counter[str] = field(default_factory=Counter)
    workers: dict[str, "Worker"] = field(default_factory=dict)


@dataclass
class Worker:
    """A router that is started again and again."""

    scene: Scene
    name: str
    child: Child | None = None
    exits: Counter[int] = field(default_factory=Counter)
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """A new process under the same name."""
        folder = self.scene.folder / self.name
        await asyncio.to_thread(folder.mkdir, exist_ok=True)
        told = router_environment(
            self.scene.kafka,
            self.scene.database,
            THREADLINE_ROUTER_NAME=self.name,
            THREADLINE_ROUTER_SESSION_S=str(SESSION_S),
            THREADLINE_STATE_FOLDER=str(folder),
        )
        command = (sys.executable, "-m", "services.router")
        self.child = await self._running.enter_async_context(child(command, told, folder / "log", Path.cwd()))

    async def end(self, *, gently: bool) -> None:
        """It is gone."""
        if self.child is not None:
            if gently:
                self.exits[await self.child.stop()] += 1
            else:
                await self.child.kill()
        await self._running.aclose()

    async def revive(self) -> None:
        """One that ended by itself is started again, and counted."""
        if self.child is not None and not self.child.is_running:
            self.scene.done[f"ended by itself with {self.child.process.returncode}"] += 1
            await self._running.aclose()
            await self.start()


async def run(bed: Bed, number: int) -> Measured:
    """Two workers, and all of it."""
    seed = bed.seed + number
    traffic = Traffic(seed, WORKSPACES)
    await describe(bed.database, traffic.document(PER_MINUTE))
    with TemporaryDirectory(prefix="threadline-chaos-") as folder:
        async with (
            own_broker(Path(folder) / "broker") as broker,
            database_link(bed.database) as (between, database),
        ):
            prefix = f"chaos-router-{seed}."
            await broker.make_topics(prefix)
            kafka = broker.settings.model_copy(update={"topic_prefix": prefix})
            scene = Scene(broker, kafka, database, between, Path(folder), random.Random(seed))  # noqa: S311 - a seeded plan
            began = SystemClock().monotonic()
            await _all_of_it(scene, traffic)
            took_s = SystemClock().monotonic() - began
            figures = await _count(scene, traffic)
    figures |= {f"disturbed by {kind}": float(count) for kind, count in sorted(scene.done.items())}
    disturbances = sum(count for kind, count in scene.done.items() if kind in KINDS)
    return Measured({**figures, "disturbances": float(disturbances), "took, s": took_s})


async def _all_of_it(scene: Scene, traffic: Traffic) -> None:
    for name in ("a", "b"):
        scene.workers[name] = Worker(scene, name)
        await scene.workers[name].start()
    producing = asyncio.create_task(_produce(scene, traffic))
    try:
        while sum(count for kind, count in scene.done.items() if kind in KINDS) < DISTURBANCES:
            await asyncio.sleep(scene.chance.uniform(2, 6))
            await _disturb(scene)
            for worker in scene.workers.values():
                await worker.revive()
        await producing
        await _until_all_is_decided(scene)
    finally:
        producing.cancel()
        for worker in scene.workers.values():
            await worker.end(gently=True)


async def _produce(scene: Scene, traffic: Traffic) -> None:
    """The log, as fast as the disturbances last; the broker may be away."""
    producer = AIOKafkaProducer(
        bootstrap_servers=scene.kafka.kafka_brokers, acks="all", linger_ms=5, enable_idempotence=True,
        request_timeout_ms=300_000,
    )  # fmt: skip
    await producer.start()
    name = f"{scene.kafka.topic_prefix}{SLACK_INBOUND.name}"
    waiting = []
    for number, envelope in enumerate(_log(traffic)):
        value, headers = encoded(envelope)
        waiting.append(await producer.send(name, value, envelope.connection.encode(), headers=list(headers)))
        if number % 100 == 0:
            await asyncio.gather(*waiting)
            waiting.clear()
            await asyncio.sleep(DISTURBANCES * 6.0 / (EVENTS / 100))
    await producer.flush()
    await producer.stop()


def _log(traffic: Traffic) -> Iterator[Envelope]:
    """Every tenth delivery comes again some time later, with the same name."""
    chance = random.Random(traffic.seed)  # noqa: S311 - a seeded plan
    later: list[Envelope] = []
    begun = datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp()
    for number, envelope in enumerate(islice(traffic.envelopes(EVENTS, begun), EVENTS)):
        if number % STRANGE == 0:
            yield traffic.one("chatter", begun + number / 100, f"T9{number}")
        yield envelope
        if number % RESENT == 0:
            later.append(envelope)
        if later and chance.random() < 1 / RESENT:
            yield later.pop(chance.randrange(len(later)))
    yield from later


async def _disturb(scene: Scene) -> None:
    kind = scene.chance.choice(KINDS)
    worker = scene.workers[scene.chance.choice(["a", "b"])]
    scene.done[kind] += 1
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
            third = Worker(scene, "c")
            await third.start()
            await asyncio.sleep(12)
            await third.end(gently=scene.chance.random() < 0.5)  # noqa: PLR2004 - a coin
        case "broker":
            await scene.broker.stop()
            await asyncio.sleep(scene.chance.uniform(1, 4))
            await scene.broker.start()
        case _:
            scene.relay.cut()
            await asyncio.sleep(scene.chance.uniform(4, 10))
            scene.relay.mend()


async def _until_all_is_decided(scene: Scene) -> None:
    """Every offset has its decision, and then nothing comes any more."""
    wanted, before = await end_of(scene.kafka, SLACK_INBOUND), -1
    async with asyncio.timeout(FINISHED_WITHIN_S):
        while True:
            now = await end_of(scene.kafka, AUDIT_DECISIONS)
            if now >= wanted and now == before:
                return
            before = now
            for worker in scene.workers.values():
                await worker.revive()
            await asyncio.sleep(5)


async def _count(scene: Scene, traffic: Traffic) -> dict[str, float]:
    """What stands on the topics, held against what should."""
    expected, events = await _expected(scene, traffic)
    made: dict[str, bytes] = {}
    otherwise = repeats = 0
    async for each in seen(scene.kafka, AUDIT_DECISIONS):
        if each.id in made:
            repeats += 1
            otherwise += made[each.id] != each.value
        made.setdefault(each.id, each.value)
    decisions = {}
    doubled = 0
    for value in made.values():
        found = json.loads(value)
        where = (found["source_partition"], found["source_offset"])
        doubled += where in decisions
        decisions[where] = found
    first = Counter(found["event_id"] for found in decisions.values() if not _is_repeat(found["decision"]))
    wrong = [where for where, wanted in expected.items() if decisions.get(where, {}).get("decision") != wanted]
    return {
        "records of slack.inbound": float(len(expected)),
        "distinct events": float(len(events)),
        "undecided": float(len(expected.keys() - decisions.keys())),
        "decided twice": float(doubled),
        "events without a first decision": float(sum(first[name] == 0 for name in events)),
        "events with several": float(sum(first[name] > 1 for name in events)),
        "decided otherwise than without faults": float(len(wrong)),
        "resends recognised": float(sum(_is_repeat(found["decision"]) for found in decisions.values())),
        "throttled": float(sum(found["decision"]["kind"] == "throttled" for found in decisions.values())),
        "granted over the limit": float(_over_granted(decisions)),
        "repeats of decisions": float(repeats),
        "repeats that differ": float(otherwise),
        **await _of_commands(scene, decisions),
    }


def _is_repeat(decision: dict[str, object]) -> bool:
    """Whether the same delivery was decided before."""
    return decision["kind"] == "duplicate" and decision["of"] == "event"


async def _expected(scene: Scene, traffic: Traffic) -> tuple[dict[tuple[int, int], dict[str, object]], set[str]]:
    """The log, decided in one process that nothing happens to."""
    undisturbed = Undisturbed(traffic.document(PER_MINUTE).tenants, PER_MINUTE)
    expected: dict[tuple[int, int], dict[str, object]] = {}
    events: set[str] = set()
    async for each in seen(scene.kafka, SLACK_INBOUND):
        source = Source(each.partition, each.offset, each.key, each.value, each.headers, each.appended_ms / 1000)
        expected[each.partition, each.offset] = undisturbed.decide(source)
        events.add(each.id)
    return expected, events


def _over_granted(decisions: dict[tuple[int, int], dict[str, object]]) -> int:
    granted: dict[str, list[float]] = defaultdict(list)
    for found in decisions.values():
        decision = found["decision"]
        if isinstance(decision, dict) and decision["kind"] == "dispatched":
            granted[str(found["connection"])].append(datetime.fromisoformat(str(found["at"])).timestamp())
    return over_granted(granted, PER_MINUTE)


async def _of_commands(scene: Scene, decisions: dict[tuple[int, int], dict[str, object]]) -> dict[str, float]:
    """What was sent is what the decisions say, once, and in each team's order."""
    sent: dict[str, tuple[int, int]] = {}
    for where, found in decisions.items():
        names = found["sent"]
        sent |= dict.fromkeys(names if isinstance(names, list) else [], where)
    figures: dict[str, float] = {}
    unknown = turned = differ = 0
    arrived: set[str] = set()
    for topic in (RUNS_COMMANDS, AUDIT_RUNS):
        first: dict[str, bytes] = {}
        order: dict[tuple[bytes | None, int], list[int]] = defaultdict(list)
        async for each in seen(scene.kafka, topic):
            if each.id in first:
                differ += first[each.id] != each.value
                continue
            first[each.id] = each.value
            if each.id not in sent:
                unknown += 1
                continue
            order[(each.key or b"").partition(b":")[0], each.partition].append(sent[each.id][1])
        arrived |= first.keys()
        turned += sum(later < sooner for offsets in order.values() for sooner, later in pairwise(offsets))
    of_these = {
        name
        for name, where in sent.items()
        if decisions[where]["decision"]["kind"] in {"dispatched", "throttled"}  # type: ignore[index]
    }
    figures["sent, and no decision says so"] = float(unknown)
    figures["said to be sent, and not there"] = float(len(of_these - arrived))
    figures["out of a team's order"] = float(turned)
    figures["commands whose repeats differ"] = float(differ)
    return figures


GOALS = {
    "disturbances": Goal(">=", DISTURBANCES),
    "undecided": Goal("==", 0),
    "decided twice": Goal("==", 0),
    "events without a first decision": Goal("==", 0),
    "events with several": Goal("==", 0),
    "decided otherwise than without faults": Goal("==", 0),
    "granted over the limit": Goal("==", 0),
    "repeats that differ": Goal("==", 0),
    "sent, and no decision says so": Goal("==", 0),
    "said to be sent, and not there": Goal("==", 0),
    "out of a team's order": Goal("==", 0),
    "commands whose repeats differ": Goal("==", 0),
}


def judge(runs: list[Measured]) -> list[Figure]:
    """Exactly one decision for each event, whatever was done."""
    names = dict.fromkeys(name for each in runs for name in each.figures)
    return [Figure(name, "", tuple(each.figures.get(name, 0.0) for each in runs), GOALS.get(name)) for name in names]


SUITE = Suite(
    name="router",
    kind="chaos",
    what=f"routers: {EVENTS:,} events, every {RESENT}th twice, under {DISTURBANCES} kills, pauses and absences",
    runs=1,
    run=run,
    judge=judge,
    parts=(postgres.NAME,),
)
