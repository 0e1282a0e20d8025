"""Language models by their names: pydantic-ai's for providers, and the built-in one that needs no key."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from services.directory.patterns import REHEARSAL
from services.kit.models.prices import cost_usd
from services.kit.models.providers import Hooks, NotSetUp, Providers
from services.responder.decisions.prompting import Asked, tokens_of
from services.responder.decisions.rehearsing import Rehearsed, rehearse, words
from services.responder.decisions.tools import ToolCall, arguments_of, unique
from services.responder.decisions.words import Trouble
from services.responder.settings import ResponderSettings


class ModelFailed(Exception):
    """A model did not answer. What it said of it may quote people's words: only our own word for it is kept."""

    def __init__(self, trouble: Trouble, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.trouble, self.detail, self.retry_after_s = trouble, detail, retry_after_s


@dataclass
class Used:
    """What an answer took."""

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None


@dataclass(frozen=True)
class Wanted:
    """How an answer is wanted."""

    max_tokens: int | None = None


class Speaking(Protocol):
    """An answer while it comes."""

    used: Used
    calls: tuple[ToolCall, ...]
    """The tools that it wants to use, once it has said everything."""

    def __aiter__(self) -> AsyncIterator[str]:
        """Piece by piece."""
        ...


class Model(Protocol):
    """One model."""

    name: str

    def ask(self, asked: Asked, wanted: Wanted) -> AbstractAsyncContextManager[Speaking]:
        """Within it the model speaks; leaving it ends the call, whether it has finished or not."""
        ...


class _Rehearsed:
    def __init__(self, said: Rehearsed, used: Used, pause_s: float) -> None:
        self._text, self.calls, self.used, self._pause_s = said.text, said.calls, used, pause_s

    async def __aiter__(self) -> AsyncIterator[str]:
        for word in words(self._text):
            await asyncio.sleep(self._pause_s)
            self.used.output_tokens = self.used.output_tokens + 1
            yield word


class Rehearsal:
    """The built-in one: the same answer to the same question, at a pace."""

    name = REHEARSAL

    def __init__(self, words_per_s: float) -> None:
        self._pause_s = 1.0 / words_per_s

    @asynccontextmanager
    async def ask(self, asked: Asked, wanted: Wanted) -> AsyncIterator[Speaking]:
        """It has thought about it already."""
        said = rehearse(asked)
        if wanted.max_tokens is not None:
            said = replace(said, text="".join(words(said.text)[: wanted.max_tokens]))
        before = sum(tokens_of(each.text) for each in asked.history)
        yield _Rehearsed(said, Used(self.name, tokens_of(asked.system + asked.question) + before, 0), self._pause_s)


class _Streamed:
    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self.used = Used(name)
        self.calls: tuple[ToolCall, ...] = ()

    async def __aiter__(self) -> AsyncIterator[str]:
        from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta, ToolCallPart  # noqa: PLC0415 - only where it is used

        async for event in self._stream:
            if isinstance(event, PartStartEvent) and isinstance(event.part, TextPart):
                yield event.part.content
            elif isinstance(event, PartDeltaEvent) and isinstance(event.delta, TextPartDelta):
                yield event.delta.content_delta
            else:
                yield ""  # it goes on, with what is not shown
        response = self._stream.get()
        usage = response.usage
        self.used.input_tokens, self.used.output_tokens = usage.input_tokens, usage.output_tokens
        if response.finish_reason == "content_filter":
            raise ModelFailed("filtered", "the provider filtered the answer")
        calls = [each for each in response.parts if isinstance(each, ToolCallPart)]
        self.calls = unique(ToolCall(each.tool_call_id, each.tool_name, _as_written(each)) for each in calls)
        self.used.cost_usd = cost_usd(response)


class Provided:
    """One of a provider's, through pydantic-ai."""

    def __init__(self, name: str, model: Any) -> None:
        self.name, self._model = name, model

    @asynccontextmanager
    async def ask(self, asked: Asked, wanted: Wanted) -> AsyncIterator[Speaking]:
        """Streams the answer."""
        from pydantic_ai.direct import model_request_stream  # noqa: PLC0415 - likewise

        settings: dict[str, Any] = {"max_tokens": wanted.max_tokens} if wanted.max_tokens is not None else {}
        more: dict[str, Any] = {"model_settings": settings or None, "model_request_parameters": _tools(asked)}
        async with _told(), model_request_stream(self._model, _messages(asked), **more) as stream:
            yield _Streamed(stream, self.name)


def _as_written(call: Any) -> str:
    """Some servers give no arguments at all where there are none."""
    return call.args if isinstance(call.args, str) else json.dumps(call.args or {})


def _tools(asked: Asked) -> Any:
    from pydantic_ai.models import ModelRequestParameters  # noqa: PLC0415 - likewise
    from pydantic_ai.tools import ToolDefinition  # noqa: PLC0415 - likewise

    told = [
        ToolDefinition(name=each.name, description=each.description, parameters_json_schema=dict(each.arguments))
        for each in asked.tools
    ]
    return ModelRequestParameters(function_tools=told)


def _messages(asked: Asked) -> list[Any]:
    from pydantic_ai.messages import (  # noqa: PLC0415 - likewise
        ModelRequest,
        ModelResponse,
        SystemPromptPart,
        TextPart,
        ToolCallPart,
        ToolReturnPart,
        UserPromptPart,
    )

    messages: list[Any] = [ModelRequest(parts=[SystemPromptPart(asked.system)])]
    for said in asked.history:
        if said.by == "agent":
            messages.append(ModelResponse(parts=[TextPart(said.text)]))
        else:
            messages.append(ModelRequest(parts=[UserPromptPart(said.text)]))
    messages.append(ModelRequest(parts=[UserPromptPart(asked.question)]))
    for turn in asked.turns:
        said_first = [TextPart(turn.said)] if turn.said else []
        calls = [ToolCallPart(each.tool, arguments_of(each) or {}, each.call_id) for each in turn.calls]
        messages.append(ModelResponse(parts=[*said_first, *calls]))
        told = [ToolReturnPart(each.tool, each.text, each.call_id) for each in turn.results]
        messages.append(ModelRequest(parts=told))
    return messages


@asynccontextmanager
async def _told() -> AsyncIterator[None]:
    """What goes wrong within it, in our own words."""
    from pydantic_ai import exceptions as failures  # noqa: PLC0415 - likewise

    kinds: tuple[tuple[type[Exception], Trouble], ...] = (
        (failures.ModelRateLimitError, "rate_limited"),
        (failures.ModelQuotaExceededError, "quota"),
        (failures.ModelOverloadedError, "overloaded"),
        (failures.ModelUnavailableError, "unavailable"),
        (failures.ModelServerError, "unavailable"),
        (failures.ModelTimeoutError, "timeout"),
        (failures.ModelConnectionError, "connection"),
        (failures.ModelContextWindowExceededError, "too_long"),
        (failures.ModelAuthenticationError, "not_allowed"),
        (failures.ModelNotFoundError, "no_such_model"),
        (failures.ModelRequestRejectedError, "rejected"),
        (failures.ModelRequestTimeout, "timeout"),
        (failures.ModelAPIError, "unavailable"),
        (failures.ContentFilterError, "filtered"),
        (failures.UnexpectedModelBehavior, "broken_answer"),
        (failures.UserError, "not_set_up"),
    )
    try:
        yield
    except (ModelFailed, GeneratorExit):
        raise
    except (TimeoutError, ValueError, OSError) as error:
        trouble: Trouble = "timeout" if isinstance(error, TimeoutError) else "broken_answer"
        raise ModelFailed(
            "connection" if isinstance(error, OSError) and trouble != "timeout" else trouble, type(error).__name__
        ) from None
    except Exception as error:
        found = next((word for kind, word in kinds if isinstance(error, kind)), None)
        if found is None:
            raise
        status = getattr(error, "status_code", None)
        detail = f"{type(error).__name__}{f', HTTP {status}' if status is not None else ''}"
        raise ModelFailed(found, detail, getattr(error, "retry_after", None)) from None


class Models:
    """Every model that is asked here, made when it is first asked for."""

    def __init__(self, settings: ResponderSettings) -> None:
        self._made: dict[str, Model] = {REHEARSAL: Rehearsal(settings.rehearsal_words_per_s)}
        self._providers = Providers(settings, _hooks)
        self._making = asyncio.Lock()

    async def named(self, name: str) -> Model:
        """The one of this name."""
        found = self._made.get(name)
        if found is not None:
            return found
        async with self._making:
            if name not in self._made:
                try:
                    self._made[name] = Provided(name, await self._providers.model(name))
                except NotSetUp as missing:
                    raise ModelFailed("not_set_up", str(missing)) from None
            return self._made[name]

    async def close(self) -> None:
        """Lets go of the connections."""
        await self._providers.close()


def _hooks() -> Hooks:
    """Without a thousand events a second."""
    from services.responder.adapters.merged import HOOKS  # noqa: PLC0415 - likewise

    return HOOKS
