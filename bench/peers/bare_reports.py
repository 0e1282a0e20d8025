"""What taking in reports costs at least: aiohttp hands each body to aiokafka, durable before it answers. Nothing else.

Nobody is signed in, nothing is checked or folded, and nobody is told. Run as `python -m bench.peers.bare_reports`; told
by PEER_* variables.
"""

import asyncio
import sys

from aiohttp import web
from aiokafka import AIOKafkaProducer

from services.kit.http import served
from services.kit.settings import variable


async def main() -> None:
    """Runs until it is ended."""
    topic, brokers = variable("PEER_TOPIC") or "", variable("PEER_BROKERS") or ""
    async with AIOKafkaProducer(
        bootstrap_servers=brokers, acks="all", enable_idempotence=True, linger_ms=10
    ) as producer:

        async def take(request: web.Request) -> web.Response:
            await producer.send_and_wait(topic, await request.read())
            return web.json_response({"accepted": 1}, status=202)

        application = web.Application()
        application.router.add_post("/v1/agents/events", take)
        async with served(application, "127.0.0.1", 0) as address:
            sys.stdout.write(f"it listens at {address} \n")
            sys.stdout.flush()
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
