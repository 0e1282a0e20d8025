"""What spans hold of words, and what they do not."""

import json
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.kit.clock import SystemClock
from services.responder.adapters.models import ModelFailed, Used, Wanted
from services.responder.adapters.slack import Refused
from services.responder.adapters.spans import Spans
from services.responder.decisions.effects import Subject
from services.responder.decisions.prompting import Asked, Said

HISTORY = (Said("person", "<@U1>: is it on?"), Said("agent", "It is."))
ASKED = Asked("You are Mara.", HISTORY, "<@U1>: and now?")
SUBJECT = Subject("id", "acme", "A1:T1", "T1", "C1", "1.1", "T1:C1:1.1", 0)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture(params=[True, False], ids=["with words", "without"])
def with_words(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def spans(exporter: InMemorySpanExporter, with_words: bool) -> Spans:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Spans(provider.get_tracer("t"), SystemClock(), "https://slack.example/api/", with_words=with_words)


def _only(exporter: InMemorySpanExporter) -> ReadableSpan:
    [span] = exporter.get_finished_spans()
    return span


def test_words_are_there_only_where_an_operator_said_so(
    spans: Spans, exporter: InMemorySpanExporter, with_words: bool
) -> None:
    with spans.chat("anthropic:claude-opus-4-5", ASKED, Wanted(500)) as chat:
        chat.first_word()
        chat.answered("It is off.", Used("anthropic:claude-opus-4-5", 20, 4, 0.5))
    found: dict[str, Any] = dict(_only(exporter).attributes or {})
    assert found["gen_ai.provider.name"] == "anthropic"
    assert found["gen_ai.request.model"] == "claude-opus-4-5"
    assert found["gen_ai.request.max_tokens"] == 500
    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (20, 4)
    if not with_words:
        assert not [name for name, value in found.items() if "Mara" in str(value) or "off" in str(value)]
        return
    heard = json.loads(found["gen_ai.input.messages"])
    assert [(each["role"], each["parts"][0]["content"]) for each in heard] == [
        ("user", "<@U1>: is it on?"),
        ("assistant", "It is."),
        ("user", "<@U1>: and now?"),
    ]
    assert json.loads(found["gen_ai.system_instructions"])[0]["content"] == "You are Mara."
    assert json.loads(found["gen_ai.output.messages"])[0]["parts"][0]["content"] == "It is off."


def test_a_failure_is_a_name_and_never_its_message(spans: Spans, exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ModelFailed), spans.chat("rehearsal", ASKED, Wanted()):
        raise ModelFailed("overloaded", "xoxb-secret and what people wrote")
    span = _only(exporter)
    assert (span.attributes or {})["error.type"] == "overloaded"
    assert not span.status.is_ok
    assert "xoxb" not in span.to_json()


def test_slacks_no_is_named_by_its_code(spans: Spans, exporter: InMemorySpanExporter) -> None:
    with pytest.raises(Refused), spans.calling("chat.update", SUBJECT):
        raise Refused("cant_update_message")
    span = _only(exporter)
    assert span.name == "POST /api/chat.update"
    assert (span.attributes or {})["error.type"] == "cant_update_message"
    assert (span.attributes or {})["server.address"] == "slack.example"
