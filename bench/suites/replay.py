"""How fast decisions are taken again: a day of them, beside reading the same two topics and deciding nothing."""

from datetime import timedelta
from time import process_time

from bench.beds.decided_log import put_decided
from bench.beds.traffic import Traffic
from bench.figure import Figure, Goal, Peer
from bench.suite import Bed, Measured, Suite
from bench.suites.broker import replace_prefix
from schemas.topics import AUDIT_DECISIONS, SLACK_INBOUND
from services.directory.document import TenantFacts
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings
from services.kit.kafka import admin
from services.kit.kafka.passage import passages
from services.router.replay.directories import Directories, Directory
from services.router.replay.replay import Stretch, Under, replay

EVENTS = 30_000
DAY_S = 86_400
REVISION = 1
PER_MINUTE = 30
CLOCK = SystemClock()


async def run(bed: Bed, number: int) -> Measured:
    """One log for all runs. Each takes all of its decisions again, and reads it without."""
    settings = replace_prefix(bed.kafka, f"bench-replay-{bed.seed}.")
    traffic = Traffic(bed.seed)
    tenants = [each.standing() for each in traffic.document(PER_MINUTE).tenants]
    if number == 0:
        async with admin.admin_client(settings) as client:
            await admin.create(client, (await admin.standing_of(client, settings)).missing)
        envelopes = traffic.envelopes(EVENTS, CLOCK.now().timestamp() - DAY_S, EVENTS / DAY_S)
        await put_decided(settings, envelopes, Directory(tenants, PER_MINUTE), REVISION)
    used = process_time()
    again_s = await _replayed(settings, tenants)
    cpu_us = (process_time() - used) / EVENTS * 1e6
    return Measured({"replay": EVENTS / again_s, "cpu": cpu_us, "read": EVENTS / await _read(settings)})


async def _replayed(settings: KafkaSettings, tenants: list[TenantFacts]) -> float:
    """How long it takes; a decision that were another would be no matter of speed."""

    async def read(_: int | None) -> list[TenantFacts]:
        return tenants

    begun, now = CLOCK.monotonic(), CLOCK.now()
    under = Under(Directories(read, PER_MINUTE), None, "its own")
    found = await replay(settings, Stretch(now - timedelta(hours=1), now), under)
    if (found.decided, found.undecided, len(found.differences)) != (EVENTS, 0, 0):
        raise RuntimeError(f"{found.decided} decided again, {len(found.differences)} otherwise: not what was put")
    return CLOCK.monotonic() - begun


async def _read(settings: KafkaSettings) -> float:
    """Both topics by the same client, and nothing else."""
    begun = CLOCK.monotonic()
    for topic in (SLACK_INBOUND, AUDIT_DECISIONS):
        async with passages(settings, topic) as found:
            parts = await found.between(CLOCK.now() - timedelta(hours=1))
            for partition, offsets in parts.items():
                passage, count = found.read(partition, offsets), 0
                while batch := await passage.more():
                    count += len(batch)
                if count != len(offsets):
                    raise RuntimeError(f"{count} of {len(offsets)} records of {topic.name} were read")
    return CLOCK.monotonic() - begun


def judge(runs: list[Measured]) -> list[Figure]:
    """Events a second. CPU says what a machine with other things to do would take without them."""
    read = Figure("reading both topics, deciding nothing", "events/s", tuple(each.figures["read"] for each in runs))
    again = tuple(each.figures["replay"] for each in runs)
    beside = Peer("reading alone", read.value)
    return [
        Figure("decisions taken again", "events/s", again, goal=Goal(">=", 5000), peer=beside),
        Figure("CPU for each", "µs", tuple(each.figures["cpu"] for each in runs)),
        read,
    ]


SUITE = Suite(
    name="replay",
    kind="bench",
    what=f"how fast {EVENTS:,} decisions of a day are taken again, beside reading them alone",
    runs=3,
    run=run,
    judge=judge,
)
