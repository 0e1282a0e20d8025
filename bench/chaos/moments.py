"""Waits until it is the moment for a fault to strike."""

import asyncio
import random

from bench.chaos.people import People
from bench.chaos.scenario import Moment
from bench.chaos.stage import Stage
from services.slack_sim.control import asks

LOOK_EVERY_S = 0.02
COMES_WITHIN_S = 20.0
TALKED_S = (1.5, 3.5)
STARTED_S = (0.1, 1.5)
ANSWERING = 3
"""Answers that are being said at once."""
SLOW = asks.FailCalls(method="chat.*", delay_s=1.5, times=6)
"""So that a call is under way long enough to be struck in its middle."""


async def come(moment: Moment, stage: Stage, people: People, chance: random.Random) -> None:
    """Returns when it is there."""
    match moment:
        case "talking":
            await asyncio.sleep(chance.uniform(*TALKED_S))
        case "answering":
            async with asyncio.timeout(COMES_WITHIN_S):
                while stage.model.under_way < ANSWERING:  # noqa: ASYNC110 - the model has no event for it
                    await asyncio.sleep(LOOK_EVERY_S)
        case "calling":
            await asyncio.sleep(chance.uniform(*TALKED_S))
            await _until_a_call_is_under_way(stage)
        case "stopping":
            async with asyncio.timeout(COMES_WITHIN_S):
                await people.stopped.wait()
        case "starting":
            await asyncio.sleep(chance.uniform(*STARTED_S))
        case "quiet":
            return


async def _until_a_call_is_under_way(stage: Stage) -> None:
    seen = max((each.number for each in await stage.sim.calls()), default=0)
    await stage.sim.ask(SLOW)
    async with asyncio.timeout(COMES_WITHIN_S):
        while True:
            calls = (await stage.sim.ask(asks.ReadCalls(after=seen))).calls
            if any(each.method.startswith("chat.") and each.status == 0 for each in calls):
                return
            await asyncio.sleep(LOOK_EVERY_S)
