"""A task: how far it is, what it costs, what it made, and its end."""

import asyncio

from making_believe import pause
from threadline_agent import agent_task

STEPS = ("Reading the code", "Writing the change", "Running the tests", "Opening the pull request")


async def main(seconds: float) -> None:
    """Raises a limit, as far as anybody can see."""
    async with agent_task("coder", "Raise the upload limit", repo_scope="acme/shop") as task:
        for number, step in enumerate(STEPS):
            task.checkpoint(
                step,
                progress=number / len(STEPS),
                step=f"{number + 1} of {len(STEPS)}",
                tokens=20_000 * (number + 1),
                cost=0.03,
            )
            await asyncio.sleep(seconds)
        task.add_artifact("pull_request", "Raise the upload limit", link="https://example.com/acme/shop/pull/7")
        task.complete("The limit is 50 MB now, and a test holds it")


if __name__ == "__main__":
    asyncio.run(main(pause()))
