"""What of an envelope may stand in a topic: all of it, but its secrets."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from schemas.slack import SEALED_FIELDS

Json = dict[str, Any]
Seal = Callable[[str], str | None]
"""A secret as it may be stored, or none where nothing can seal it: then it is left out."""

DROPPED = "token"
"""Slack's old way to prove itself. Whoever has it may pretend to be Slack."""
OF_THE_APP = "metadata"
"""What an app put beside a message, under names of its own, for the whole workspace to see."""
DEEPEST = 100
"""Readers of the topic do not follow much deeper."""


class TooDeep(ValueError):
    """It is nested so deeply that nobody could read it again."""


def masked(payload: Json, seal: Seal) -> Json:
    """The payload without `token`, and with what may be posted or called with sealed, wherever it stands."""
    found: Json = _masked(payload, seal, 0)
    return found


def _masked(value: Any, seal: Seal, depth: int) -> Any:
    if depth > DEEPEST:
        raise TooDeep
    if isinstance(value, list):
        return [_masked(each, seal, depth + 1) for each in value]
    if not isinstance(value, dict):
        return value
    kept: Json = {}
    for name, each in value.items():
        if name == DROPPED and (isinstance(each, str) or depth == 0):
            continue
        if isinstance(each, str) and name in SEALED_FIELDS:
            if each and (sealed := seal(each)) is not None:
                kept[name] = sealed
        elif name == OF_THE_APP:
            kept[name] = _no_deeper(each, depth + 1)
        else:
            kept[name] = _masked(each, seal, depth + 1)
    return kept


def _no_deeper(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise TooDeep
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in parts:
        _no_deeper(each, depth + 1)
    return value


_NAME = rb"(?:token|" + b"|".join(sorted(name.encode() for name in SEALED_FIELDS)) + rb")"
_IN_JSON = re.compile(
    rb"""(\\*["']"""
    + _NAME
    + rb"""\\*["']\s*:\s*)"""
    + rb"""(?:\\*"(?:[^"\\]++|\\.)*+"?|'(?:[^'\\]++|\\.)*+'?|\[[^\]]*+\]?|[^\s,}\]"'\[]++)""",
    re.DOTALL | re.IGNORECASE,
)
_IN_FORM = re.compile(rb"((?:^|[&?])" + _NAME + rb"=)[^&\s\"']*+", re.IGNORECASE)
_FORM = re.compile(rb"[\w.%+-]+=")
_ESCAPED_LETTER = re.compile(rb"\\u00([2-7][0-9a-fA-F])")
_ESCAPED_SLASH = re.compile(rb"\\+/")
_HIDDEN = b"[redacted]"


def masked_bytes(raw: bytes) -> bytes:
    """Bytes that nobody could take in, without the secrets in them. What has none is left as it is.

    They are what could not be read, or nobody would ask for them: so they are looked at as text, and rather too much is
    hidden than too little.
    """
    text = _ESCAPED_LETTER.sub(lambda found: bytes.fromhex(found[1].decode()), raw)
    if b"hooks.slack.com" in text:
        text = _ESCAPED_SLASH.sub(b"/", text)
    hidden = _hidden(text)
    if _FORM.match(text):
        decoded = unquote_to_bytes(hidden.replace(b"+", b" "))
        twice = _hidden(decoded)
        if twice != decoded or b"hooks.slack.com" in decoded:
            return twice
    return raw if hidden == text and b"hooks.slack.com" not in text else hidden


def _hidden(text: bytes) -> bytes:
    return _IN_FORM.sub(rb"\1" + _HIDDEN, _IN_JSON.sub(rb'\1"' + _HIDDEN + b'"', text))
