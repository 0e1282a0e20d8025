"""One trace from what Slack sent to what Slack is told, as a collector has it."""

import asyncio
import re
from collections.abc import Sequence

from bench.beds.inbox import Inbox
from bench.beds.models import Fails, ModelServer, Says
from bench.beds.otlp import Seen
from schemas.attributes import Attributes
from schemas.command import RunRequested
from schemas.topics import RUNS_COMMANDS
from tests.pipeline.town import Town

PATIENCE_S = 30.0
WAY = (
    "receive app_mention",
    "publish slack.inbound",
    "process slack.inbound",
    "process runs.commands",
    "invoke_agent Vera",
    "chat gpt-5-mini",
    "POST /api/chat.postMessage",
    "publish slack.effects",
    "publish audit.runs",
)


async def _trace_of(town: Town, text: str, *names: str) -> list[Seen]:
    """The trace of the run that was asked for with these words."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for each in await Inbox(town.kafka).found(RUNS_COMMANDS):
                if isinstance(each.event, RunRequested) and text in each.event.message.content:
                    carried = Attributes.from_headers(each.record.headers).traceparent
                    assert carried is not None
                    return await town.collector.whole(carried.split("-")[1], *names)
            await asyncio.sleep(0.1)


def _one(spans: Sequence[Seen], name: str) -> Seen:
    return next(each for each in spans if each.name == name)


async def test_one_trace_leads_from_slack_to_the_model_and_back(town: Town, model: ModelServer) -> None:
    model.does(Says("The printer is well again. " * 8, chunk=8, pause_s=0.05))
    ts = await town.acme.mention("vera: is the quillfish well?")
    await town.acme.answer(ts, "well again")
    spans = await _trace_of(town, "quillfish", *WAY)
    by_id = {each.id: each for each in spans}

    received, decided, command = (_one(spans, WAY[number]) for number in (0, 2, 3))
    agent, chat = _one(spans, "invoke_agent Vera"), _one(spans, "chat gpt-5-mini")
    assert (received.parent, received.kind, received.service) == ("", "SERVER", "ingress")
    assert (by_id[decided.parent], decided.kind, decided.service) == (received, "CONSUMER", "router")
    assert (by_id[command.parent], command.kind, command.service) == (decided, "CONSUMER", "responder")
    assert by_id[agent.parent] == command
    assert (by_id[chat.parent], chat.kind) == (agent, "CLIENT")
    assert decided.facts["threadline.decision"] == "dispatched"
    assert command.facts["threadline.run_ended"] == "replied"
    assert chat.facts["gen_ai.operation.name"] == "chat"
    assert chat.facts["gen_ai.provider.name"] == "openai"
    assert int(chat.facts["gen_ai.usage.output_tokens"]) > 0
    assert float(chat.facts["gen_ai.response.time_to_first_chunk"]) > 0
    calls = [each for each in spans if each.name.startswith("POST /api/")]
    assert {each.parent for each in calls} == {command.id}
    assert {each.facts["server.address"] for each in calls} == {"127.0.0.1"}
    assert {each.facts["threadline.tenant"] for each in calls} == {"acme"}
    assert not [each.name for each in spans if each.failed]


async def test_no_trace_holds_what_people_or_models_say_or_a_token(town: Town, model: ModelServer) -> None:
    model.does(Says("Nobody may read this zanderling."))
    ts = await town.acme.mention("vera: who keeps the wolverbean?")
    await town.acme.answer(ts, "zanderling")
    spans = await _trace_of(town, "wolverbean", *WAY)
    said = "\n".join(each.whole for each in spans)
    assert not re.search("zanderling|wolverbean|xox[bp]-|xapp-|sk-test-key", said)


async def test_a_model_that_fails_is_seen_by_its_trouble(town: Town, model: ModelServer) -> None:
    model.does(Fails(401, "invalid_api_key"))
    ts = await town.acme.mention("vera: does the gharialpot fail?")
    await town.acme.answer(ts)
    spans = await _trace_of(town, "gharialpot", "process runs.commands", "chat gpt-5-mini")
    chat = _one(spans, "chat gpt-5-mini")
    assert chat.failed
    assert chat.facts["error.type"] == "not_allowed"
    assert _one(spans, "process runs.commands").facts["threadline.run_ended"] == "failed"
