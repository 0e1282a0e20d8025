"""What is wrong with a `directory.yaml`: everything, at once, each with its line."""

import difflib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

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
)
from services.directory.tree import LARGEST, Path, Problem, Tree, read
from services.kit.redaction import Redactor

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
}

SHAPES = {
    "workspace": "Slack's id of a workspace begins with T, of an organisation with E",
    "organization": "Slack's id of an organisation begins with E",
    "channels": "Slack's id of a channel begins with C, D or G",
    "senders": "Slack's id of a person begins with U or W",
    "user": "Slack's id of a person begins with U or W",
    "bot_user": "Slack's id of a person begins with U or W",
    "app": "Slack's id of an app begins with A",
    "id": "small letters, digits and dashes, at most 63",
    "name": "small letters, digits and dashes, at most 63",
    "agent": "the id of an agent: small letters, digits and dashes",
}

UNIQUE = {
    "connections": ("workspace",),
    "partners": ("workspace",),
    "installations": ("app", "workspace"),
    "agents": ("id",),
    "rules": ("name",),
    "limits": ("scope",),
    "quotas": ("what",),
    "people": ("user",),
}
"""What makes an entry of each list the only one."""


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
        problems += [*wrong_fields, *_secrets_in(tree), *_wrong_together(tree)]
    ordered = tuple(sorted(set(problems), key=lambda each: (each.line or 0, each.field, each.what)))
    return Checked(None, ordered) if ordered or document is None else Checked(document, (), tuple(_hints(tree)))


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
        case "missing":
            return "it is missing"
        case "value_error":
            return problem["msg"].removeprefix("Value error, ")
        case "string_pattern_mismatch":
            return SHAPES.get(word, problem["msg"])
        case "string_type":
            return "it must be text; put it in quotes" if not isinstance(_at(tree, path), dict | list) else "it must be text"
        case "tuple_type":
            return "it must be a list"
        case "model_type" | "model_attributes_type":
            return "it must be fields with values"
        case _:
            return problem["msg"]


def _no_such_field(word: str, model: type[BaseModel]) -> str:
    close = difflib.get_close_matches(word, model.model_fields, n=1)
    return f"there is no such field; did you mean {close[0]}?" if close else (
        f"there is no such field; there are {', '.join(model.model_fields)}"
    )


def _model_at(path: tuple[str | int, ...]) -> type[BaseModel]:
    lists = [MODELS[step] for step in path[:-1] if isinstance(step, str) and step in MODELS]
    return lists[-1] if lists else Document


def _at(tree: Tree, path: tuple[str | int, ...]) -> Any:
    here = tree.value
    for step in path:
        try:
            here = here[step]
        except (LookupError, TypeError):
            return None
    return here


def _secrets_in(tree: Tree) -> Iterator[Problem]:
    redact = Redactor()
    for path in tree.lines:
        value = _at(tree, path)
        if isinstance(value, str) and redact(value) != value:
            yield tree.problem(
                path,
                "a secret stands here. It never may: have it revoked, and let the installation's `secrets` say where "
                "the new one is found",
            )


# What is wrong with several values together is looked for in the plain values, so that it is found even where a field
# is wrong by itself.


def _wrong_together(tree: Tree) -> Iterator[Problem]:
    tenants = list(_entries(tree, ("tenants",)))
    yield from _repeated(tree, tenants, ("id",))
    for path, tenant in tenants:
        for name, keys in UNIQUE.items():
            yield from _repeated(tree, list(_entries(tree, (*path, name))), keys)
        for look in (_wrong_agents, _wrong_rules, _wrong_installations, _wrong_partners):
            yield from look(tree, path, tenant)
    connections = [each for path, _ in tenants for each in _entries(tree, (*path, "connections"))]
    yield from _claimed_twice(tree, connections)
    yield from _shared_secrets(tree, [each for path, _ in tenants for each in _entries(tree, (*path, "installations"))])


Entry = tuple[Path, dict[str, Any]]


def _entries(tree: Tree, path: Path) -> Iterator[Entry]:
    entries = _at(tree, path)
    for index, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, dict):
            yield (*path, index), entry


def _words(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def _key(entry: dict[str, Any], keys: tuple[str, ...]) -> tuple[str, ...] | None:
    values = tuple(entry.get(key) for key in keys)
    return values if all(isinstance(value, str) for value in values) else None


def _repeated(tree: Tree, entries: list[Entry], keys: tuple[str, ...]) -> Iterator[Problem]:
    first: dict[tuple[str, ...], Path] = {}
    for path, entry in entries:
        key = _key(entry, keys)
        if key is None:
            continue
        if key in first:
            yield tree.problem((*path, keys[0]), f"it is here twice; first on line {tree.lines[first[key]]}")
        else:
            first[key] = path


def _claimed_twice(tree: Tree, connections: list[Entry]) -> Iterator[Problem]:
    owners: dict[str, Path] = {}
    for path, entry in connections:
        workspace = entry.get("workspace")
        if not isinstance(workspace, str):
            continue
        owner = owners.setdefault(workspace, path[:2])
        if owner != path[:2]:
            yield tree.problem(
                (*path, "workspace"), f"a workspace belongs to one tenant, and {tree.named(owner)} has this one already"
            )


def _shared_secrets(tree: Tree, installations: list[Entry]) -> Iterator[Problem]:
    users: dict[str, Path] = {}
    for path, entry in installations:
        place = entry.get("secrets", "env")
        if not isinstance(place, str):
            continue
        user = users.setdefault(place, path)
        if user != path:
            yield tree.problem(
                (*path, "secrets"),
                f"{tree.named(user)} has its secrets in the same place; a bot token is good for one workspace. Give "
                "each a holder, such as env:acme",
            )


def _wrong_agents(tree: Tree, path: Path, _: dict[str, Any]) -> Iterator[Problem]:
    bound: dict[str, str] = {}
    defaults = []
    for here, agent in _entries(tree, (*path, "agents")):
        if agent.get("default") is True:
            defaults.append(here)
        for channel in _words(agent.get("channels")):
            other = bound.setdefault(channel, tree.named(here))
            if other != tree.named(here):
                yield tree.problem((*here, "channels"), f"{other} is bound to one of these channels already")
        if len(set(_words(agent.get("channels")))) < len(_words(agent.get("channels"))):
            yield tree.problem((*here, "channels"), "a channel is here twice")
    for here in defaults[1:]:
        yield tree.problem((*here, "default"), f"{tree.named(defaults[0])} is the default agent already")


def _wrong_rules(tree: Tree, path: Path, _: dict[str, Any]) -> Iterator[Problem]:
    agents = {agent.get("id") for _, agent in _entries(tree, (*path, "agents"))}
    for here, rule in _entries(tree, (*path, "rules")):
        when = rule.get("when", "message")
        if isinstance(rule.get("agent"), str) and rule["agent"] not in agents:
            yield tree.problem((*here, "agent"), "there is no such agent")
        if rule.get("emoji") and when != "emoji_reaction":
            yield tree.problem((*here, "emoji"), "only a rule for emoji_reaction looks at emoji")
        if rule.get("pattern") and when == "join":
            yield tree.problem((*here, "pattern"), "who joins says nothing that could match")
        if when == "join" and not rule.get("prompt"):
            yield tree.problem(here, "who joins says nothing: a rule for join needs a prompt")


def _wrong_installations(tree: Tree, path: Path, _: dict[str, Any]) -> Iterator[Problem]:
    own = {each.get("workspace") for _, each in _entries(tree, (*path, "connections"))}
    for here, installation in _entries(tree, (*path, "installations")):
        workspace = installation.get("workspace")
        if isinstance(workspace, str) and workspace not in own:
            yield tree.problem((*here, "workspace"), "it is none of the tenant's connections")


def _wrong_partners(tree: Tree, path: Path, _: dict[str, Any]) -> Iterator[Problem]:
    own = {each.get("workspace") for _, each in _entries(tree, (*path, "connections"))}
    for here, partner in _entries(tree, (*path, "partners")):
        if partner.get("workspace") in own:
            yield tree.problem((*here, "workspace"), "it is the tenant's own; a partner is another organisation")


def _hints(tree: Tree) -> Iterator[Problem]:
    for path, tenant in _entries(tree, ("tenants",)):
        agents = [agent for _, agent in _entries(tree, (*path, "agents")) if agent.get("enabled", True)]
        if not agents:
            yield tree.problem(path, "it has no agent, so nobody answers")
        elif len(agents) > 1 and not any(agent.get("default") for agent in agents):
            yield tree.problem((*path, "agents"), "none is the default, so nobody answers direct messages")
        if not tenant.get("connections"):
            yield tree.problem(path, "it has no connection, so nothing reaches it")
