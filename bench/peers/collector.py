"""A collector that takes what comes, and does nothing with it."""

import asyncio

from aiohttp import web

from bench.beds.otlp import LARGEST
from services.kit.http import served

PORT = "COLLECTOR_PORT"


async def _take(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(content_type="application/x-protobuf")


async def main() -> None:
    """Runs until it is ended."""
    app = web.Application(client_max_size=LARGEST)
    app.add_routes([web.post("/v1/traces", _take)])
    async with served(app, "127.0.0.1", 0) as address:
        print(address, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
