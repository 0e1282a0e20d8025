"""How an event is written to a topic and read from it: one strict way in, one tolerant way out."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from schemas.attributes import Attributes, AttributesMissing, Headers
from schemas.base import Event
from schemas.topics import Topic

AnyEvent = TypeVar("AnyEvent", bound=Event)


class CannotWrite(ValueError):
    """An event that does not belong where it was sent, or cannot stand as JSON."""


class CannotRead(ValueError):
    """A record that is not what its topic holds. Keep its bytes: it belongs to the dead letters."""


@dataclass(frozen=True)
class Encoded:
    """A record as it goes to the broker."""

    value: bytes
    headers: Headers


@dataclass(frozen=True)
class UnknownEvent:
    """A record of a type that this version does not know: newer than we are, and not a fault."""

    type: str


def encode(topic: Topic, event: Event, attributes: Attributes) -> Encoded:
    """The record that holds this event."""
    expected = topic.types.get(attributes.type)
    if expected is not type(event):
        raise CannotWrite(f"{topic.name} takes no {type(event).__name__} under the type {attributes.type}")
    try:
        value = event.model_dump_json().encode()
    except ValueError as error:  # a lone surrogate, for one, is a string in Python and nothing in UTF-8
        raise CannotWrite(f"a {attributes.type} cannot stand as JSON: {type(error).__name__}") from None
    return Encoded(value, attributes.to_headers())


def decode(
    topic: Topic, headers: Iterable[tuple[str, bytes | None]], value: bytes | None
) -> tuple[Attributes, Event | UnknownEvent]:
    """What a record says. Fields that this version does not know are left out."""
    try:
        attributes = Attributes.from_headers(headers)
    except AttributesMissing as error:
        raise CannotRead(str(error)) from error
    if value is None:
        raise CannotRead("the record has no value")
    model = topic.types.get(attributes.type)
    if model is None:
        return attributes, UnknownEvent(attributes.type)
    return attributes, read(model, value)


def read(model: type[AnyEvent], value: bytes) -> AnyEvent:
    """An event of this type from its JSON. The error names the fields and never quotes their values."""
    try:
        return model.model_validate_json(value, extra="ignore", strict=False)
    except ValidationError as error:
        problems = "; ".join(_describe(problem) for problem in error.errors(include_url=False, include_input=False))
        raise CannotRead(f"not a {model.__name__}: {problems}") from None


def _describe(problem: ErrorDetails) -> str:
    where = ".".join(str(part) for part in problem["loc"]) or "the value"
    return f"{where}: {problem['type']}"  # the message would quote the value
