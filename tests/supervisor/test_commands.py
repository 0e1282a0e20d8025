"""The command line: a second supervisor, as people start one, beside the first."""

import asyncio
import signal
import sys
from dataclasses import replace
from pathlib import Path

from bench.beds.child import child
from tests.supervisor.conftest import Watch


async def test_it_runs_as_people_start_it(watch: Watch, tmp_path: Path) -> None:
    agent = await watch.reporter("shared")
    await agent.start()
    own = {"THREADLINE_STATE_FOLDER": str(tmp_path / "state"), "THREADLINE_SUPERVISOR_HTTP_PORT": "0"}
    command = (sys.executable, "-m", "threadline", "supervisor")
    async with child(command, {**watch.environment, **own}, tmp_path / "log", tmp_path) as running:
        async with asyncio.timeout(30):
            while "is in hand" not in running.said():  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.1)
        address = replace(watch.supervisor, child=running).agents
        for number in range(8):  # of either's partitions
            other = await watch.reporter(f"shared-{number}")
            other.address = address if number % 2 else other.address
            await other.start()
            await other.end()
            await watch.head(other.task_id, "COMPLETE")
        running.send(signal.SIGINT)
        assert await running.process.wait() == 0
        assert "Traceback" not in running.said()
    await agent.end()
    await watch.head(agent.task_id, "COMPLETE")
