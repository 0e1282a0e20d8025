"""How long the broker itself takes to acknowledge a durable write: the floor under every acknowledgement of ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import confluent_kafka
from aiokafka import AIOKafkaProducer
from pydantic import JsonValue

from bench.figure import Figure, Goal, Peer, percentile
from bench.load import Call, Outcome, open_loop
from bench.suite import Bed, Measured, Suite
from schemas.envelope import Received, SlackEnvelope
from schemas.topics import SLACK_INBOUND, Cluster, settings_for
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings, TelemetrySettings
from services.kit.kafka import admin
from services.kit.kafka.metrics import CATALOGUE
from services.kit.kafka.producer import Producer
from services.kit.telemetry.instruments import Instruments
from services.kit.telemetry.metrics import metrics_of
from services.kit.telemetry.traces import tracer_for

RATE, COUNT = 100.0, 500
BURST = 1000
KEY = "A0BENCH:T0BENCH"
CLIENTS = ("threadline", "aiokafka", "librdkafka")


def envelope() -> SlackEnvelope:
    """An envelope of the size of a usual mention."""
    now = SystemClock().now()
    payload: dict[str, JsonValue] = {
        "type": "event_callback",
        "team_id": "T0BENCH",
        "api_app_id": "A0BENCH",
        "event_id": "Ev0BENCH",
        "event_time": 1772442900,
        "authorizations": [{"team_id": "T0BENCH", "user_id": "U0BOT", "is_bot": True, "is_enterprise_install": False}],
        "event": {
            "type": "app_mention",
            "user": "U1",
            "ts": "1.0",
            "channel": "C1",
            "text": "<@U0BOT> " + "word " * 100,
        },
    }
    received = Received(transport="socket", received_at=now, ingress="bench")
    return SlackEnvelope(
        at=now, kind="events_api", connection=KEY, event_id="A0BENCH:Ev0BENCH", received=received, payload=payload
    )


@asynccontextmanager
async def with_threadline(settings: KafkaSettings) -> AsyncIterator[Call]:
    """Our producer: an event is checked, encoded, traced, measured and sent."""
    emitter = metrics_of("bench", CATALOGUE).emitter
    with tracer_for("bench", TelemetrySettings()) as tracer:
        async with Producer(settings, "bench", Instruments(SystemClock(), emitter, tracer)) as producer:

            async def call(number: int) -> None:
                await producer.publish(SLACK_INBOUND, KEY, envelope(), f"id-{number}")

            yield call


@asynccontextmanager
async def with_aiokafka(settings: KafkaSettings) -> AsyncIterator[Call]:
    """The client below ours, bare, with the bytes ready."""
    topic, value = f"{settings.topic_prefix}{SLACK_INBOUND.name}", envelope().model_dump_json().encode()
    async with AIOKafkaProducer(
        bootstrap_servers=settings.kafka_brokers, acks="all", enable_idempotence=True, linger_ms=0
    ) as producer:

        async def call(_: int) -> None:
            await producer.send_and_wait(topic, value, KEY.encode())

        yield call


@asynccontextmanager
async def with_librdkafka(settings: KafkaSettings) -> AsyncIterator[Call]:
    """The fastest client there is, bare, with the bytes ready."""
    topic, value = f"{settings.topic_prefix}{SLACK_INBOUND.name}", envelope().model_dump_json().encode()
    producer = confluent_kafka.Producer(
        {"bootstrap.servers": settings.kafka_brokers, "acks": "all", "enable.idempotence": True, "linger.ms": 0}
    )
    loop = asyncio.get_running_loop()
    polling = True

    def poll() -> None:
        while polling:
            producer.poll(0.01)

    async def call(_: int) -> None:
        done: asyncio.Future[None] = loop.create_future()

        def acknowledged(error: object, _: object) -> None:
            loop.call_soon_threadsafe(_settle, done, error)

        producer.produce(topic, value, KEY.encode(), on_delivery=acknowledged)
        await done

    poller = asyncio.create_task(asyncio.to_thread(poll))
    try:
        yield call
    finally:
        polling = False
        await poller
        producer.flush(10)


def _settle(done: "asyncio.Future[None]", error: object) -> None:
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(RuntimeError(str(error)))


WITH = {"threadline": with_threadline, "aiokafka": with_aiokafka, "librdkafka": with_librdkafka}


async def run(bed: Bed, number: int) -> Measured:
    """Each client in turn, beginning with another one each time, so that none has the quieter machine."""
    settings = replace_prefix(bed.kafka, f"bench-broker-{bed.seed}-{number}.")
    topic = settings_for(SLACK_INBOUND, Cluster(1, settings.topic_prefix, settings.topic_partitions))
    figures: dict[str, float] = {}
    raw: dict[str, list[float]] = {}
    async with admin.admin_client(settings) as client:
        await admin.create(client, [topic])
        for name in CLIENTS[number % 3 :] + CLIENTS[: number % 3]:
            async with WITH[name](settings) as call:
                await open_loop(RATE, 50, call)
                steady = _whole(await open_loop(RATE, COUNT, call))
                burst = _whole(await open_loop(BURST, BURST, call))
            figures |= {
                f"{name} p50": percentile(steady.latencies_ms, 50),
                f"{name} p99": percentile(steady.latencies_ms, 99),
                f"{name} burst": max(burst.latencies_ms),
            }
            raw |= {f"{name} steady": steady.latencies_ms, f"{name} burst": burst.latencies_ms}
            raw |= {f"{name} steady, begun late by": steady.late_starts_ms}
        await client.delete_topics([topic.name])
    return Measured(figures, raw)


def replace_prefix(settings: KafkaSettings, prefix: str) -> KafkaSettings:
    """The same cluster under another prefix."""
    return settings.model_copy(update={"topic_prefix": prefix})


def _whole(outcome: Outcome) -> Outcome:
    if outcome.failures:
        raise RuntimeError(f"{len(outcome.failures)} writes failed, the first with {outcome.failures[0]}")
    return outcome


def judge(runs: list[Measured]) -> list[Figure]:
    """Ours beside the client below it, and the fastest client beside both."""

    def figure(name: str, percent: str, peer: str | None, ratio: Goal | None) -> Figure:
        values = tuple(run.figures[f"{name} {percent}"] for run in runs)
        beside = Peer(peer, percentile([run.figures[f"{peer} {percent}"] for run in runs], 50)) if peer else None
        title = {"p50": f"{RATE:.0f}/s, p50", "p99": f"{RATE:.0f}/s, p99", "burst": f"{BURST} in 1 s, slowest"}[percent]
        return Figure(f"{name}: {title}", "ms", values, peer=beside, ratio_goal=ratio)

    return [
        figure("threadline", "p50", "aiokafka", Goal("<=", 1.5)),
        figure("threadline", "p99", "aiokafka", Goal("<=", 2.0)),
        figure("threadline", "burst", "aiokafka", Goal("<=", 2.0)),
        figure("aiokafka", "p50", "librdkafka", None),
        figure("aiokafka", "p99", "librdkafka", None),
        figure("aiokafka", "burst", "librdkafka", None),
    ]


SUITE = Suite(
    name="broker",
    kind="bench",
    what="from handing a record to the client until every in-sync replica has it (acks=all), open loop",
    runs=5,
    run=run,
    judge=judge,
)
