"""What a model may use beside its words: what it is told of tools, what it asked of them, and what came of it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas import ids
from schemas.command import ToolAnswer

MOST_TURNS: Final = 10
"""So often a run may use tools before it must answer."""
MOST_AT_ONCE: Final = 10
"""So many tools may be asked in one turn."""
LONGEST_RESULT: Final = 32_000
LARGEST_ANSWER: Final = 4 * LONGEST_RESULT
"""Bytes of a tool's answer. What comes behind them is not read."""
LARGEST_ARGUMENTS: Final = 16 << 10

LEFT_OUT: Final = "(It goes on. The rest is left out.)"
NOT_THERE: Final = "There is no such tool for you."
TOO_MANY: Final = f"Nothing was done: at most {MOST_AT_ONCE} tools are used at once. Ask again for this one, alone."
NO_OBJECT: Final = "Nothing was done: the arguments are no JSON object, or are too large. Mend them and ask again."
OTHER_ARGUMENTS: Final = "Nothing was done: this is not what was allowed."
NOT_ASKED: Final = "Nothing was done: nobody allowed it."
NOBODY_DECIDED: Final = "Nothing was done: nobody decided in time. That is neither a yes nor a no."


@dataclass(frozen=True)
class ToolShown:
    """A tool, as a model is told of it."""

    name: str
    description: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True)
class ToolCall:
    """What a model asked of a tool."""

    call_id: str
    tool: str
    arguments_json: str
    """As the model wrote it."""


@dataclass(frozen=True)
class ToolResult:
    """What a model is told of it."""

    call_id: str
    tool: str
    text: str


@dataclass(frozen=True)
class Turn:
    """What a model said and asked before its answer, and what it was told."""

    said: str
    calls: tuple[ToolCall, ...]
    results: tuple[ToolResult, ...] = ()


@dataclass(frozen=True)
class Ruled:
    """A tool's rules, as the directory has them now."""

    name: str
    needs_approval: bool


def arguments_of(call: ToolCall) -> dict[str, Any] | None:
    """Its arguments; none where they are no JSON object that may be sent."""
    try:
        found = json.loads(call.arguments_json or "{}")
        size = len(json.dumps(found, allow_nan=False, ensure_ascii=False).encode())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and size <= LARGEST_ARGUMENTS else None


def action_of(tool: str) -> str:
    """What people are asked."""
    return f"Use the tool {tool}"


def hash_of(tool: str, arguments: Mapping[str, Any]) -> str:
    """What an answer is bound to."""
    return ids.approval_hash(action_of(tool), arguments)


def to_be_allowed(calls: Iterable[ToolCall], rules: Mapping[str, Ruled]) -> list[ToolCall]:
    """Those that people must allow. What cannot be done is not asked for."""
    return [
        call
        for number, call in enumerate(calls)
        if number < MOST_AT_ONCE
        and call.tool in rules
        and rules[call.tool].needs_approval
        and arguments_of(call) is not None
    ]


def hindrance(call: ToolCall, number: int, rules: Mapping[str, Ruled], answers: Sequence[ToolAnswer]) -> str | None:
    """Why a call is not made, as the model is told; none where it is."""
    rule, arguments = rules.get(call.tool), arguments_of(call)
    if rule is None:
        return NOT_THERE
    if number >= MOST_AT_ONCE:
        return TOO_MANY
    if arguments is None:
        return NO_OBJECT
    answer = next((each for each in answers if each.call_id == call.call_id), None)
    if answer is not None:
        return _of_answer(answer, hash_of(call.tool, arguments))
    return NOT_ASKED if rule.needs_approval else None


def _of_answer(answer: ToolAnswer, arguments_hash: str) -> str | None:
    if answer.arguments_hash != arguments_hash:
        return OTHER_ARGUMENTS
    match answer.outcome:
        case "approved":
            return None
        case "rejected":
            why = f": {answer.reason}" if answer.reason else "."
            return f"Nothing was done: a person said no{why}"
        case "expired":
            return NOBODY_DECIDED


def effect_id_of(run_id: str, call: ToolCall, earlier: Iterable[Turn], beside: Iterable[ToolCall]) -> str:
    """The same call of the same run has the same name, whoever makes it; with the same arguments again, another."""
    mine = (call.tool, arguments_of(call))
    before = [*(each for turn in earlier for each in turn.calls), *beside]
    nth = sum((each.tool, arguments_of(each)) == mine for each in before)
    return ids.effect_id(run_id, f"tool:{call.tool}:{hash_of(call.tool, mine[1] or {})}", nth)


def as_text(answer: bytes) -> str:
    """What a tool said. What is no text, or ends in the middle of a letter, is shown as what it is not."""
    return answer[:LARGEST_ANSWER].decode("utf-8", "replace").replace("\0", "\ufffd").strip()


def cut(text: str) -> str:
    """What a tool said, as much of it as a model is told."""
    return text if len(text) <= LONGEST_RESULT else f"{text[:LONGEST_RESULT]}\n{LEFT_OUT}"


def unique(calls: Iterable[ToolCall]) -> tuple[ToolCall, ...]:
    """With an id each that every table takes: some servers give none, or the same to all."""
    found: dict[str, ToolCall] = {}
    for number, call in enumerate(calls):
        given = call.call_id if call.call_id.isprintable() else ""
        name = given if given and given not in found else f"{given or 'call'}_{number}"
        found[name] = ToolCall(name, call.tool, call.arguments_json)
    return tuple(found.values())
