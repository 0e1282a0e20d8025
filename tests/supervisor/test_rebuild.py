"""The tables made anew from the topic are what they were, to the last byte, and where an event stands already, too."""

from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
from pydantic import SecretStr

from bench.beds.answered import entries
from bench.beds.router import describe
from bench.supervising.past import past, put
from bench.supervising.rebuilding import dumps
from schemas.topics import AGENTS_EVENTS
from services.directory.document import Document
from services.directory.service import service_database
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.supervisor.adapters import partitions, projections
from services.supervisor.adapters.partitions import Heard
from services.supervisor.adapters.rebuilding import Rebuilt, rebuild
from services.supervisor.decisions.projecting import Projection, keys_of

TENANTS = [f"tenant-{number}" for number in range(3)]
BEGAN = datetime(2026, 3, 2, tzinfo=UTC)


async def folded(kafka: KafkaSettings, database: DatabaseSettings) -> dict[int, list[Heard]]:
    """All of the topic, as a supervisor folds it, a few events at a time."""
    heard: dict[int, list[Heard]] = {}
    for each in await entries(kafka, AGENTS_EVENTS):
        event: Any = each.event
        heard.setdefault(each.partition, []).append(Heard(event, each.id, each.offset))
    async with service_database(database) as opened:
        for number, events in heard.items():
            partition = await partitions.load(opened, number, 0, BEGAN)
            for first in range(0, len(events), 50):
                batch = events[first : first + 50]
                await partitions.fetch_missing(opened, partition, keys_of(one.event for one in batch))
                for one in batch:
                    partitions.fold(partition, one)
                await partitions.write(opened, partition, batch[-1].offset + 1)
    return heard


async def test_what_is_made_anew_is_what_was_there(topics: KafkaSettings, database: DatabaseSettings) -> None:
    tenants = [{"id": each, "name": each} for each in TENANTS]
    await describe(database, Document.model_validate({"version": 1, "tenants": tenants}, strict=False))
    count = await put(topics, past(7, 40, [*TENANTS, "gone"], BEGAN - timedelta(days=1)))
    heard = await folded(topics, database)
    before = await dumps(database)
    told: list[Rebuilt] = []
    done = await rebuild(topics, database, lambda _, so_far: told.append(so_far))
    assert (done.events, done.tasks, done.of_nobody > 0) == (count, 30, True)
    assert done.partitions == len(told) == topics.topic_partitions
    assert await dumps(database) == before
    connection = await asyncpg.connect((database.database_owner_url or SecretStr("")).get_secret_value())
    try:
        for number, events in heard.items():
            projection = Projection(number)
            for each in events:
                projection.take(each.event, each.id)
            for tenant_id, changes in projection.written().items():
                if tenant_id in TENANTS:
                    await projections.write_anew(connection, tenant_id, number, changes)
    finally:
        await connection.close()
    assert await dumps(database) == before
