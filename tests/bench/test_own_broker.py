"""A broker of one's own that cannot start says why, at once."""

import asyncio
from pathlib import Path

import pytest

from bench.beds.broker import own_broker
from services.local.ports import HOST


async def test_where_another_has_its_port_it_says_so(tmp_path: Path) -> None:
    async with own_broker(tmp_path) as broker:
        await broker.stop()
        port = int(broker.settings.kafka_brokers.rpartition(":")[2])
        another = await asyncio.start_server(lambda _, writer: writer.close(), HOST, port)
        async with another:
            with pytest.raises(RuntimeError, match=f"ended before it was ready(?s:.)*{port}: Address already in use"):
                await broker.start()
        await broker.start()
