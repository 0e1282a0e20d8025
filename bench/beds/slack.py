"""A local Slack in a process of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.beds.child import Child, child
from services.slack_sim.client import SlackSim, slack_sim_at

READY_WITHIN_S = 30.0


@dataclass(frozen=True)
class OwnSlack:
    """The simulator, and its process."""

    sim: SlackSim
    child: Child


@asynccontextmanager
async def own_slack(folder: Path, seed: str) -> AsyncIterator[OwnSlack]:
    """Runs it on a free port."""
    command = (sys.executable, "-m", "threadline", "slack-sim", "--port", "0", "--seed", seed)
    async with child(command, {"PYTHONUNBUFFERED": "1"}, folder / "slack-sim.log", folder) as started:
        address = await _address_of(started)
        async with slack_sim_at(address) as sim:
            yield OwnSlack(sim, started)


async def _address_of(started: Child) -> str:
    async with asyncio.timeout(READY_WITHIN_S):
        while started.is_running:
            words = started.said().split()
            found = [word for word in words if word.startswith("http://")]
            if found and "SLACK_API_URL" in started.said():
                return found[0].rstrip("/")
            await asyncio.sleep(0.05)
    raise RuntimeError(f"the simulator did not start; {started.said()[-500:]}")
