"""Providers' models are asked what words mean: what they call, what they write instead, and where none answers."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bench.beds.models import Fails, ModelServer, Says, model_server
from services.kit.models.providers import Providers
from services.supervisor.adapters.understanding import NoAnswer, Understanding, understanding
from services.supervisor.decisions.understanding import Known, question
from services.supervisor.settings import SupervisorSettings

ASKED = question("what is up?", Known(("cook",), ()))
ANSWER = json.dumps({"verb": "list"})


@pytest.fixture(scope="module")
async def model() -> AsyncIterator[ModelServer]:
    """It speaks each way."""
    async with model_server() as server:
        yield server


def settings_for(model: ModelServer) -> SupervisorSettings:
    """Every provider is this server."""
    return SupervisorSettings(
        openai_api_key=SecretStr("sk-test-key"),
        openai_base_url=f"{model.address}/v1",
        anthropic_api_key=SecretStr("sk-test-key"),
        anthropic_base_url=model.address,
        ollama_base_url=f"{model.address}/v1",
    )


@pytest.mark.parametrize(
    ("name", "is_priced"), [("openai:gpt-5", True), ("anthropic:claude-opus-4-5", True), ("ollama:llama3.2", False)]
)
async def test_each_provider_is_asked_with_a_tool_and_may_write_instead(
    model: ModelServer, name: str, *, is_priced: bool
) -> None:
    async with understanding(name, settings_for(model)) as asked:
        model.does(Says("I will.", uses=(("other", "{}"), ("understood", ANSWER))), Says(ANSWER))
        called, written = await asked.ask(ASKED), await asked.ask(ASKED)
        assert json.loads(called.text) == json.loads(ANSWER)
        assert written.text == ANSWER
        assert (called.input_tokens, called.output_tokens) == (written.input_tokens, written.output_tokens) == (11, 7)
        assert (called.cost_usd is not None) == is_priced
        assert called.cost_usd is None or 0 < called.cost_usd < 0.01
        sent = model.asked[-1]
        assert (sent["model"], len(sent["tools"])) == (name.partition(":")[2], 1)
        assert "what is up?" in str(sent["messages"])
        model.does(Fails(429))
        before = len(model.asked)
        with pytest.raises(NoAnswer, match="HTTP 429") as failure:
            await asked.ask(ASKED)
        assert "SECRET-WORDS" not in str(failure.value)
        assert len(model.asked) == before + 1, "nobody asks again behind our back"


async def test_a_model_that_thinks_for_too_long_is_given_up(model: ModelServer) -> None:
    providers, held = Providers(settings_for(model)), asyncio.Event()
    asked = Understanding("openai:gpt-5", providers, within_s=0.3)
    await asked.prepare()
    model.does(Says(ANSWER, waits_for=held))
    with pytest.raises(NoAnswer, match=r"^TimeoutError$"):
        await asked.ask(ASKED)
    held.set()
    await providers.close()


@pytest.mark.parametrize("provider", ["openai", "anthropic"])
async def test_a_key_that_is_missing_is_named(provider: str, caplog: pytest.LogCaptureFixture) -> None:
    unset = SupervisorSettings(
        openai_api_key=None, openai_base_url=None, anthropic_api_key=None, anthropic_base_url=None
    )
    async with understanding(f"{provider}:one", unset) as asked:
        assert f"({provider.upper()}_API_KEY is not set): only rules read their words" in caplog.text
        with pytest.raises(NoAnswer, match=f"{provider.upper()}_API_KEY is not set"):
            await asked.ask(ASKED)
