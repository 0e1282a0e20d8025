"""Calls of the Web API as plain requests, for what an SDK would never send."""

import json
from typing import Any

import aiohttp

from services.slack_sim.client import SlackSim

Json = dict[str, Any]


async def call(sim: SlackSim, method: str, token: str | None, **arguments: Any) -> Json:
    """A call in JSON."""
    answer = await raw(sim, method, token, json.dumps(arguments).encode(), "application/json; charset=utf-8")
    parsed: Json = json.loads(answer[1])
    return parsed


async def raw(
    sim: SlackSim, method: str, token: str | None, body: bytes, content_type: str | None
) -> tuple[int, bytes, dict[str, str]]:
    """Any request; its status, body and headers."""
    headers = {"Content-Type": content_type} if content_type is not None else {}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    async with (
        aiohttp.ClientSession(skip_auto_headers=["Content-Type"]) as session,
        session.post(f"{sim.api_url}{method}", data=body, headers=headers) as answer,
    ):
        return answer.status, await answer.read(), {name.lower(): value for name, value in answer.headers.items()}
