"""Programs of their own that report to a supervisor: what they are told, and how they end."""

import asyncio

from bench.beds.child import Child
from bench.beds.supervisor import Reporter


def environment_of(agent: Reporter) -> dict[str, str]:
    """What a program is told, so that it reports as an agent does, to the same channel."""
    return {
        "THREADLINE_AGENT_URL": agent.address,
        "THREADLINE_AGENT_TOKEN": agent.token,
        "THREADLINE_AGENT_CHANNEL": agent.channel or "",
    }


async def ended(running: Child) -> int:
    """Its exit code, in time."""
    async with asyncio.timeout(30):
        return await running.process.wait()
