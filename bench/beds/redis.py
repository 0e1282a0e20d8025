"""A Redis of one's own: on a free port of this machine, in a folder that goes, and keeping nothing on disk."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import ConnectionError as NotThere

from bench.beds.child import Child, child
from services.local import ports

READY_WITHIN_S = 10.0
HOW_TO_GET_IT = "apt-get install redis-server"


@dataclass(frozen=True)
class OwnRedis:
    """The process, and where it is reached."""

    child: Child
    url: str


def program() -> str | None:
    """Where it is installed, if it is."""
    return shutil.which("redis-server")


@asynccontextmanager
async def own_redis(folder: Path) -> AsyncIterator[OwnRedis]:
    """Runs it. It writes nothing to disk, which is the kindest way to hold it against a durable log."""
    port = ports.free()
    settings = {"port": str(port), "bind": ports.HOST, "dir": str(folder), "save": "", "appendonly": "no"}
    command = [
        program() or "redis-server",
        *(word for name, value in settings.items() for word in (f"--{name}", value)),
    ]
    async with child(command, {}, folder / "redis.log", folder) as started:
        url = f"redis://{ports.HOST}:{port}/0"
        await _until_ready(started, url)
        yield OwnRedis(started, url)


async def _until_ready(started: Child, url: str) -> None:
    async with asyncio.timeout(READY_WITHIN_S), Redis.from_url(url) as client:
        while started.is_running:
            try:
                await client.ping()
            except NotThere:
                await asyncio.sleep(0.05)
            else:
                return
    raise RuntimeError(f"Redis did not start: {started.said()[-500:]}")
