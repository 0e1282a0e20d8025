"""Waits until work goes on: until something was acknowledged, decided and answered since a moment."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable

from aiokafka.errors import KafkaError

from bench.beds.decided import seen
from bench.chaos.scenario import Going
from bench.chaos.stage import Stage
from bench.story import FINAL
from schemas.topics import AUDIT_DECISIONS, AUDIT_RUNS
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings
from services.slack_sim.control import asks

LOOK_EVERY_S, BROKER_ANSWERS_WITHIN_S = 0.5, 3.0
COMES_WITHIN_S = 30.0
"""On a machine that has much else to do, too."""


async def until_it_goes_on(stage: Stage, wanted: Iterable[Going], since: float) -> None:
    """Returns when there was some of each since then; or when it took too long, for whoever counts it to tell."""
    clock, left = SystemClock(), set(wanted)
    until = clock.monotonic() + COMES_WITHIN_S
    while True:
        left = {what for what in left if max(await _times(stage, what), default=0.0) < since}
        if not left or clock.monotonic() > until:
            return
        await asyncio.sleep(LOOK_EVERY_S)


async def _times(stage: Stage, what: Going) -> list[float]:
    """When each was there. Of what stands on topics nothing is seen while their broker is away."""
    if what == "acks":
        envelopes = (await stage.sim.ask(asks.ReadEnvelopes())).envelopes
        return [each.acknowledged_at for each in envelopes if each.acknowledged_at is not None]
    try:
        async with asyncio.timeout(BROKER_ANSWERS_WITHIN_S):
            return [at async for at in _on_topic(stage.kafka, what)]
    except (TimeoutError, KafkaError, OSError):
        return []


async def _on_topic(kafka: KafkaSettings, what: Going) -> AsyncIterator[float]:
    async for each in seen(kafka, AUDIT_DECISIONS if what == "decisions" else AUDIT_RUNS):
        if what == "decisions" or json.loads(each.value).get("state") in FINAL:
            yield each.appended_ms / 1000
