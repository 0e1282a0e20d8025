"""A supervisor that may not speak of tasks says so to who runs it."""

import asyncio
from pathlib import Path

from bench.beds.broker import own_broker
from bench.beds.router import router_environment
from bench.beds.supervisor import own_supervisor
from services.supervisor.adapters.folding import NOT_HEARD
from tests.databases import Databases

LINK = "supervisor"


async def test_one_whose_group_does_not_answer_is_not_ready_and_says_why(databases: Databases, tmp_path: Path) -> None:
    async with databases.new() as database, own_broker(tmp_path / "kafka", [LINK]) as broker:
        await broker.make_topics()
        environment = router_environment(broker.settings_by(LINK), database)
        async with own_supervisor(tmp_path / "supervisor", environment) as supervisor:
            broker.links[LINK].stand_still()
            async with asyncio.timeout(30):
                while (health := await supervisor.health())["ready"]:  # noqa: ASYNC110 - a page has no event
                    await asyncio.sleep(0.05)
            assert health["reasons"] == {"tasks": NOT_HEARD}
            broker.links[LINK].mend()
            await supervisor.until_ready()
