"""A local Slack that is slow, refuses, forgets and breaks off, a little of each all the time; and how often it did."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field

from services.slack_sim.client import SlackSim
from services.slack_sim.control import asks

SLOW_S = 0.8
"""Below the second for which a look-up waits: what Slack does later than that may stand twice, as the guide says."""
STREAMS_LIVE_S, STREAMS_WHOLE_S = 1.5, 300.0
LOOK_EVERY_S = 1.0

TROUBLES = (
    asks.FailCalls(method="chat.*", kind="ratelimited", retry_after_s=1, share=0.02),
    asks.FailCalls(method="chat.*", kind="status", share=0.02),
    asks.FailCalls(method="chat.*", kind="status_after", share=0.02),
    asks.FailCalls(method="chat.*", kind="error", error="internal_error", share=0.01),
    asks.FailCalls(method="chat.*", kind="cut", share=0.02),
    asks.FailCalls(method="chat.*", kind="lost_before", share=0.02),
    asks.FailCalls(method="chat.*", kind="lost_after", share=0.03),
    asks.FailCalls(method="chat.*", delay_s=SLOW_S, share=0.04),
    asks.FailCalls(method="reactions.*", kind="lost_after", share=0.2),
    asks.FailCalls(method="conversations.*", kind="ratelimited", retry_after_s=1, share=0.05),
    asks.FailCalls(method="conversations.*", kind="status", share=0.05),
    asks.FailCalls(method="conversations.*", kind="cut", share=0.05),
)


@dataclass
class SlackTroubles:
    """What is wrong with it, and what of that was met."""

    sim: SlackSim
    chance: random.Random
    met: Counter[str] = field(default_factory=Counter)
    _seen: int = 0

    async def begin(self) -> None:
        """From now on."""
        for trouble in TROUBLES:
            await self.sim.ask(trouble)

    async def end(self) -> None:
        """All is well again."""
        await self.sim.ask(asks.ClearFaults())
        await self.sim.ask(asks.SetStreamLives(idle_s=STREAMS_WHOLE_S, whole_s=STREAMS_WHOLE_S))

    async def let_streams_expire(self) -> None:
        """Now and then Slack ends what is streamed, in the middle. Where nothing is streamed, nothing happens."""
        while True:
            for lives_s, for_s in ((STREAMS_WHOLE_S, self.chance.uniform(4, 12)), (STREAMS_LIVE_S, 5.0)):
                await self.sim.ask(asks.SetStreamLives(idle_s=lives_s, whole_s=lives_s))
                await asyncio.sleep(for_s)

    async def watch(self) -> None:
        """Counts what was met; the simulator keeps the last calls only."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Up to the first call that is not answered yet."""
        for call in (await self.sim.ask(asks.ReadCalls(after=self._seen))).calls:
            if call.status == 0:
                return
            self._seen = call.number
            if call.fault is not None:
                self.met[call.fault] += 1
            elif call.error == "ratelimited":
                self.met["Slack's own limits"] += 1
            elif call.error == "message_not_in_streaming_state":
                self.met["a stream that expired"] += 1
