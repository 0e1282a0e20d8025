"""Models behind HTTP: what they say arrives, and what they break is told in words that a person can use."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bench.beds.models import Fails, ModelServer, Says, model_server
from bench.beds.tools import ToolServer, tool_server
from schemas.buttons import RETRY, STOP, WHY
from services.directory.document import Tool
from services.kit.groups import KafkaSettings
from services.slack_sim.control import asks
from tests.conftest import fresh, topics_of
from tests.databases import Databases
from tests.responder.conftest import Talk, buttons_of, talking, words_of


@pytest.fixture(scope="module")
async def model() -> AsyncIterator[ModelServer]:
    """It speaks both ways."""
    async with model_server() as server:
        yield server


@pytest.fixture(scope="module")
async def tools() -> AsyncIterator[ToolServer]:
    """What Mara may use."""
    async with tool_server() as server:
        yield server


def look_up(tools: ToolServer) -> Tool:
    """What needs nobody's leave."""
    return Tool(
        name="look_up",
        description="Finds an order.",
        url=f"{tools.address}/look_up",
        arguments={"type": "object", "properties": {"order": {"type": "string"}}},
        approval="never",
    )


@pytest.fixture(scope="module")
async def talk(
    brokers: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory, model: ModelServer, tools: ToolServer
) -> AsyncIterator[Talk]:
    """Mara answers with OpenAI's, and with Anthropic's where that cannot."""
    variables = {
        "THREADLINE_MODEL": "openai:gpt-5",
        "OPENAI_BASE_URL": f"{model.address}/v1",
        "OPENAI_API_KEY": "sk-test-key",
        "THREADLINE_FIRST_TOKEN_WITHIN_S": "1.5",
    }
    folder = tmp_path_factory.mktemp("models")
    may_use = (look_up(tools),)
    async with topics_of(fresh(brokers)) as kafka, talking(kafka, databases, folder, may_use, **variables) as found:
        yield found


async def test_an_answer_streams_in_and_the_prompt_says_who_answers(talk: Talk, model: ModelServer) -> None:
    model.does(Says("One two three four five.", chunk=4))
    answer = await talk.answer(await talk.mention("how many?"))
    assert words_of(answer) == "One two three four five."
    asked = model.asked[-1]
    assert asked["model"] == "gpt-5"
    assert "Your name is Mara." in asked["messages"][0]["content"]
    assert "Your role is Customer Support." in asked["messages"][0]["content"]
    assert "AI assistant" in asked["messages"][0]["content"]
    assert asked["messages"][-1]["content"] == f"<@{talk.first.you}>: how many?"


async def test_a_model_uses_a_tool_and_is_told_what_came_of_it(
    talk: Talk, model: ModelServer, tools: ToolServer
) -> None:
    tools.plan = [(200, "It is on its way.")]
    used = Says("I will look.", chunk=5, uses=(("look_up", '{"order": "B-1"}'),))
    model.does(used, Says("Your order is on its way."))
    answer = await talk.answer(await talk.mention("where is B-1?"), "on its way")
    assert words_of(answer) == "I will look.\n\nYour order is on its way."
    assert [each.tool for each in tools.of(order="B-1")] == ["look_up"]
    before, after = model.asked[-2:]
    (told,) = before["tools"]
    assert (told["function"]["name"], told["function"]["description"]) == ("look_up", "Finds an order.")
    assert told["function"]["parameters"]["properties"] == {"order": {"type": "string"}}
    said, result = after["messages"][-2:]
    assert said["tool_calls"][0]["function"] == {"name": "look_up", "arguments": '{"order":"B-1"}'}
    assert (result["role"], result["content"]) == ("tool", "It is on its way.")
    state = await talk.ended(answer)
    assert state.usage is not None
    assert (state.usage.input_tokens, state.usage.output_tokens) == (22, 14)


async def test_an_agent_that_only_uses_tools_is_ended(talk: Talk, model: ModelServer) -> None:
    model.does(Says("", uses=(("look_up", '{"order": "B-3"}'),)))
    answer = await talk.answer(await talk.mention("again and again"), "came to no answer")
    assert WHY in buttons_of(answer)


async def test_what_was_said_in_the_thread_is_told_to_the_model(talk: Talk, model: ModelServer) -> None:
    model.does(Says("Noted."))
    ts = await talk.sim.say(talk.first.colleague, talk.first.support, "the printer is on fire")
    await talk.sim.say(talk.first.colleague, talk.first.support, "the red one", ts)
    first = await talk.answer(await _in_thread(talk, ts, "what is on fire?"), channel=talk.first.support)
    said = [each["content"] for each in model.asked[-1]["messages"][1:]]
    colleague, you = f"<@{talk.first.colleague}>: ", f"<@{talk.first.you}>: "
    assert said == [f"{colleague}the printer is on fire", f"{colleague}the red one", f"{you}what is on fire?"]
    await talk.sim.say(talk.first.you, talk.first.support, "sure?", ts)
    await talk.answer(ts, "Noted.", after=first["ts"])
    said = [(each["role"], each["content"]) for each in model.asked[-1]["messages"][1:]]
    assert said[-2:] == [("assistant", "Noted."), ("user", f"{you}sure?")]


async def _in_thread(talk: Talk, ts: str, text: str) -> str:
    await talk.mention(text, thread=ts)
    return ts


@pytest.mark.parametrize(
    ("broken", "words", "buttons"),
    [
        ((Fails(401, "invalid_api_key"),), "does not accept our key", [RETRY, WHY]),
        ((Fails(400, "context_length_exceeded"),), "longer than the language model can read", [WHY]),
        ((Fails(404, "model_not_found"),), "does not exist", [RETRY, WHY]),
        ((Fails(429, "insufficient_quota"),), "allowance for the language model is used up", [RETRY, WHY]),
    ],
)
async def test_what_does_not_pass_is_told_at_once(
    talk: Talk, model: ModelServer, broken: tuple[Fails, ...], words: str, buttons: list[str]
) -> None:
    model.does(*broken)
    before = len(model.asked)
    answer = await talk.answer(await talk.mention("anything?"))
    assert words in words_of(answer)
    assert len(model.asked) == before + 1
    assert buttons_of(answer) == buttons
    assert "SECRET-WORDS" not in talk.pipeline.responder.child.said()
    assert "sk-test-key" not in talk.pipeline.responder.child.said()


@pytest.mark.parametrize(
    "broken",
    [
        Fails(500),
        Fails(429, "rate_limit_exceeded", "1"),
        Says(stalls_after=0),
        Says("abcdefgh" * 20, stalls_after=4),
        Says("abcdefgh" * 20, cuts_after=4),
        Says("abcdefgh" * 20, rubbish_after=4),
    ],
)
async def test_what_passes_is_tried_again_and_the_answer_is_whole(
    talk: Talk, model: ModelServer, broken: Fails | Says
) -> None:
    model.does(broken, Says("Here it is, all of it."))
    answer = await talk.answer(await talk.mention("once more?"))
    assert words_of(answer) == "Here it is, all of it."


async def test_a_failure_can_be_tried_again_by_its_button(talk: Talk, model: ModelServer) -> None:
    model.does(Fails(404, "model_not_found"))
    ts = await talk.mention("will it work?")
    failed = await talk.answer(ts)
    model.does(Says("Now it does."))
    place = {"user_id": talk.first.you, "channel_id": talk.first.support, "ts": failed["ts"]}
    await talk.sim.ask(asks.Press(action_id=RETRY, **place))
    assert words_of(await talk.answer(ts, "Now it does.")) == "Now it does."
    assert model.asked[-1]["messages"][-1]["content"].endswith("will it work?")


async def test_a_stop_breaks_off_the_models_call(talk: Talk, model: ModelServer) -> None:
    model.does(Says("word " * 2000, chunk=5, pause_s=0.05))
    ts = await talk.mention("a long one")
    shown = await talk.growing(ts, "word")
    broken_off = model.broken_off
    place = {"user_id": talk.first.you, "channel_id": talk.first.support, "ts": shown["ts"]}
    await talk.sim.ask(asks.Press(action_id=STOP, **place))
    await talk.answer(ts, "Stopped by")

    async def is_broken_off() -> bool:
        return model.broken_off == broken_off + 1

    await talk.until(is_broken_off)


async def test_nobody_is_called_by_a_model(talk: Talk, model: ModelServer) -> None:
    model.does(Says(f"Hey @channel, <!here> and <@UOTHER>, <@{talk.first.you}> asked. [x](javascript:alert(1))"))
    said = words_of(await talk.answer(await talk.mention("call them")))
    assert "@channel" not in said
    assert "<!here>" not in said
    assert "<@UOTHER>" not in said
    assert "javascript:alert" not in said
    assert f"<@{talk.first.you}>" in said


async def test_half_a_sign_harms_nobody(talk: Talk, model: ModelServer) -> None:
    """A server may cut an emoji in two; and a half alone can be written nowhere."""
    model.does(Says("So \ud83d\ude00 and \ud83d!", chunk=1))
    assert words_of(await talk.answer(await talk.mention("smile"))) == "So \U0001f600 and \ufffd!"


async def test_a_model_that_says_nothing(talk: Talk, model: ModelServer) -> None:
    model.does(Says(""))
    assert "nothing to say" in words_of(await talk.answer(await talk.mention("well?")))


async def test_a_long_answer_is_several_messages_in_order(talk: Talk, model: ModelServer) -> None:
    lines = [f"Paragraph {number}. " + "words " * 20 for number in range(430)]
    whole = "\n\n".join(line.strip() for line in lines)
    assert len(whole) > 55_000
    model.does(Says(whole, chunk=2000))
    ts = await talk.mention("all of it")
    await talk.answer(ts, "Paragraph 429.")
    ours = [each for each in await talk.thread(ts) if each.get("app_id")]
    assert "\n\n".join(words_of(each) for each in ours) == whole
    assert [bool(buttons_of(each)) for each in ours] == [False] * (len(ours) - 1) + [True]


async def test_anthropics_answer_streams_in_and_where_it_cannot_the_fallback_answers(
    model: ModelServer, tools: ToolServer, topics: KafkaSettings, databases: Databases, tmp_path: Path
) -> None:
    variables = {
        "THREADLINE_MODEL": "anthropic:claude-opus-4-5",
        "THREADLINE_FALLBACK_MODEL": "openai:gpt-5",
        "ANTHROPIC_BASE_URL": model.address,
        "OPENAI_BASE_URL": f"{model.address}/v1",
        "THREADLINE_REPLY_FOOTER": "true",
    }
    async with talking(topics, databases, tmp_path, (look_up(tools),), **variables) as talk:
        model.does(Says("Good day, from afar.", chunk=3))
        answer = await talk.answer(await talk.mention("hello"))
        assert words_of(answer) == "Good day, from afar."
        footers = [each["elements"][0]["text"] for each in answer["blocks"] if each["type"] == "context"]
        assert footers[0].startswith("anthropic:claude-opus-4-5 · 11 + 7 tokens · $0.00")
        assert "Your name is Mara." in str(model.asked[-1]["system"])
        uses = (("look_up", '{"order": "B-2"}'), ("look_up", "rubbish"), ("launch", "{}"))
        model.does(Says("Let me see.", uses=uses), Says("Found."))
        answer = await talk.answer(await talk.mention("where is B-2?"), "Found.")
        assert words_of(answer) == "Let me see.\n\nFound."
        assert len(tools.of(order="B-2")) == 1
        told = [str(each["content"]) for each in model.asked[-1]["messages"][-1]["content"]]
        wanted = ["done", "no JSON object", "no such tool"]
        assert [words in said for words, said in zip(wanted, told, strict=True)] == [True] * 3
        model.does(Fails(529, "overloaded_error"), Fails(529), Fails(529), Says("From the other one."))
        answer = await talk.answer(await talk.mention("hello again"))
        assert words_of(answer) == "From the other one."
        assert model.asked[-1]["model"] == "gpt-5"
