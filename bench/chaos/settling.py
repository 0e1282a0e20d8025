"""Waits until everything that was said is done with."""

import asyncio
import json
from contextlib import suppress

from bench.beds.commits import committed
from bench.beds.decided import end_of, seen
from bench.chaos.stage import Stage
from schemas.topics import AUDIT_DECISIONS, RUNS_COMMANDS, SLACK_EFFECTS, SLACK_INBOUND
from services.kit.clock import SystemClock
from services.kit.kafka.admin import admin_client
from services.slack_sim.client import NotInTime
from services.slack_sim.control.conditions import Settled

SETTLED_WITHIN_S, DONE_WITHIN_S = 90.0, 90.0
LOOK_EVERY_S, STILL_S = 0.5, 1.5


async def until_all_is_done(stage: Stage) -> int:
    """Until nothing is left and the ledger stands still, or too long. Gives how much is left."""
    with suppress(NotInTime):
        await stage.sim.wait(Settled(), SETTLED_WITHIN_S)
    clock, before = SystemClock(), -1
    began = still_since = clock.monotonic()
    while True:
        left = await _undecided(stage) + await _undone(stage)
        ledger, now = await end_of(stage.kafka, SLACK_EFFECTS), clock.monotonic()
        if ledger != before:
            still_since, before = now, ledger
        if (left == 0 and now - still_since >= STILL_S) or now - began > DONE_WITHIN_S:
            return left
        await asyncio.sleep(LOOK_EVERY_S)


async def _undecided(stage: Stage) -> int:
    """Records of the log of which no decision stands, and that were not deleted on purpose."""
    made = [json.loads(each.value) async for each in seen(stage.kafka, AUDIT_DECISIONS)]
    decided = {(each["source_partition"], each["source_offset"]) for each in made}
    gone = {(each.partition, each.offset) for each in stage.gone.inbound}
    return max(0, await end_of(stage.kafka, SLACK_INBOUND) - len(decided | gone))


async def _undone(stage: Stage) -> int:
    """Commands that the group has not committed."""
    ends = {each.partition: each.offset + 1 async for each in seen(stage.kafka, RUNS_COMMANDS)}
    async with admin_client(stage.kafka) as client:
        commits = await committed(client, stage.kafka, "responder")
    return sum(max(0, end - commits.get(partition, 0)) for partition, end in ends.items())
