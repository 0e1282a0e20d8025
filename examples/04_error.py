"""An error that is dealt with, and one that is not: it ends the task, and goes on as it was."""

import asyncio
import sys

from making_believe import pause
from threadline_agent import agent_task


class NoDisk(Exception):
    """There is no room left."""


async def main(seconds: float) -> None:
    """Builds twice, and fails."""
    async with agent_task("builder", "Build version 4") as task:
        task.checkpoint("Building", progress=0.1)
        await asyncio.sleep(seconds)
        task.error("The build failed: a download broke off", attempt=1)
        task.checkpoint("Building once more", progress=0.1, attempt=2)
        await asyncio.sleep(seconds)
        raise NoDisk("no space left on the device\n(this line is in no message)")


if __name__ == "__main__":
    try:
        asyncio.run(main(pause()))
    except NoDisk as error:
        print(f"still this program's own error to deal with: {error}", file=sys.stderr)
