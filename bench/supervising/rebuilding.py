"""The tables of tasks made anew from the topic, by the command that people use, and held against what was there."""

import asyncio
import hashlib
import re
import sys
from pathlib import Path
from typing import Final

import asyncpg
from pydantic import SecretStr

from bench.beds import weighing
from bench.beds.child import child
from bench.beds.router import router_environment
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.supervisor.adapters.rebuilding import TABLES

ORDERED: Final = {
    "agent_tasks": "tenant_id, task_id",
    "agent_checkpoints": "tenant_id, event_id",
    "human_interventions": "tenant_id, intervention_id",
    "task_artifacts": "tenant_id, event_id",
}
RATE: Final = re.compile(r"\(([\d,]+) events/s\)")


async def dumps(database: DatabaseSettings) -> dict[str, str]:
    """A digest of each table, every column of every row in it."""
    connection = await asyncpg.connect(_owner(database))
    try:
        return {table: await _dump(connection, table) for table in TABLES}
    finally:
        await connection.close()


async def _dump(connection: "asyncpg.Connection[asyncpg.Record]", table: str) -> str:
    digest = hashlib.sha256()

    async def take(data: bytes) -> None:
        digest.update(data)

    question = f"select * from threadline.{table} order by {ORDERED[table]}"  # noqa: S608 - names of ours
    await connection.copy_from_query(question, output=take)
    return digest.hexdigest()


async def rebuilt(kafka: KafkaSettings, database: DatabaseSettings, folder: Path) -> tuple[float, float]:
    """Events a second as it says them, and the most memory in MB that it was seen with."""
    command = (sys.executable, "-m", "threadline", "supervisor", "rebuild")
    environment = router_environment(kafka, database, THREADLINE_DATABASE_OWNER_URL=_owner(database))
    most = 0.0
    async with child(command, environment, folder / "rebuild.log", Path.cwd()) as started:
        ended = asyncio.create_task(started.process.wait())
        while not ended.done():
            most = max(most, weighing.rss_mb(started.process.pid))
            await asyncio.sleep(0.1)
        said = RATE.search(started.said())
        if ended.result() != 0 or said is None:
            raise RuntimeError(f"the tables were not made anew: {started.said()[-1500:]}")
    return float(said[1].replace(",", "")), most


def _owner(database: DatabaseSettings) -> str:
    return (database.database_owner_url or SecretStr("")).get_secret_value()
