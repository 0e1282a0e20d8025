"""A context that fills up. The supervisor warns at 70 % and at 85 %, and says when that will be."""

import asyncio

from making_believe import pause
from threadline_agent import agent_task

SIZE = 100_000
TURNS = 10


async def main(seconds: float) -> None:
    """Reads on until hardly anything fits."""
    async with agent_task("reader", "Read the whole archive", context_size=SIZE) as task:
        for turn in range(TURNS):
            used = SIZE * (turn + 1) // (TURNS + 1)
            task.checkpoint(f"Reading box {turn + 1}", progress=turn / TURNS, tokens=used, cost=used * 3e-6)
            await asyncio.sleep(seconds)
        task.checkpoint("Summarizing what was read, and going on with that", progress=1.0, tokens=SIZE // 10)


if __name__ == "__main__":
    asyncio.run(main(pause()))
