"""The whole product as a newcomer starts it, and somebody who asks."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.beds.child import Child, child
from services.slack_sim.client import SlackSim
from services.slack_sim.control.conditions import AMessage
from tests.slack_sim.first import First

READY_WITHIN_S = 90.0


@asynccontextmanager
async def up(home: Path, **more: str) -> AsyncIterator[Child]:
    """Runs it until all is ready."""
    command = (sys.executable, "-m", "threadline", "up")
    async with child(command, {"THREADLINE_HOME": str(home), **more}, home.parent / "up.log", home.parent) as running:
        seen = len(running.said())
        async with asyncio.timeout(READY_WITHIN_S):
            while "all is ready" not in running.said()[seen:]:
                assert running.is_running, running.said()
                await asyncio.sleep(0.1)
        yield running


async def answered(sim: SlackSim, first: First, text: str) -> None:
    """Somebody asks, and Mara answers."""
    ts = await sim.say(first.you, first.support, f"<@{first.bot_user}> {text}")
    said = AMessage(channel_id=first.support, thread_ts=ts, user_id=first.bot_user, contains=f"&gt; {text}")
    await sim.wait(said, 30)


def pid_of(home: Path, name: str) -> int:
    """Of one of its programs."""
    found: int = json.loads((home / "state.json").read_text())["programs"][name]["process"]["pid"]
    return found
