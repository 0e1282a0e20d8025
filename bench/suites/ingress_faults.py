"""Ingress under faults: the broker away for a minute, kill -9 twenty times, links cut and refreshed, under load."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.beds.broker import OwnBroker, own_broker
from bench.beds.inbound import Stored, stored
from bench.beds.ingress import OwnIngress, own_ingress
from bench.beds.slack import own_slack
from bench.figure import Figure, Goal
from bench.suite import Bed, Measured, Suite
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings
from services.slack_sim.client import SlackSim
from services.slack_sim.control.answers import EnvelopeShown, WorldShown
from services.slack_sim.control.asks import (
    DisconnectSockets,
    DropSockets,
    Load,
    RefuseSockets,
    Reset,
    SetLimits,
    SetPolicy,
)
from services.slack_sim.control.conditions import Settled, SomeSockets

RATE = 50
AWAY_S = 60.0
KILLS = 20
CUT_S = 30.0
REFRESHES = 3
SETTLED_WITHIN_S = 240.0


@dataclass(frozen=True)
class Scene:
    """Everything of one part: a broker, a Slack, and where ingress lives."""

    broker: OwnBroker
    sim: SlackSim
    world: WorldShown
    folder: Path
    kafka: KafkaSettings

    @asynccontextmanager
    async def ingress(self, *, ready: bool = True) -> AsyncIterator[OwnIngress]:
        """One that is connected by both its slots, or only started."""
        app = self.world.apps[0]
        given = {
            "SLACK_API_URL": self.sim.api_url,
            "SLACK_APP_TOKEN": app.app_token,
            "THREADLINE_KAFKA_BROKERS": self.kafka.kafka_brokers,
            "THREADLINE_TOPIC_PREFIX": self.kafka.topic_prefix,
            "THREADLINE_CONFIG": "/dev/null",
            "DATABASE_URL": "",
        }
        async with own_ingress(self.folder, given, ready=ready) as running:
            if ready:
                await self.sim.wait(SomeSockets(app_id=app.id, count=2), 30)
            yield running

    async def load(self, seconds: float) -> None:
        """Messages at a steady pace."""
        user, channel = self.world.users[0].id, self.world.channels[0].id
        text = "{number} " + "words that somebody could have said " * 30
        count = int(RATE * seconds)
        await self.sim.ask(Load(user_id=user, channel_id=channel, count=count, per_second=RATE, text=text))

    async def settled(self) -> list[EnvelopeShown]:
        """Every delivery, at its end."""
        await self.sim.wait(Settled(), SETTLED_WITHIN_S)
        return await self.sim.envelopes()


@asynccontextmanager
async def _scene(broker: OwnBroker, folder: Path, name: str, seed: int) -> AsyncIterator[Scene]:
    prefix = f"chaos-{name.replace(' ', '-')}-{seed}."
    await broker.make_topics(prefix)
    kafka = broker.settings.model_copy(update={"topic_prefix": prefix})
    where = folder / name
    where.mkdir()
    async with own_slack(where, str(seed)) as slack:
        await slack.sim.ask(SetLimits(on=False))
        yield Scene(broker, slack.sim, await slack.sim.world(), where, kafka)


async def run(bed: Bed, number: int) -> Measured:
    """Each fault in turn, on a broker of its own."""
    figures: dict[str, float] = {}
    seed = bed.seed + number
    with TemporaryDirectory(prefix="threadline-chaos-") as folder:
        async with AsyncExitStack() as stack:
            broker = await stack.enter_async_context(own_broker(Path(folder) / "broker"))
            for name, part in PARTS.items():
                async with _scene(broker, Path(folder), name, seed) as scene:
                    figures |= {f"{name}: {what}": value for what, value in (await part(scene, seed)).items()}
    return Measured(figures)


async def broker_away(scene: Scene, _: int) -> dict[str, float]:
    """The broker is stopped for a minute in the middle of the load."""
    async with scene.ingress() as running:
        loading = asyncio.create_task(scene.load(AWAY_S + 15))
        await asyncio.sleep(5)
        await scene.broker.stop()
        await asyncio.sleep(AWAY_S)
        waiting = await running.metric("threadline_ingress_spool_records", topic="slack.inbound")
        await scene.broker.start()
        began = SystemClock().monotonic()
        await loading
        envelopes = await scene.settled()
        await running.until("threadline_ingress_spooling", 0, 120, topic="slack.inbound")
        drained_s = SystemClock().monotonic() - began
    found = await stored(scene.kafka)
    return {
        **_held(envelopes, found),
        "late or sent again": _not_at_once(envelopes),
        "waited in the spool": waiting,
        "written after": drained_s,
    }


async def kills(scene: Scene, seed: int) -> dict[str, float]:
    """Kill -9, twenty times, at any moment: every second time while the broker stands still and the spool is used."""
    chance = random.Random(seed)  # noqa: S311 - a seeded plan
    await scene.sim.ask(SetPolicy(redelivery_s=(0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)))
    loading = asyncio.create_task(scene.load(KILLS * 2.5))
    for number in range(KILLS):
        async with scene.ingress(ready=False) as running:
            await asyncio.sleep(chance.uniform(1.5, 3.0))
            if number % 2:
                scene.broker.hold_up()
                await asyncio.sleep(chance.uniform(1.0, 2.5))
            await running.child.kill()
        scene.broker.let_go()
    async with scene.ingress() as running:
        await loading
        envelopes = await scene.settled()
        await running.until("threadline_ingress_spooling", 0, 120, topic="slack.inbound")
    found = await stored(scene.kafka)
    return {**_held(envelopes, found), "kills": float(KILLS)}


async def link_cut(scene: Scene, _: int) -> dict[str, float]:
    """A mention, and then no socket for half a minute."""
    world, sim = scene.world, scene.sim
    bot = world.installations[0].bot_user_id
    async with scene.ingress() as running:
        before = await running.metric("threadline_slack_event_dispatch_seconds_count", event_type="app_mention")
        await sim.say(world.users[0].id, world.channels[0].id, f"<@{bot}> hello")
        await scene.settled()
        mentions = await running.metric("threadline_slack_event_dispatch_seconds_count", event_type="app_mention")
        await sim.ask(RefuseSockets(seconds=CUT_S))
        await sim.ask(DropSockets())
        untrue = await _gauge_untrue(running, CUT_S)
        await sim.wait(SomeSockets(app_id=world.apps[0].id, count=2), 60)
        await running.until("threadline_slack_socket_state", 2, state="connected")
        return {
            "mentions counted": mentions - before,
            "reconnects": await running.metric("threadline_slack_socket_reconnects_total"),
            "lifetimes observed": await running.metric("threadline_slack_socket_connection_seconds_count"),
            "gauge untrue": untrue,
        }


async def _gauge_untrue(running: OwnIngress, seconds: float) -> float:
    """How often the gauge said otherwise than it was: not one state for each slot, or connected without a socket."""
    untrue = 0
    clock = SystemClock()
    end = clock.monotonic() + seconds
    await asyncio.sleep(1)
    while clock.monotonic() < end - 1:
        states = await running.metric("threadline_slack_socket_state")
        connected = await running.metric("threadline_slack_socket_state", state="connected")
        untrue += states != 2 or connected != 0  # noqa: PLR2004 - both slots
        await asyncio.sleep(0.5)
    return float(untrue)


async def refresh(scene: Scene, _: int) -> dict[str, float]:
    """Slack refreshes one of two sockets, again and again, under load."""
    async with scene.ingress() as running:
        await scene.load(3)
        await scene.settled()
        await scene.sim.ask(Reset(what="records"))
        loading = asyncio.create_task(scene.load(35))
        for _ in range(REFRESHES):
            await asyncio.sleep(9)  # the socket that was told before is closed by then
            await scene.sim.ask(DisconnectSockets(reason="refresh_requested", lead_s=2.0, count=1))
        await loading
        envelopes = await scene.settled()
        reconnects = await running.metric("threadline_slack_socket_reconnects_total")
    return {
        "unacknowledged": float(sum(each.acknowledged_at is None for each in envelopes)),
        "late or sent again": _not_at_once(envelopes),
        "reconnects": reconnects,
    }


def _held(envelopes: Sequence[EnvelopeShown], found: Sequence[Stored]) -> dict[str, float]:
    """What came of the promise: nothing acknowledged is missing, and each team's stand in order."""
    acknowledged = {each.event_id for each in envelopes if each.acknowledged_at is not None}
    ids = [each.id.partition(":")[2] for each in found]
    numbers = [int(each.text.partition(" ")[0]) for each in found]
    first = list(dict.fromkeys(numbers))
    return {
        "acknowledged": float(len(acknowledged)),
        "unacknowledged": float(sum(each.acknowledged_at is None for each in envelopes)),
        "missing": float(len(acknowledged - set(ids))),
        "out of order": float(sum(later < sooner for sooner, later in pairwise(first))),
        "written again, with the same id": float(sum(times - 1 for times in Counter(ids).values())),
    }


def _not_at_once(envelopes: Sequence[EnvelopeShown]) -> float:
    return float(sum(each.late or len(each.attempts) > 1 for each in envelopes))


PARTS = {"broker away 60 s": broker_away, "20 kills": kills, "link cut 30 s": link_cut, "refresh": refresh}

GOALS: dict[str, Goal] = {
    "broker away 60 s: unacknowledged": Goal("==", 0),
    "broker away 60 s: missing": Goal("==", 0),
    "broker away 60 s: out of order": Goal("==", 0),
    "broker away 60 s: late or sent again": Goal("==", 0),
    "20 kills: unacknowledged": Goal("==", 0),
    "20 kills: missing": Goal("==", 0),
    "link cut 30 s: mentions counted": Goal("==", 1),
    "link cut 30 s: reconnects": Goal(">=", 2),
    "link cut 30 s: lifetimes observed": Goal(">=", 2),
    "link cut 30 s: gauge untrue": Goal("==", 0),
    "refresh: unacknowledged": Goal("==", 0),
    "refresh: late or sent again": Goal("==", 0),
    "refresh: reconnects": Goal("==", REFRESHES),
}


def judge(runs: list[Measured]) -> list[Figure]:
    """Nothing acknowledged is missing, whatever was done."""
    return [
        Figure(name, "s" if name.endswith("after") else "", tuple(run.figures[name] for run in runs), GOALS.get(name))
        for name in runs[0].figures
    ]


SUITE = Suite(
    name="ingress",
    kind="chaos",
    what=f"ingress: no broker for {AWAY_S:.0f} s under {RATE}/s, {KILLS} × kill -9, a link cut for {CUT_S:.0f} s",
    runs=1,
    run=run,
    judge=judge,
    parts=(),
)
