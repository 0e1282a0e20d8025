"""A Slack and a model that only answer, and remember when they were asked: what a responder is timed with."""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from aiohttp import web

from bench.beds.models import Says, in_openais_words
from services.kit.clock import SystemClock
from services.kit.http import served

NAMED = re.compile(r"run-(\d+)")
LAST = "whole"
"""The last word of every answer: a text that has it is whole."""


@dataclass
class Pace:
    """How the model speaks."""

    words: int = 20
    pause_s: float = 0.02
    first_s: float = 0.0
    spread_s: float = 0.0
    """Over which the first words of answers that begin together are spread, so that they do not go in step."""


@dataclass
class Outside:
    """What happened when, by the number that stands in the question and in the channel."""

    address: str = ""
    pace: Pace = field(default_factory=Pace)
    asked: dict[int, float] = field(default_factory=dict)
    last_word: dict[int, float] = field(default_factory=dict)
    broken_off: dict[int, float] = field(default_factory=dict)
    placed: dict[int, float] = field(default_factory=dict)
    """The first message."""
    ended: dict[int, float] = field(default_factory=dict)
    """The last words."""
    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    speaking: int = 0
    stamps: int = 0
    clock: SystemClock = field(default_factory=SystemClock)

    async def model(self, request: web.Request) -> web.StreamResponse:
        """What POST /v1/chat/completions gives."""
        body = await request.json()
        number = _number(str(body["messages"][-1]["content"]))
        self.asked.setdefault(number, self.clock.monotonic())
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self.speaking += 1
        try:
            await asyncio.sleep(self.pace.first_s + self.pace.spread_s * (number % 100) / 100)
            *chunks, stop, usage, done = _said(self.pace.words, body["model"])
            for chunk in chunks:
                await response.write(chunk)
                await asyncio.sleep(self.pace.pause_s)
            self.last_word[number] = self.clock.monotonic()
            await response.write(stop + usage + done)
        except ConnectionError:
            self.broken_off[number] = self.clock.monotonic()
        finally:
            self.speaking -= 1
        return response

    async def slack(self, request: web.Request) -> web.Response:
        """Any method of the Web API."""
        method = request.match_info["method"]
        self.calls[method] += 1
        now = self.clock.monotonic()
        body: dict[str, Any] = await request.json() if request.content_type == "application/json" else {}
        number = _number(str(body.get("thread_ts", "")) + str(body.get("ts", "")))
        if method == "chat.postMessage":
            self.placed.setdefault(number, now)
            self.stamps += 1
            return web.json_response({"ok": True, "ts": f"run-{number}.{self.stamps}", "channel": body["channel"]})
        is_last = not any(block.get("type") == "actions" and "stop" in str(block) for block in body.get("blocks", ()))
        if method == "chat.update" and is_last:
            self.ended[number] = now
        return web.json_response({"ok": True, "ts": body.get("ts", ""), "messages": []})


@cache
def _said(words: int, model: str) -> list[bytes]:
    """An answer, made once: who measures must not be what is slow."""
    return in_openais_words(Says("word " * (words - 1) + LAST, chunk=5), model)


def _number(text: str) -> int:
    found = NAMED.search(text)
    return int(found[1]) if found else -1


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    """Listens within it."""
    found = Outside()
    application = web.Application(client_max_size=1 << 24)
    application.router.add_post("/v1/chat/completions", found.model)
    application.router.add_route("*", "/api/{method}", found.slack)
    async with served(application, "127.0.0.1", 0) as address:
        found.address = str(address)
        yield found
