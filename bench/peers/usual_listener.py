"""The usual way's door: Bolt in Socket Mode acknowledges at once, Redis knows what was seen, Celery does the rest.

Run as `python -m bench.peers.usual_listener`; told by PEER_* variables.
"""

import asyncio
import time
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient

from bench.beds.traffic import BOT
from bench.peers.usual_queue import ANSWER, app
from services.kit.settings import variable

REMEMBERED_S = 24 * 3600
PER_MINUTE = 100_000
"""As much as the tenants of the bench may: the bucket is asked, and never empty."""
CONNECTIONS = 32
"""To Redis. Whoever finds none free waits for one: at a flood the pool's own way is to fail."""
BUCKET = """
local most, per_s, now = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local held = redis.call('HMGET', KEYS[1], 'left', 'at')
local left = math.min(most, (tonumber(held[1]) or most) + (now - (tonumber(held[2]) or now)) * per_s)
if left < 1 then return 0 end
redis.call('HSET', KEYS[1], 'left', left - 1, 'at', now)
redis.call('EXPIRE', KEYS[1], 120)
return 1
"""


async def main() -> None:
    """Runs until it is ended."""
    pool = BlockingConnectionPool.from_url(variable("PEER_REDIS") or "", max_connections=CONNECTIONS, timeout=None)
    redis = Redis(connection_pool=pool)
    take = redis.register_script(BUCKET)
    api_url = variable("PEER_SLACK") or ""
    bolt = AsyncApp(client=AsyncWebClient(base_url=api_url), authorize=_authorize, signing_secret="unused")  # noqa: S106 - sockets are not signed

    async def mentioned(body: dict[str, Any], event: dict[str, Any]) -> None:
        """Bolt has acknowledged it before this is called."""
        if not await redis.set(f"seen:{body['event_id']}", 1, nx=True, ex=REMEMBERED_S):
            return
        bucket = f"bucket:{body['team_id']}"
        if not await take(keys=[bucket], args=[PER_MINUTE, PER_MINUTE / 60, time.monotonic()]):
            return
        # Said without a thread in between: on this machine it takes less than a thread would.
        app.send_task(ANSWER, [event["channel"], event["ts"], event["text"]])

    bolt.event("app_mention")(mentioned)
    handler = AsyncSocketModeHandler(bolt, "xapp-1-A1-bench", web_client=AsyncWebClient(base_url=api_url))
    await handler.start_async()  # type: ignore[no-untyped-call]


async def _authorize(team_id: str, enterprise_id: str | None = None) -> AuthorizeResult:
    """What a store of installations would say, without asking one."""
    return AuthorizeResult(
        enterprise_id=enterprise_id,
        team_id=team_id,
        bot_token="xoxb-bench",  # noqa: S106 - it is none
        bot_id="B1",
        bot_user_id=BOT,
    )


if __name__ == "__main__":
    asyncio.run(main())
