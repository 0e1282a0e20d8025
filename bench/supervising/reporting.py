"""What supervising costs the program that is supervised: its calls, its memory, its import."""

import json
import statistics
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bench.beds.child import child
from bench.beds.supervisor import OwnSupervisor
from bench.beds.watched import Watched
from bench.figure import percentile

IMPORTS: Final = 9
NOBODY: Final = "http://127.0.0.1:9"
"""Where no supervisor listens, and none will."""


async def reporting(watched: Watched, supervisor: OwnSupervisor, folder: Path) -> dict[str, float]:
    """Each in a process of its own, one after the other."""
    agent = watched.agent(0)
    there = {"THREADLINE_AGENT_TOKEN": agent.token, "THREADLINE_AGENT_CHANNEL": agent.channel}
    calls = await _measured("calls", there | {"THREADLINE_AGENT_URL": supervisor.agents}, folder)
    if not calls["flushed"]:
        raise RuntimeError("the supervisor did not take what was reported")
    outbox = await _measured("outbox", there | {"THREADLINE_AGENT_URL": NOBODY}, folder)
    imports = [await _measured("import", {}, folder) for _ in range(IMPORTS)]
    return {
        f"{name}{how} p{of_hundred}": percentile(took, of_hundred)
        for name, both in calls["took_us"].items()
        for how, took in zip(("", " alone"), both, strict=True)
        for of_hundred in (50, 99)
    } | {
        "outbox": outbox["mib"],
        "outbox events": float(outbox["events"]),
        "import": statistics.median(imports),
    }


async def _measured(what: str, environment: Mapping[str, str], folder: Path) -> Any:
    command = (sys.executable, "-m", "bench.beds.agents_own", what)
    async with child(command, environment, folder / "own.log", Path.cwd()) as started:
        if await started.process.wait() != 0:
            raise RuntimeError(f"{what} could not be measured: {started.said()[-1500:]}")
        return json.loads(next(line for line in reversed(started.said().splitlines()) if line[:1] in "{0123456789"))
