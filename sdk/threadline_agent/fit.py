"""Makes whatever a program says fit: shortened, brought within bounds, or left out, never refused."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any, TypeAlias, TypeGuard

from threadline_agent.notices import warn_once

ACTION = 300
STEP = 100
SUMMARY = 3000
NAME = 100
AGENT = 60
MOST_TOKENS = 10**12
MOST_COST = 1e9
BIGGEST_INTEGER = 2**63 - 1

_VALUES = 200
"""So many values of details are looked at: it takes place in the agent's own time."""
_DEPTH = 5
_LONGEST = 1000
_TEXT_WEIGHT, _NUMBER_WEIGHT, _MANY_WEIGHT = 60, 32, 120

_PLAIN = frozenset({str, int, float, bool, type(None)})
"""Types of what nobody changes. Texts and integers may be of any size."""

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"


def words(value: object, limit: int, what: str) -> str | None:
    """A text of at most `limit` characters that every database can keep, or nothing where there is none."""
    text = value if type(value) is str else _as_text(value, what)
    if len(text) > limit:
        warn_once(f"long {what}", "%s has more than %s characters; the rest is left out", what, limit)
        text = text[: limit - 1] + "…"
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    if "\0" in text:
        text = text.replace("\0", "�")
    return text if text and not text.isspace() else None


def name(value: object, limit: int, what: str) -> str | None:
    """A name of letters, digits and a few signs."""
    text = value if type(value) is str else _as_text(value, what)
    fitting = re.sub(r"[^A-Za-z0-9._:-]+", "-", text)[:limit]
    if fitting != text:
        warn_once(f"name {what}", "%s has up to %s letters, digits and . _ : -; it became %r", what, limit, fitting)
    return fitting or None


def fraction(value: object) -> float | None:
    """From 0 to 1."""
    number = _number(value, "progress")
    if number is None or 0.0 <= number <= 1.0:
        return number
    warn_once("progress", "progress is from 0 to 1; %s was brought within that", number)
    return min(max(number, 0.0), 1.0)


def tokens(value: object) -> int | None:
    """A whole number of tokens."""
    number = _number(value, "tokens")
    return None if number is None else int(_within(number, MOST_TOKENS, "tokens"))


def cost(value: object) -> float | None:
    """What something cost, in USD."""
    number = _number(value, "cost")
    return None if number is None else _within(number, MOST_COST, "cost")


def seconds(value: object, what: str, most: float) -> float | None:
    """A time that is more than none."""
    number = _number(value, what)
    if number is None:
        return None
    if number <= 0:
        warn_once(f"none {what}", "%s is more than 0 seconds; %s is left out", what, number)
        return None
    if number > most:
        warn_once(f"longest {what}", "%s is at most %s seconds; %s was brought within that", what, most, number)
    return min(number, most)


def details(given: Mapping[str, object]) -> dict[str, Json]:
    """A copy that nobody changes, of what is JSON in it. Of anything else its type is named."""
    left = [_VALUES]
    fitting: dict[str, Json] = {}
    for key, value in given.items():
        fitting[_shortened(key)] = value if _is_plain(value) else _readable(value, left)
        if len(fitting) >= _VALUES:
            break
    return fitting


def are_plain(values: Mapping[str, object]) -> bool:
    """Whether nobody can change any of them any more, and none is large."""
    for value in values.values():
        kind = type(value)
        if kind not in _PLAIN or (kind is str and len(value) > _LONGEST) or (kind is int and not _is_plain(value)):  # type: ignore[arg-type]  # a str has a length
            return False
    return len(values) <= _VALUES


def weight(value: object) -> int:
    """About how many bytes of memory it takes."""
    if isinstance(value, str):
        return _TEXT_WEIGHT + (len(value) if value.isascii() else 4 * len(value))
    if isinstance(value, list):
        return _MANY_WEIGHT + sum(map(weight, value))
    if isinstance(value, dict):
        return _MANY_WEIGHT + sum(_TEXT_WEIGHT + len(key) + weight(each) for key, each in value.items())
    return _NUMBER_WEIGHT


def _is_plain(value: Any) -> TypeGuard[Json]:
    """Whether it can stand as it is. Most values can, and are not looked at any further."""
    kind = type(value)
    if kind is str:
        return bool(len(value) <= _LONGEST and value.isascii() and "\0" not in value)
    if kind is int:
        return bool(-BIGGEST_INTEGER <= value <= BIGGEST_INTEGER)
    return value is None or kind is bool or (kind is float and isfinite(value))


def _readable(value: object, left: list[int]) -> Json:
    """Its copy, or its type where it cannot be read."""
    try:
        return _copied(value, _DEPTH, left)
    except Exception:  # noqa: BLE001 - whatever an object of somebody else does, a checkpoint is made
        warn_once("details", "a value of type %s in details could not be read; its type is told", type(value).__name__)
        return f"<{type(value).__name__}>"


def _copied(value: object, depth: int, left: list[int]) -> Json:
    left[0] -= 1
    if left[0] < 0 or depth < 0:
        return "…"
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _shortened(value)
    if isinstance(value, Mapping):
        return {_shortened(key): _copied(each, depth - 1, left) for key, each in _first(list(value.items()), left)}
    if isinstance(value, list | tuple | set | frozenset):
        return [_copied(each, depth - 1, left) for each in _first(list(value), left)]
    return _scalar(value)


def _first(values: list[Any], left: list[int]) -> list[Any]:
    return values[: max(left[0], 0)]


def _scalar(value: Any) -> Json:
    """A number that is none of Python's own, a path, a time; of anything else only its type is told."""
    if hasattr(value, "__index__"):
        whole = int(value.__index__())
        return whole if abs(whole) <= BIGGEST_INTEGER else "(too large a number)"
    if hasattr(value, "__float__"):
        number = float(value)
        return number if isfinite(number) else str(number)
    for method in ("isoformat", "__fspath__"):
        if hasattr(value, method):
            return _shortened(getattr(value, method)())
    return f"<{type(value).__name__}>"


def _shortened(value: object) -> str:
    text = value if type(value) is str else _as_text(value, "details")
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return text.replace("\0", "�")


def _number(value: object, what: str) -> float | None:
    if value is None:
        return None
    try:
        number = float(value)  # type: ignore[arg-type]  # whatever cannot be a number is caught below
    except Exception:  # noqa: BLE001 - float() runs code of whoever made the value
        warn_once(f"number {what}", "%s is no number (it is a %s); it is left out", what, type(value).__name__)
        return None
    if not isfinite(number):
        warn_once(f"finite {what}", "%s is %s; it is left out", what, number)
        return None
    return number


def _within(number: float, most: float, what: str) -> float:
    if 0 <= number <= most:
        return number
    warn_once(f"range {what}", "%s is from 0 to %s; %s was brought within that", what, most, number)
    return min(max(number, 0), most)


def _as_text(value: object, what: str) -> str:
    if value is None:
        return ""
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - str() runs code of whoever made the value
        warn_once(f"text {what}", "%s cannot be made a text (it is a %s)", what, type(value).__name__)
        return f"<{type(value).__name__}>"
