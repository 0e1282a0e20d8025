"""What is wrong with a `directory.yaml`: everything, at once, each with its line."""

import difflib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from services.directory.consistency import hints, wrong_together
from services.directory.document import (
    Agent,
    Connection,
    Document,
    Installation,
    Limit,
    Partner,
    Person,
    Quota,
    Rule,
    Tenant,
    Tool,
)
from services.directory.tree import LARGEST, Problem, Tree, read
from services.kit.redaction import Redactor, holds_token

MODELS: dict[str, type[BaseModel]] = {
    "tenants": Tenant,
    "connections": Connection,
    "partners": Partner,
    "installations": Installation,
    "agents": Agent,
    "rules": Rule,
    "limits": Limit,
    "quotas": Quota,
    "people": Person,
    "tools": Tool,
}

SAID = {
    "missing": "it is missing",
    "string_type": "it must be text",
    "tuple_type": "it must be a list",
    "model_type": "it must be fields with values",
    "model_attributes_type": "it must be fields with values",
}

SHAPES = {
    "workspace": "Slack's id of a workspace begins with T, of an organisation with E",
    "organization": "Slack's id of an organisation begins with E",
    "channels": "Slack's id of a channel begins with C, D or G",
    "senders": "Slack's id of a person begins with U or W",
    "user": "Slack's id of a person begins with U or W",
    "bot_user": "Slack's id of a person begins with U or W",
    "app": "Slack's id of an app begins with A",
    "agents_channel": "a channel's id (C…), or its name with # before it, in quotes",
    "id": "small letters, digits and dashes, at most 63",
    "name": "small letters, digits and dashes, at most 63",
    "agent": "the id of an agent: small letters, digits and dashes",
}


redact = Redactor()


@dataclass(frozen=True)
class Checked:
    """A document that may be applied, or everything that is wrong with it."""

    document: Document | None
    problems: tuple[Problem, ...]
    hints: tuple[Problem, ...] = ()
    """What is allowed and hardly meant."""


def check(text: str) -> Checked:
    """Looks at a whole file."""
    if len(text) > LARGEST:
        return Checked(None, (Problem(None, "", f"it is larger than {LARGEST // 1024 // 1024} MiB"),))
    tree = read(text)
    if tree.value is None and not tree.problems:
        tree.problems.append(Problem(1, "", "it is empty; the least that it can say is: version: 1"))
    problems = list(tree.problems)
    document = None
    if tree.value is not None:
        document, wrong_fields = _validated(tree)
        problems += [*wrong_fields, *_secrets_in(tree), *wrong_together(tree)]
    shown = {Problem(each.line, each.field, redact(each.what)) for each in problems}
    ordered = tuple(sorted(shown, key=lambda each: (each.line or 0, each.field, each.what)))
    return Checked(None, ordered) if ordered or document is None else Checked(document, (), tuple(hints(tree)))


def _validated(tree: Tree) -> tuple[Document | None, list[Problem]]:
    try:
        return Document.model_validate_json(json.dumps(tree.value)), []
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        return None, [tree.problem(tuple(each["loc"]), _said(tree, each)) for each in found]


def _said(tree: Tree, problem: ErrorDetails) -> str:
    """What is wrong, in words; never the value itself, which could be a secret."""
    path = problem["loc"]
    word = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    match problem["type"]:
        case "extra_forbidden":
            return _no_such_field(word, _model_at(path))
        case "string_pattern_mismatch" if word in SHAPES:
            return SHAPES[word]
        case "string_type" if not isinstance(tree.at(path), dict | list):
            return "it must be text; put it in quotes"
        case kind:
            return SAID.get(kind) or problem["msg"].removeprefix("Value error, ")


def _no_such_field(word: str, model: type[BaseModel]) -> str:
    close = difflib.get_close_matches(word, model.model_fields, n=1)
    return (
        f"there is no such field; did you mean {close[0]}?"
        if close
        else (f"there is no such field; there are {', '.join(model.model_fields)}")
    )


def _model_at(path: tuple[str | int, ...]) -> type[BaseModel]:
    lists = [MODELS[step] for step in path[:-1] if isinstance(step, str) and step in MODELS]
    return lists[-1] if lists else Document


def _secrets_in(tree: Tree) -> Iterator[Problem]:
    for path in tree.lines:
        texts = [each for each in (*path[-1:], tree.at(path)) if isinstance(each, str)]
        if any(holds_token(each) for each in texts):
            yield tree.problem(
                path,
                "a secret stands here. It never may: have it revoked, and let the installation's `secrets` say where "
                "the new one is found",
            )
