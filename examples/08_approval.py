"""Something that is done only where a person said yes to exactly that."""

import asyncio

from making_believe import pause
from threadline_agent import agent_task

RELEASE = {"version": 4, "hosts": ["shop-1", "shop-2"]}


async def main(seconds: float) -> None:
    """Asks, in plain words and with choices, and then for a yes."""
    async with agent_task("deployer", "Deploy version 4", repo_scope="acme/shop") as task:
        task.checkpoint("Getting ready", progress=0.2)
        await asyncio.sleep(seconds)

        region = await task.request_approval("Where first?", choices=["east", "west"], timeout=600)
        print(f"where first: {region.answer or region.outcome}")

        approval = await task.request_approval("deploy", RELEASE, timeout=600)
        if approval.allows("deploy", RELEASE):
            task.checkpoint("Deploying", progress=0.8)
            await asyncio.sleep(seconds)
            task.add_artifact("deploy", "Version 4", link="https://shop.example.com")
            task.complete(f"Deployed, as {approval.decided_by} said")
        else:
            print(f"not deployed: {approval.outcome}{f', {approval.reason}' if approval.reason else ''}")
            task.cancel(f"Not deployed: {approval.outcome}")


if __name__ == "__main__":
    asyncio.run(main(pause()))
