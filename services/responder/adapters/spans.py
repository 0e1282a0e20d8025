"""What traces say of answers: an agent that is asked, a model's calls, and Slack's, by OpenTelemetry's conventions."""

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.trace import Span, SpanKind, Tracer

from services.directory.document import Agent
from services.directory.patterns import REHEARSAL
from services.kit.clock import Clock
from services.kit.telemetry.traces import About, kind_of, spanning
from services.responder.adapters.models import ModelFailed, Used, Wanted
from services.responder.adapters.slack import Refused
from services.responder.decisions.effects import Subject
from services.responder.decisions.prompting import Asked

OURS: Final = "threadline"
ROLES: Final = {"person": "user", "agent": "assistant"}


class Chat:
    """One call to a model, while it goes on."""

    def __init__(self, span: Span, clock: Clock, *, with_words: bool) -> None:
        self._span, self._clock, self._with_words = span, clock, with_words
        self._began = clock.monotonic()

    def first_word(self) -> float:
        """It has begun to speak. Gives after how many seconds."""
        took = self._clock.monotonic() - self._began
        self._span.set_attribute("gen_ai.response.time_to_first_chunk", took)
        return took

    def answered(self, text: str, used: Used) -> None:
        """It has said everything."""
        self._span.set_attribute("gen_ai.usage.input_tokens", used.input_tokens)
        self._span.set_attribute("gen_ai.usage.output_tokens", used.output_tokens)
        if used.cost_usd is not None:
            self._span.set_attribute("threadline.cost_usd", used.cost_usd)
        if self._with_words:
            said = [{"role": "assistant", "parts": [_part(text)], "finish_reason": "stop"}]
            self._span.set_attribute("gen_ai.output.messages", _json(said))


class Spans:
    """Makes them. Without an operator's word, none holds what people or models say."""

    def __init__(self, tracer: Tracer, clock: Clock, slack_url: str, *, with_words: bool) -> None:
        self._tracer, self._clock, self._with_words = tracer, clock, with_words
        self._slack = urlsplit(slack_url).hostname or ""

    def asking(self, agent: Agent, subject: Subject) -> AbstractContextManager[Span]:
        """An agent is asked, until it has answered."""
        facts = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.provider.name": OURS,
            "gen_ai.agent.id": agent.id,
            "gen_ai.agent.name": agent.name,
            "gen_ai.conversation.id": subject.key,
        }
        return spanning(self._tracer, About(f"invoke_agent {agent.name}", SpanKind.INTERNAL, facts))

    @contextmanager
    def chat(self, name: str, asked: Asked, wanted: Wanted) -> Iterator[Chat]:
        """One call to a model, until it has said everything, failed, or was cut short."""
        provider, _, model = (OURS, "", name) if name == REHEARSAL else name.partition(":")
        facts: dict[str, str | int | bool] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            "gen_ai.request.stream": True,
            "gen_ai.output.type": "text",
        }
        if wanted.max_tokens is not None:
            facts["gen_ai.request.max_tokens"] = wanted.max_tokens
        if self._with_words:
            facts["gen_ai.system_instructions"] = _json([_part(asked.system)])
            facts["gen_ai.input.messages"] = _json(_heard(asked))
        with spanning(self._tracer, About(f"chat {model}", SpanKind.CLIENT, facts), named=_trouble) as span:
            yield Chat(span, self._clock, with_words=self._with_words)

    def calling(self, method: str, subject: Subject) -> AbstractContextManager[Span]:
        """One call to Slack."""
        facts = {
            "http.request.method": "POST",
            "server.address": self._slack,
            "url.template": f"/api/{method}",
            "threadline.tenant": subject.tenant_id,
            "threadline.connection": subject.connection,
        }
        return spanning(self._tracer, About(f"POST /api/{method}", SpanKind.CLIENT, facts), named=_code)


def _trouble(error: Exception) -> str:
    return error.trouble if isinstance(error, ModelFailed) else kind_of(error)


def _code(error: Exception) -> str:
    return error.code if isinstance(error, Refused) else kind_of(error)


def _heard(asked: Asked) -> list[dict[str, object]]:
    turns = [*((ROLES[said.by], said.text) for said in asked.history), ("user", asked.question)]
    return [{"role": role, "parts": [_part(text)]} for role, text in turns]


def _part(text: str) -> dict[str, str]:
    return {"type": "text", "content": text}


def _json(what: Sequence[object]) -> str:
    return json.dumps(what, ensure_ascii=False)
