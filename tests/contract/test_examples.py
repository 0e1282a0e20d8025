import base64
import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from schemas.export import path_of, schema_of
from schemas.topics import BY_NAME, TOPICS

SCHEMAS = Path(__file__).parents[2] / "schemas"
EXAMPLES = sorted((SCHEMAS / "examples").rglob("*.json"))
NAMES = [f"{path.parts[-3]}/{path.stem}" for path in EXAMPLES]


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_an_example_is_what_its_topic_holds(path: Path) -> None:
    topic = BY_NAME[path.parts[-3]]
    example = json.loads(path.read_text())
    model = topic.types[example["type"]]
    event = model.model_validate_json(path.read_text())
    assert json.loads(event.model_dump_json()) == example
    Draft202012Validator(schema_of(model)).validate(example)


@pytest.mark.parametrize("path", EXAMPLES, ids=NAMES)
def test_an_example_with_a_stranger_in_it_is_refused_by_model_and_schema(path: Path) -> None:
    topic = BY_NAME[path.parts[-3]]
    example = {**json.loads(path.read_text()), "stranger": 1}
    model = topic.types[example["type"]]
    with pytest.raises(ValidationError):
        model.model_validate_json(json.dumps(example))
    assert not Draft202012Validator(schema_of(model)).is_valid(example)


def test_every_type_has_an_example() -> None:
    shown = {(path.parts[-3], json.loads(path.read_text())["type"]) for path in EXAMPLES}
    assert shown == {(topic.name, name) for topic in TOPICS for name in topic.types}


def test_every_schema_is_a_schema() -> None:
    for topic in TOPICS:
        for name in topic.types:
            Draft202012Validator.check_schema(json.loads((SCHEMAS / "exported" / path_of(topic, name)).read_text()))


def test_no_example_holds_a_secret() -> None:
    for path in EXAMPLES:
        text = path.read_text()
        assert "xoxb-" not in text
        assert "hooks.slack.com" not in text
        assert '"token":' not in text


def test_a_dead_letter_keeps_its_bytes() -> None:
    model = BY_NAME["dead.letters"].types["dead.letter"]
    raw = bytes(range(256))
    letter = model.model_validate(
        {"at": "2026-03-02T09:15:00Z", "service": "s", "reason": "r", "detail": "d", "value": raw}, strict=False
    )
    again = model.model_validate_json(letter.model_dump_json())
    assert getattr(again, "value") == raw  # noqa: B009 - the topic's type is only known by name
    assert base64.urlsafe_b64decode(json.loads(letter.model_dump_json())["value"]) == raw
