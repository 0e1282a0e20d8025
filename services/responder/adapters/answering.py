"""Asks a model until it answers: with time limits, again after what passes, and another where the first cannot."""

import asyncio
import logging
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.kit.telemetry.instruments import Instruments
from services.responder import metrics
from services.responder.adapters.models import ModelFailed, Models, Used, Wanted
from services.responder.adapters.spans import Chat, Spans
from services.responder.decisions.prompting import Asked
from services.responder.decisions.tools import ToolCall
from services.responder.decisions.trying import Breaker, pause_before

log = logging.getLogger(__name__)

NEVER = float("inf")


@dataclass(frozen=True)
class Patience:
    """How long to wait for what."""

    word_s: float
    """For the first word, and from one to the next."""
    whole_s: float


@dataclass(frozen=True)
class Question:
    """What is asked of whom."""

    asked: Asked
    models: Sequence[str]
    """The first, and those that are asked where it cannot answer."""
    wanted: Wanted
    patience: Patience


@dataclass(frozen=True)
class Answered:
    """What a model said, and which tools it wants to use: where there are some, that is no answer yet."""

    text: str
    used: Used
    calls: tuple[ToolCall, ...] = ()


_HALVES = re.compile("[\ud800-\udfff]")
"""Halves of a sign. A server may send an emoji in two, and one alone can be written nowhere."""

Heard = Callable[[str], None]
"""Hears the answer so far, again with every word. After a failure it may begin anew."""


class Answering:
    """Every model's."""

    def __init__(self, models: Models, instruments: Instruments, spans: Spans) -> None:
        self._models, self._spans = models, spans
        self._clock, self._emitter = instruments.clock, instruments.emitter
        self._breakers: dict[str, Breaker] = {}

    async def answer(self, question: Question, heard: Heard) -> Answered:
        """The whole answer, and what it took. `ModelFailed` where nobody answers."""
        try:
            async with asyncio.timeout(question.patience.whole_s):
                return await self._by_any(question, heard)
        except TimeoutError:
            raise ModelFailed("timeout", f"no whole answer within {question.patience.whole_s:.0f} s") from None

    async def _by_any(self, question: Question, heard: Heard) -> Answered:
        failure = ModelFailed("not_set_up", "no model is named")
        for name in question.models:
            tried = 0
            pause: float | None = 0.0
            while pause is not None:
                await asyncio.sleep(pause)
                tried += 1
                try:
                    return await self._by(name, question, heard)
                except ModelFailed as error:
                    failure = error
                    self._emitter.count(metrics.MODEL_TROUBLE, trouble=error.trouble)
                    log.warning("%s did not answer (%s: %s)", name, error.trouble, error.detail)
                    chance = random.random()  # noqa: S311 - it spreads those who wait
                    pause = pause_before(tried, error.trouble, error.retry_after_s, chance)
        raise failure

    async def _by(self, name: str, question: Question, heard: Heard) -> Answered:
        breaker = self._breakers.setdefault(name.partition(":")[0], Breaker())
        if not breaker.may_ask(self._clock.monotonic()):
            raise ModelFailed("unavailable", "it failed again and again, and is left alone for a while", NEVER)
        try:
            with self._spans.chat(name, question.asked, question.wanted) as chat:
                answered = await self._listen(name, question, heard, chat)
                chat.answered(answered.text, answered.used)
        except ModelFailed as error:
            breaker.failed(error.trouble, self._clock.monotonic())
            raise
        except BaseException:
            breaker.let_be()
            raise
        breaker.answered()
        return answered

    async def _listen(self, name: str, question: Question, heard: Heard, chat: Chat) -> Answered:
        word_s, loop = question.patience.word_s, asyncio.get_running_loop()
        text, has_halves = "", False
        try:
            model = await self._models.named(name)
            async with asyncio.timeout(word_s) as limit, model.ask(question.asked, question.wanted) as speaking:
                async for piece in speaking:
                    if piece and not text:
                        self._emitter.observe(metrics.FIRST_TOKEN_SECONDS, chat.first_word())
                    limit.reschedule(loop.time() + word_s)
                    if piece:
                        has_halves = has_halves or _HALVES.search(piece) is not None
                        text = _whole(text + piece) if has_halves else text + piece
                        heard(_HALVES.sub("\ufffd", text) if has_halves else text)
                return Answered(_HALVES.sub("\ufffd", text), speaking.used, speaking.calls)
        except TimeoutError:
            raise ModelFailed("timeout", f"no word for {word_s:.0f} s") from None


def _whole(text: str) -> str:
    """Halves of a sign that belong together, put together."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
