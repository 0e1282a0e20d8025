"""The reference of the local Slack: what its control API takes, and which methods its Web API has."""

import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from services.slack_sim.control import asks, conditions
from services.slack_sim.control.asks import Asks
from services.slack_sim.web_api.limits import TIERS
from services.slack_sim.web_api.table import METHODS

WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "yes or no",
    dict: "an object",
    Any: "anything",
    type(None): "",
}


def local_slack() -> Iterator[str]:
    """Its lines."""
    yield "## Control API\n"
    yield (
        "Each operation is a POST of a JSON object to `/_sim/OPERATION`. What is wrong with it comes back as status "
        "400, what the simulated Slack refuses as 409, each with an `error` and a `message`. From Python, "
        "`services.slack_sim.client` takes and gives the same as typed objects. A `*` marks what must be said.\n"
    )
    for operation in _operations():
        yield f"### `{operation.operation()}`\n"
        yield f"{_doc(operation)}\n"
        yield from _fields(operation)
        answer = operation.gives()
        yield f"Gives: {_given(answer)}\n"
    yield "## What `wait` can wait for\n"
    for condition in get_args(get_args(conditions.Condition)[0]):
        yield f"### `{condition.model_fields['what'].default}`\n"
        yield f"{_doc(condition)}\n"
        yield from _fields(condition, but=("what",))
    yield "## Web API\n"
    yield "| method | scopes, any of | calls a minute |\n|---|---|---|"
    for name, method in sorted(METHODS.items()):
        scopes = ", ".join(f"`{scope}`" for scope in method.scopes) or "none"
        allowed = TIERS.get(method.tier, method.tier) if method.tier else "see `set_limits`"
        yield f"| `{name}` | {scopes} | {allowed} |"


def _operations() -> list[type[Asks[Any]]]:
    """In the order in which they are written, without the generic ones that they are made from."""
    made = (each for each in vars(asks).values() if isinstance(each, type) and issubclass(each, Asks))
    return [each for each in made if each.__name__.isidentifier() and each is not Asks]


def _doc(kind: type[BaseModel]) -> str:
    return " ".join((kind.__doc__ or "").split())


def _fields(kind: type[BaseModel], but: tuple[str, ...] = ()) -> Iterator[str]:
    for name, field in kind.model_fields.items():
        if name in but:
            continue
        needed = "*" if field.is_required() else ""
        said = f": {field.description}" if field.description else ""
        yield f"- `{name}`{needed} ({_type(field.annotation)}{_default(field)}){said}"
    if set(kind.model_fields) - set(but):
        yield ""


def _given(answer: type[BaseModel]) -> str:
    return ", ".join(f"`{name}`" for name in answer.model_fields) or "nothing"


def _default(field: FieldInfo) -> str:
    default = field.default
    if field.is_required() or default in {None, ""} or field.default_factory is not None:
        return ""
    return f", {default!r} unless said"


def _type(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in arguments)
    if origin in {Union, types.UnionType}:
        return " or ".join(dict.fromkeys(filter(None, map(_type, arguments))))
    if origin in {list, tuple}:
        return f"a list of {_type(arguments[0])}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a condition" if annotation in get_args(get_args(conditions.Condition)[0]) else "an object"
    return WORDS.get(origin or annotation, "text")
