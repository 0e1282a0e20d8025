"""What the pages for people who run Threadline name is there: tests, scenarios, messages, and what is kept how long."""

import re
from pathlib import Path

import pytest

from bench.chaos.scenario import scenarios
from schemas.topics import TOPICS
from services.directory.slack_tokens import MORE_SCOPES, SCOPES

ROOT = Path(__file__).parents[2]
TEST = re.compile(r"`(tests/[a-z_/]+\.py)::(\w+)`")
SCENARIO = re.compile(r"`([a-z]+: [^`]*, [a-z]+)`")
NAMES = {each.name for each in scenarios()}
NOTHING_TRIED_IT = "*no test*"
JOINED = re.compile(r"\"\s*\n\s*f?\"")
CODE = re.compile(r"`([^`]+)`")
PIECE = 10
"""Letters. Fewer could stand anywhere."""
MOST_OF_IT = 0.8


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def rows(text: str) -> list[list[str]]:
    """The cells of every row of a table, without those above the line."""
    lines = text.splitlines()
    head = {
        number for number, line in enumerate(lines) if lines[number + 1 : number + 2] and _is_line(lines[number + 1])
    }
    return [
        [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]
        for number, line in enumerate(lines)
        if line.startswith("| ") and number not in head and not _is_line(line)
    ]


def _is_line(line: str) -> bool:
    return re.fullmatch(r"\|(-+\|)+", line) is not None


@pytest.mark.parametrize("name", ["failures.md", "threat-model.md", "privacy.md", "guide/first-reply.md"])
def test_every_test_and_scenario_that_is_named_is_there(name: str) -> None:
    text = page(name)
    found = TEST.findall(text)
    assert found
    for path, test in found:
        assert re.search(rf"^(async )?def {test}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE), f"{path}::{test}"
    assert set(SCENARIO.findall(text)) <= NAMES


def test_each_failure_names_what_tried_it_or_says_that_nothing_did() -> None:
    failures = rows(page("failures.md"))
    assert len(failures) > 60
    for fails, *told, tried_by in failures:
        assert len(told) == 3, fails
        if tried_by.startswith(NOTHING_TRIED_IT):
            continue
        assert all(told), fails
        assert TEST.search(tried_by) or SCENARIO.search(tried_by), fails


def test_every_fault_that_is_played_is_told_of() -> None:
    told = {without_moment(name) for name in SCENARIO.findall(page("failures.md"))}
    assert told == {without_moment(name) for name in NAMES}


def without_moment(scenario: str) -> str:
    return scenario.rpartition(", ")[0]


def test_what_is_kept_is_kept_as_the_topics_say() -> None:
    told = {cells[0].strip("`"): cells for cells in rows(page("privacy.md"))}
    for topic in TOPICS:
        cells = told[topic.name]
        assert cells[2] == topic.kept, topic.name
        assert ("words" in cells[1]) == topic.holds_text, topic.name


def test_the_scopes_that_the_newcomer_grants_are_those_that_are_asked_for() -> None:
    making = page("guide/first-reply.md").partition("### 1. Make the app")[2].partition("\n### ")[0]
    assert {scope for cells in rows(making) for scope in CODE.findall(cells[0])} == {*SCOPES, *MORE_SCOPES}


def test_messages_that_the_newcomer_may_see_are_the_programs_own() -> None:
    rooms = [ROOT / room for room in ("services", "threadline")]
    code = "\n".join(path.read_text("utf-8") for room in rooms for path in room.rglob("*.py"))
    said = JOINED.sub("", code)
    mistakes = page("guide/first-reply.md").partition("## Common mistakes")[2].partition("\n## ")[0]
    seen = [cells[0] for cells in rows(mistakes) if "Slack's words" not in cells[0]]
    messages = [message for cell in seen for message in CODE.findall(cell) if message.count(" ") > 1]
    assert len(messages) > 12
    for message in messages:
        assert share_of(message, said) > MOST_OF_IT, message


def share_of(message: str, code: str) -> float:
    """How much of a message stands in the code piece by piece: the rest is what it is filled in with."""
    starts = range(len(message) - PIECE + 1)
    found = {at + more for at in starts if message[at : at + PIECE] in code for more in range(PIECE)}
    return len(found) / len(message)
