"""Stages of one piece of work: a task within a task is its child, also where several run at once."""

import asyncio

from making_believe import pause
from threadline_agent import agent_task


async def stage(agent: str, name: str, seconds: float) -> None:
    """One of them, in as many steps as it takes."""
    async with agent_task(agent, name) as task:
        for progress in (0.0, 0.5):
            task.checkpoint(name, progress=progress)
            await asyncio.sleep(seconds)


async def main(seconds: float) -> None:
    """First a plan, then two at once, then a review."""
    async with agent_task("lead", "Ship the search page") as whole:
        whole.checkpoint("Planning", progress=0.0, step="1 of 3")
        await stage("planner", "Plan the page", seconds)
        whole.checkpoint("Building", progress=0.33, step="2 of 3")
        await asyncio.gather(stage("coder", "Build the page", seconds), stage("tester", "Write its tests", seconds))
        whole.checkpoint("Reviewing", progress=0.66, step="3 of 3")
        await stage("reviewer", "Review it all", seconds)


if __name__ == "__main__":
    asyncio.run(main(pause()))
