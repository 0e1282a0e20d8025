"""Faust with nothing in it: each event is sent on as often as the router would, with one table write. The floor.

Run as `python -m bench.peers.bare_faust`; told by PEER_* variables.
"""

import asyncio
import logging
import sys
from typing import Any

import faust

from services.kit.settings import variable


async def main() -> None:
    """Runs until it is ended."""
    broker, prefix, partitions = (variable(f"PEER_{name}") or "" for name in ("BROKER", "PREFIX", "PARTITIONS"))
    app = faust.App(
        f"{prefix}bare",
        broker=f"kafka://{broker}",
        store="memory://",
        topic_partitions=int(partitions),
        topic_disable_leader=True,
        web_enabled=False,
        stream_wait_empty=False,
        broker_commit_interval=0.5,
        broker_max_poll_records=1000,
        producer_linger=0.0,
        producer_max_batch_size=131_072,
    )
    source = app.topic(f"{prefix}slack.inbound", key_serializer="raw", value_serializer="raw")
    out = app.topic(f"{prefix}audit.decisions", key_serializer="raw", value_serializer="raw")
    rows = app.Table("rows", key_type=bytes, value_type=bytes, partitions=int(partitions))

    @app.agent(source)
    async def pass_through(stream: Any) -> None:
        async for event in stream.events():
            message = event.message
            rows[str(message.offset).encode()] = event.value[:400]
            for _ in range(int(dict(message.headers)["bench-sends"])):
                _ = await out.send(key=event.key, value=event.value[:700])

    app.producer.buffer.max_messages = 5000
    for name in ("aiokafka", "faust", "mode"):
        logging.getLogger(name).setLevel(logging.WARNING)
    await app.start()
    await app.wait_until_stopped()


if __name__ == "__main__":
    asyncio.run(main())
    sys.exit(0)
