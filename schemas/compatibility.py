"""Whether today's readers understand what every released version wrote (BACKWARD_TRANSITIVE).

Both sides are JSON Schemas of one event type. A reader ignores fields that it does not know, so that a field may go;
what it must have, it may not start to demand; and what it accepts may only widen.
"""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

_SAYS_NOTHING = frozenset(
    {"title", "description", "default", "$schema", "$defs", "discriminator", "additionalProperties"}
)
_JUDGED = frozenset(
    {"$ref", "type", "const", "enum", "anyOf", "oneOf", "properties", "required", "items", "prefixItems", "format"}
    | {"pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
    | {"minLength", "maxLength", "minItems", "maxItems"}
)
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


def problems(written: Json, read: Json) -> list[str]:
    """Why data under the schema `written` might not be understood under the schema `read`; nothing where it is."""
    return list(_compare(_Side(written, written), _Side(read, read), "value"))


class _Side:
    """A schema and the document that its references point into."""

    def __init__(self, schema: Any, document: Json) -> None:
        while isinstance(schema, dict) and "$ref" in schema:
            schema = document["$defs"][schema["$ref"].rsplit("/", 1)[-1]]
        self.schema: Json = {} if schema is True else schema
        self.document = document

    def at(self, schema: Any) -> "_Side":
        return _Side(schema, self.document)

    @property
    def choices(self) -> list["_Side"]:
        """The alternatives that it is made of; itself alone where it is none."""
        for union in ("anyOf", "oneOf"):
            if union in self.schema:
                return [choice for each in self.schema[union] for choice in self.at(each).choices]
        return [self]

    @property
    def types(self) -> frozenset[str]:
        found = self.schema.get("type", ())
        return frozenset([found] if isinstance(found, str) else found)

    @property
    def values(self) -> list[Any] | None:
        """The only values that it takes, where they are listed."""
        return [self.schema["const"]] if "const" in self.schema else self.schema.get("enum")


def _compare(written: _Side, read: _Side, where: str) -> Iterator[str]:
    if not read.schema:
        return
    old, new = written.choices, read.choices
    if len(old) == len(new) == 1:
        yield from _compare_one(old[0], new[0], where)
        return
    for choice in old:
        found = [list(_compare_one(choice, candidate, where)) for candidate in new]
        if all(found):
            yield min(found, key=len)[0] if len(new) == 1 else f"{where}: no alternative takes {_name(choice)} any more"


def _compare_one(written: _Side, read: _Side, where: str) -> Iterator[str]:
    unjudged = sorted(set(read.schema) - _JUDGED - _SAYS_NOTHING)
    if unjudged:
        yield f"{where}: {', '.join(unjudged)} cannot be judged; teach schemas.compatibility about it"
    yield from _compare_types(written, read, where)
    yield from _compare_values(written, read, where)
    yield from _compare_bounds(written.schema, read.schema, where)
    yield from _compare_fields(written, read, where)
    yield from _compare_items(written, read, where)


def _compare_types(written: _Side, read: _Side, where: str) -> Iterator[str]:
    accepted = read.types | ({"integer"} if "number" in read.types else set())
    if read.types and not (written.types and written.types <= accepted):
        yield f"{where}: the type was {_list(written.types)} and is {_list(read.types)}"


def _compare_values(written: _Side, read: _Side, where: str) -> Iterator[str]:
    if read.values is None:
        return
    if written.values is None:
        yield f"{where}: any value was allowed, now only {read.values}"
        return
    gone = [value for value in written.values if value not in read.values]
    if gone:
        yield f"{where}: {gone} is no longer understood"


def _compare_bounds(written: Json, read: Json, where: str) -> Iterator[str]:
    for bound in ("pattern", "format"):
        if bound in read and written.get(bound) != read[bound]:
            yield f"{where}: {bound} was {written.get(bound)} and is {read[bound]}"
    for bound in _LOWER:
        if bound in read and written.get(bound, float("-inf")) < read[bound]:
            yield f"{where}: {bound} rose to {read[bound]}"
    for bound in _UPPER:
        if bound in read and written.get(bound, float("inf")) > read[bound]:
            yield f"{where}: {bound} fell to {read[bound]}"


def _compare_fields(written: _Side, read: _Side, where: str) -> Iterator[str]:
    old, new = written.schema.get("properties", {}), read.schema.get("properties", {})
    always = set(written.schema.get("required", ()))
    for name in read.schema.get("required", ()):
        if name not in always:
            yield f"{where}.{name}: is demanded, and was not always written"
    others = written.schema.get("additionalProperties", not old)
    for name in new.keys() - old.keys():
        if others is not False:  # a field of any name was allowed, so one of this name may have been written
            yield from _compare(written.at(others), read.at(new[name]), f"{where}.{name}")
    for name in old.keys() & new.keys():
        yield from _compare(written.at(old[name]), read.at(new[name]), f"{where}.{name}")
    if isinstance(rest := read.schema.get("additionalProperties"), dict):
        before = written.schema.get("additionalProperties", True)
        yield from _compare(written.at(before), read.at(rest), f"{where}.*") if before is not False else ()


def _compare_items(written: _Side, read: _Side, where: str) -> Iterator[str]:
    if "items" in read.schema:
        yield from _compare(written.at(written.schema.get("items", True)), read.at(read.schema["items"]), f"{where}[]")
    old, new = written.schema.get("prefixItems", []), read.schema.get("prefixItems", [])
    if new and len(old) != len(new):
        yield f"{where}: had {len(old)} places and has {len(new)}"
    for place, (before, after) in enumerate(zip(old, new, strict=False)):
        yield from _compare(written.at(before), read.at(after), f"{where}[{place}]")


def _name(side: _Side) -> str:
    return str(side.schema.get("title") or side.values or _list(side.types))


def _list(types: frozenset[str]) -> str:
    return " or ".join(sorted(types)) or "anything"
