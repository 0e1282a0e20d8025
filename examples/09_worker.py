"""A worker that does what people ask for in Slack: /agent-task run greeter say hello."""

import asyncio

from making_believe import pause
from threadline_agent import Worker


async def main(seconds: float) -> None:
    """Takes one task after the other, until Ctrl-C."""
    print("waiting for work: /agent-task run greeter …")
    async for work in Worker("greeter"):
        async with work.task(repo_scope="acme/greetings") as task:
            print(f"{work.wanted_by} wants: {work.text}")
            task.checkpoint("Thinking of words", progress=0.5)
            await asyncio.sleep(seconds)
            task.complete(f"Hello! You wanted: {work.text}")


if __name__ == "__main__":
    asyncio.run(main(pause()))
