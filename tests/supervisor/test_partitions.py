"""How far a partition of agents.events is folded, as Postgres has it."""

from datetime import UTC, datetime

import pytest

from services.directory.service import service_database
from services.supervisor.adapters import partitions
from services.supervisor.adapters.partitions import Moved
from services.supervisor.decisions.keeping import KEPT, Keeping
from tests.databases import Databases

NOW = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


async def test_a_log_that_is_older_than_the_tables_is_folded_from_its_end(databases: Databases) -> None:
    async with databases.new() as settings, service_database(settings, 2) as database:
        before = await partitions.load(database, 0, 0, Keeping(KEPT, NOW))
        await partitions.write(database, before, 40)
        restored = await partitions.load(database, 0, 0, Keeping(KEPT, NOW))
        assert restored.next_offset == 40
        await partitions.step_back(database, restored, 25)
        await partitions.write(database, restored, 26)
        assert (await partitions.load(database, 0, 0, Keeping(KEPT, NOW))).next_offset == 26
        with pytest.raises(Moved):
            await partitions.step_back(database, before, 25)
        with pytest.raises(Moved):
            await partitions.write(database, before, 41)
