"""A model that answers each question in its own words and time, and remembers when it was asked, and knowing what."""

import asyncio
import random
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bench.beds.models import Says, in_openais_words
from services.kit.clock import SystemClock
from services.kit.http import served

NAMED = re.compile(r"\brun-(\d+)\b")
LINE = re.compile(r"\b(\d+)/(\d+) is one")
SHORTEST_S, LONGEST_S = 1.0, 6.0
LINES, LINES_OF_A_LONG_ONE = (8, 40), 300
PARAGRAPH = 10
"""Lines between two places where an answer may be cut."""
LONG_EVERY, FAILS_ONCE_EVERY, REFUSED_EVERY = 12, 25, 37
CHUNKS = 30
LOOK_EVERY_S = 0.05
RUBBISH = b"data: {rubbish\n\n"

SAID = "is one of the lines that a model could have said to that, and no longer than others."


@dataclass(frozen=True)
class Answer:
    """What a question is answered, and in which time."""

    number: int
    lines: int
    takes_s: float

    @property
    def text(self) -> str:
        """Every line has a name, so that one that is lost, or stands twice, is seen."""
        said = [f"{self.number}/{line} {SAID}" for line in range(self.lines)]
        return "\n\n".join("\n".join(said[at : at + PARAGRAPH]) for at in range(0, self.lines, PARAGRAPH))


def answer_to(number: int) -> Answer:
    """The same whenever it is asked for. Some are too long for one message."""
    chance = random.Random(number)  # noqa: S311 - a seeded plan
    lines = LINES_OF_A_LONG_ONE if number % LONG_EVERY == 0 else chance.randint(*LINES)
    return Answer(number, lines, chance.uniform(SHORTEST_S, LONGEST_S))


def lines_in(text: str) -> list[tuple[int, int]]:
    """The lines that stand in a text: by question, and by number."""
    return [(int(question), int(line)) for question, line in LINE.findall(text)]


def is_refused(number: int) -> bool:
    """Whether a question is one that the model does not want to answer."""
    return number % REFUSED_EVERY == 0


@dataclass
class Asked:
    """One time that it was asked."""

    question: int
    shown: frozenset[int]
    """The questions whose words it was shown."""
    at: float
    spoke_at: float | None = None
    """When it said the last that it said."""


@dataclass(frozen=True)
class Trouble:
    """What is wrong with it for a while."""

    status: int | None = None
    """It refuses."""
    first_s: float = 0.0
    """It thinks long before the first word."""
    stalls: bool = False
    """It falls silent, where it is, until the trouble is over."""
    breaks_after: int | None = None
    """It hangs up after so many chunks."""
    rubbish_after: int | None = None
    """It says something that is no chunk after so many."""


@dataclass
class Speaking:
    """The model, and every time that it was asked."""

    hurry: float = 1.0
    """How much faster it speaks than it would."""
    trouble: Trouble = field(default_factory=Trouble)
    under_way: int = 0
    """How many answers it has begun to say, and not ended."""
    address: str = ""
    asked: list[Asked] = field(default_factory=list)
    clock: SystemClock = field(default_factory=SystemClock)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """What POST /v1/chat/completions gives."""
        body = await request.json()
        question = int(NAMED.findall(str(body["messages"][-1]["content"]))[-1])
        words = str(body["messages"])
        shown = frozenset({*map(int, NAMED.findall(words)), *(number for number, _ in lines_in(words))})
        is_first = not any(each.question == question for each in self.asked)
        asked = Asked(question, shown, self._now())
        self.asked.append(asked)
        if is_refused(question):
            return web.json_response({"error": {"code": "no", "message": "no"}}, status=web.HTTPBadRequest.status_code)
        if is_first and question % FAILS_ONCE_EVERY == 0:
            return web.json_response({"error": {"code": "later"}}, status=web.HTTPServiceUnavailable.status_code)
        if self.trouble.status is not None:
            return web.json_response({"error": {"code": "later"}}, status=self.trouble.status)
        return await self._speak(request, body, asked)

    async def _speak(self, request: web.Request, body: Mapping[str, Any], asked: Asked) -> web.StreamResponse:
        answer = answer_to(asked.question)
        text = answer.text
        said = Says(text, chunk=-(-len(text) // CHUNKS))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self.under_way += 1
        try:
            with suppress(ConnectionError):  # who asked was killed, or told to stop
                await asyncio.sleep(self.trouble.first_s)
                for number, event in enumerate(in_openais_words(said, body["model"])):
                    if number == self.trouble.breaks_after and request.transport is not None:
                        request.transport.abort()
                        return response
                    await self._go_on()
                    await response.write(RUBBISH if number == self.trouble.rubbish_after else event)
                    asked.spoke_at = self._now()
                    await asyncio.sleep(answer.takes_s / CHUNKS / self.hurry)
        finally:
            self.under_way -= 1
        return response

    async def _go_on(self) -> None:
        """Who hangs up meanwhile is noticed at the next word."""
        while self.trouble.stalls:  # noqa: ASYNC110 - whoever sets the trouble knows of no event
            await asyncio.sleep(LOOK_EVERY_S)

    def _now(self) -> float:
        return self.clock.now().timestamp()


@asynccontextmanager
async def speaking() -> AsyncIterator[Speaking]:
    """Listens within it."""
    found = Speaking()
    application = web.Application(client_max_size=1 << 24)
    application.router.add_post("/v1/chat/completions", found.chat)
    async with served(application, "127.0.0.1", 0) as address:
        found.address = str(address)
        yield found
