"""Makes pydantic-ai's models of the keys and addresses that are set. It is imported when one is asked for."""

import asyncio
import importlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import SecretStr

from services.kit.groups import ModelSettings

MOST_CALLS: Final = 100_000
"""Bounds hold back runs, and not their calls."""
NO_KEY: Final = "none"
"""What servers of one's own are given that want no key."""
Hooks = Mapping[str, list[Any]]
"""What an HTTP client does with requests and answers."""


class NotSetUp(Exception):
    """What a model needs is not set."""


class Providers:
    """The clients of providers, each made with the model that needs it."""

    def __init__(self, settings: ModelSettings, hooks: Callable[[], Hooks] = dict) -> None:
        self._settings, self._hooks = settings, hooks
        self._clients: list[Any] = []

    async def model(self, name: str) -> Any:
        """Makes the model of a name such as `openai:gpt-5`. The first takes seconds, in a thread."""
        provider, _, model = name.partition(":")
        await asyncio.to_thread(_load, provider)  # nobody else is to wait for it
        return self._make(provider, model)

    async def close(self) -> None:
        """Lets go of the connections."""
        for each in self._clients:
            await each.close()

    def _make(self, provider: str, model: str) -> Any:
        match provider:
            case "openai":
                return self._openai(model)
            case "ollama":
                return self._ollama(model)
            case "anthropic":
                return self._anthropic(model)
            case _:
                raise NotSetUp("there is no such provider")

    def _openai(self, model: str) -> Any:
        from openai import AsyncOpenAI, DefaultAioHttpClient  # noqa: PLC0415 - only where it is used
        from pydantic_ai.models.openai import OpenAIChatModel  # noqa: PLC0415 - likewise
        from pydantic_ai.providers.openai import OpenAIProvider  # noqa: PLC0415 - likewise

        key, url = self._settings.openai_api_key, self._settings.openai_base_url
        if key is None and url is None:
            raise NotSetUp("OPENAI_API_KEY is not set")
        client = self._client(AsyncOpenAI, DefaultAioHttpClient, key, url)
        return OpenAIChatModel(model, provider=OpenAIProvider(openai_client=client))

    def _ollama(self, model: str) -> Any:
        from openai import AsyncOpenAI, DefaultAioHttpClient  # noqa: PLC0415 - likewise
        from pydantic_ai.models.ollama import OllamaModel  # noqa: PLC0415 - likewise
        from pydantic_ai.providers.ollama import OllamaProvider  # noqa: PLC0415 - likewise

        client = self._client(AsyncOpenAI, DefaultAioHttpClient, None, self._settings.ollama_base_url)
        return OllamaModel(model, provider=OllamaProvider(openai_client=client))

    def _anthropic(self, model: str) -> Any:
        from anthropic import AsyncAnthropic, DefaultAioHttpClient  # noqa: PLC0415 - likewise
        from pydantic_ai.models.anthropic import AnthropicModel  # noqa: PLC0415 - likewise
        from pydantic_ai.providers.anthropic import AnthropicProvider  # noqa: PLC0415 - likewise

        key, url = self._settings.anthropic_api_key, self._settings.anthropic_base_url
        if key is None and url is None:
            raise NotSetUp("ANTHROPIC_API_KEY is not set")
        client = self._client(AsyncAnthropic, DefaultAioHttpClient, key, url)
        return AnthropicModel(model, provider=AnthropicProvider(anthropic_client=client))

    def _client(self, kind: Any, http: Any, key: SecretStr | None, url: str | None) -> Any:
        """A provider's own client: as many calls at once as are wanted, and none that it repeats by itself."""
        import httpx2  # noqa: PLC0415 - likewise

        made = kind(
            api_key=key.get_secret_value() if key is not None else NO_KEY,
            base_url=url,
            max_retries=0,
            http_client=http(limits=httpx2.Limits(max_connections=MOST_CALLS), event_hooks=self._hooks()),
        )
        self._clients.append(made)
        return made


def _load(provider: str) -> None:
    for module in ("pydantic_ai.direct", f"pydantic_ai.models.{provider}"):
        importlib.import_module(module)
