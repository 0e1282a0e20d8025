"""Functions, plain and async: each call of one is a task."""

import asyncio
import time

from making_believe import pause
from threadline_agent import AgentContext, current_task, supervised_agent


@supervised_agent("summarizer", "Summarize the week")
async def summarize(days: int, seconds: float, task: AgentContext) -> str:
    """The task is handed over for the parameter that is annotated so; callers do not see it."""
    for day in range(days):
        task.checkpoint(f"Reading day {day + 1}", progress=day / days)
        await asyncio.sleep(seconds)
    return f"{days} quiet days"


@supervised_agent
def tidy_up(seconds: float) -> None:
    """Without a name the task has the function's. The task is found from wherever it is needed."""
    time.sleep(seconds)
    note("Two branches are gone")


def note(what: str) -> None:
    """Called from within a task, or from none."""
    if (task := current_task()) is not None:
        task.checkpoint(what)


if __name__ == "__main__":
    duration = pause()
    print(asyncio.run(summarize(3, duration)))
    tidy_up(duration)
