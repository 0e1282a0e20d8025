"""A record of a topic as a line of JSON and back, byte for byte.

The value stands as it is, at the end of the line, so that people and jq can read it; what cannot stand so is base64.
"""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

Headers = tuple[tuple[str, bytes | None], ...]

_VALUE: Final = b',"value":'
"""Begins the last part of a line. In a JSON string before it the quotes would be escaped."""
_BASE64: Final = "base64"


class NoRecord(ValueError):
    """A line that holds no record."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One record, as it stood on its topic."""

    topic: str
    """Without a prefix."""
    partition: int
    offset: int
    appended_ms: int
    key: bytes | None
    headers: Headers
    value: bytes | None

    @property
    def where(self) -> str:
        """Where it stood."""
        return place(self.topic, self.partition, self.offset)


def place(topic: str, partition: int, offset: int) -> str:
    """Where a record stands, in words."""
    return f"{topic} {partition}:{offset}"


def attribute(headers: Iterable[tuple[str, bytes | None]] | None, name: str) -> str | None:
    """What a header says."""
    found = next((value for each, value in headers or () if each == name), None)
    return found.decode("utf-8", "replace") if found else None


def line_of(record: Kept) -> bytes:
    """The line, without its end."""
    facts = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "appended_ms": record.appended_ms,
        "id": attribute(record.headers, "ce_id"),
        "type": attribute(record.headers, "ce_type"),
        "key": _text(record.key),
        "headers": [(name, _text(value)) for name, value in record.headers],
    }
    if record.value is not None and not _stands_as_it_is(record.value):
        facts["value_base64"] = base64.b64encode(record.value).decode()
        return _json(facts)
    return _json(facts)[:-1] + _VALUE + (record.value if record.value is not None else b"null") + b"}"


def headers_text(headers: Headers) -> str:
    """Headers as they stand in a line."""
    return _json([(name, _text(value)) for name, value in headers]).decode()


def record_of(line: bytes) -> Kept:
    """The record that a line holds."""
    try:
        facts = json.loads(line)
        if not isinstance(facts, dict):
            raise NoRecord("it is no JSON object")
        return Kept(
            topic=_a(str, facts["topic"]),
            partition=_a(int, facts["partition"]),
            offset=_a(int, facts["offset"]),
            appended_ms=_a(int, facts.get("appended_ms", 0)),
            key=_bytes(facts.get("key")),
            headers=headers_of(facts.get("headers", [])),
            value=_value(line, facts),
        )
    except KeyError as error:
        raise NoRecord(f"it has no {error.args[0]}") from None
    except (ValueError, TypeError, RecursionError) as error:
        raise NoRecord("it is no JSON" if isinstance(error, json.JSONDecodeError) else str(error)) from None


def headers_of(pairs: Any) -> Headers:
    """Headers out of a line."""
    return tuple((_a(str, name), _bytes(value)) for name, value in pairs)


def _value(line: bytes, facts: dict[str, Any]) -> bytes | None:
    if "value_base64" in facts:
        return base64.b64decode(facts["value_base64"], validate=True)
    if facts.get("value") is None:
        return None
    _, found, verbatim = line.rstrip().partition(_VALUE)
    if found and list(facts)[-1] == "value":
        return verbatim[:-1]
    return _json(facts["value"])  # another program laid the line out anew: the same JSON, if not the same bytes


def _stands_as_it_is(value: bytes) -> bool:
    """Whether it is a JSON object on one line, which begins and ends with its braces."""
    if not (value.startswith(b"{") and value.endswith(b"}")) or b"\n" in value or b"\r" in value:
        return False
    try:
        json.loads(value.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _text(value: bytes | None) -> str | dict[str, str] | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {_BASE64: base64.b64encode(value).decode()}


def _bytes(text: Any) -> bytes | None:
    if isinstance(text, dict):
        return base64.b64decode(text[_BASE64], validate=True)
    return None if text is None else _a(str, text).encode()


def _a(kind: type[Any], value: Any) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise NoRecord(f"something in it is no {kind.__name__}")
    return value


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
