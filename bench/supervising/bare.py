"""The same thousand agents before a door that does nothing but write: the floor on this machine."""

import asyncio
import sys
from pathlib import Path
from typing import Final

from bench.beds.child import Child, child
from bench.beds.reporting import Agent, Plan, reported
from bench.figure import percentile
from schemas.topics import AGENTS_EVENTS
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings

ROUNDS: Final = 16
LISTENS_WITHIN_S: Final = 20.0
SAYS: Final = "it listens at "


async def bare(kafka: KafkaSettings, agents: list[Agent], folder: Path) -> dict[str, float]:
    """The load without whatever a report is for."""
    told = {"PEER_TOPIC": f"{kafka.topic_prefix}{AGENTS_EVENTS.name}", "PEER_BROKERS": kafka.kafka_brokers}
    command = (sys.executable, "-m", "bench.peers.bare_reports")
    async with child(command, told, folder / "bare_reports.log", Path.cwd()) as door:
        address = await _address(door)
        used_s, began = door.cpu_s(), SystemClock().monotonic()
        found = await reported(Plan(address, agents, ROUNDS, 1.0, 0.0), folder)
        busy = (door.cpu_s() - used_s) / (SystemClock().monotonic() - began)
    return {
        "bare p50": percentile(found.checkpoints_ms, 50),
        "bare p99": percentile(found.checkpoints_ms, 99),
        "bare cpu": busy * 100,
    }


async def _address(door: Child) -> str:
    async with asyncio.timeout(LISTENS_WITHIN_S):
        while SAYS not in door.said():  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.1)
    return door.said().partition(SAYS)[2].split()[0]
