"""Asks a model what words mean: one call, without a second try, and within a time."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from services.kit.models.prices import cost_usd
from services.kit.models.providers import NotSetUp, Providers
from services.supervisor.decisions.understanding import Question
from services.supervisor.settings import SupervisorSettings

log = logging.getLogger(__name__)

WITHIN_S: Final = 20.0


class NoAnswer(Exception):
    """The model said nothing. Why stands in words of ours: its own may quote people."""


@dataclass(frozen=True)
class Said:
    """What the model calls the tool with, or what it wrote instead, and what that took."""

    text: str
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """None where nobody knows its price."""


class Understanding:
    """The model that is set."""

    def __init__(self, name: str, providers: Providers, within_s: float = WITHIN_S) -> None:
        self._name, self._providers, self._within_s = name, providers, within_s
        self._model: Any = None

    async def ask(self, question: Question) -> Said:
        """Its answer."""
        from pydantic_ai.direct import model_request  # noqa: PLC0415 - only where a model is set
        from pydantic_ai.exceptions import AgentRunError, UserError  # noqa: PLC0415 - likewise
        from pydantic_ai.messages import ToolCallPart  # noqa: PLC0415 - likewise

        try:
            async with asyncio.timeout(self._within_s):
                model = await self._made()
                response = await model_request(model, _messages(question), model_request_parameters=_tool(question))
        except NotSetUp as missing:
            raise NoAnswer(str(missing)) from None
        except (AgentRunError, UserError, TimeoutError, ValueError, OSError) as error:
            status = getattr(error, "status_code", None)
            raise NoAnswer(f"{type(error).__name__}{f', HTTP {status}' if status is not None else ''}") from None
        calls = [each for each in response.parts if isinstance(each, ToolCallPart) and each.tool_name == question.tool]
        args = calls[0].args if calls else response.text or ""
        text = args if isinstance(args, str) else json.dumps(args or {})
        return Said(text, response.usage.input_tokens, response.usage.output_tokens, cost_usd(response))

    async def prepare(self) -> None:
        """Loads what it needs. What is missing is said, and rules alone read words."""
        try:
            await self._made()
        except NotSetUp as missing:
            log.warning("%s cannot be asked what people mean (%s): only rules read their words", self._name, missing)

    async def _made(self) -> Any:
        self._model = self._model or await self._providers.model(self._name)
        return self._model


@asynccontextmanager
async def understanding(name: str, settings: SupervisorSettings) -> AsyncIterator[Understanding]:
    """A model that can be asked within it."""
    providers = Providers(settings)
    try:
        found = Understanding(name, providers)
        await found.prepare()
        yield found
    finally:
        await providers.close()


def _messages(question: Question) -> list[Any]:
    from pydantic_ai.messages import ModelRequest, SystemPromptPart, UserPromptPart  # noqa: PLC0415 - likewise

    return [ModelRequest(parts=[SystemPromptPart(question.system), UserPromptPart(question.text)])]


def _tool(question: Question) -> Any:
    from pydantic_ai.models import ModelRequestParameters  # noqa: PLC0415 - likewise
    from pydantic_ai.tools import ToolDefinition  # noqa: PLC0415 - likewise

    says = ToolDefinition(
        name=question.tool, description="Says what the person wants.", parameters_json_schema=question.form
    )
    return ModelRequestParameters(function_tools=[says])
