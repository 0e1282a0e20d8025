"""As much of Slack as the doctor asks: auth.test and apps.connections.open, on a real socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from services.directory.slack_tokens import MORE_SCOPES, SCOPES
from services.kit.http import served

BOT, APP = "xoxb-0-good-bot-token", "xapp-1-A0LINE-good-app-token"


@dataclass
class FakeSlack:
    """What it answers, and what it was asked."""

    scopes: tuple[str, ...] = (*SCOPES, *MORE_SCOPES)
    team: str = "T0ACME"
    app_error: str | None = None
    status: int = 200
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.asked.append(method)
        body: dict[str, object] = {"ok": False, "error": "invalid_auth"}
        if method == "auth.test" and token == BOT:
            body = {"ok": True, "team": "Acme HQ", "team_id": self.team, "user": "mara", "user_id": "U0BOT", "url": "x"}
        elif method == "apps.connections.open" and token == APP:
            body = {"ok": True, "url": "wss://127.0.0.1/link/?ticket=secret-ticket-1234"}
            body = {"ok": False, "error": self.app_error} if self.app_error else body
        return web.json_response(body, status=self.status, headers={"x-oauth-scopes": ",".join(self.scopes)})


@asynccontextmanager
async def slack_at(fake: FakeSlack) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_post("/api/{method}", fake.answer)
    async with served(application, "127.0.0.1", 0) as address:
        yield f"{address}/api/"
