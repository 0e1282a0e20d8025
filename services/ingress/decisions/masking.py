"""What of an envelope may stand in a topic: all of it, but its secrets."""

import re
from collections.abc import Callable
from typing import Any

from schemas.slack import SEALED_FIELDS

Json = dict[str, Any]
Seal = Callable[[str], str | None]
"""A secret as it may be stored, or none where nothing can seal it: then it is left out."""

DROPPED = "token"
"""Slack's old way to prove itself. Whoever has it may pretend to be Slack."""


def masked(payload: Json, seal: Seal) -> Json:
    """The payload without `token`, and with what may be posted or called with sealed."""
    kept: Json = {}
    for name, value in payload.items():
        if name == DROPPED:
            continue
        if name in SEALED_FIELDS and isinstance(value, str):
            if value and (sealed := seal(value)) is not None:
                kept[name] = sealed
        elif name == "response_urls" and isinstance(value, list):
            kept[name] = [masked(each, seal) if isinstance(each, dict) else each for each in value]
        elif name == "event" and isinstance(value, dict) and not SEALED_FIELDS.isdisjoint(value):
            kept[name] = masked(value, seal)
        else:
            kept[name] = value
    return kept


_SECRET_FIELD = re.compile(rb'("(?:token|response_url|bot_access_token)"\s*:\s*)"(?:[^"\\]|\\.)*"?')
_SECRET_FORM_FIELD = re.compile(rb"((?:^|&)(?:token|response_url)=)[^&]*")
_HIDDEN = b"[redacted]"


def masked_bytes(raw: bytes) -> bytes:
    """Bytes that nobody could read, without the secrets that can be recognised in them."""
    raw = _SECRET_FIELD.sub(rb'\1"' + _HIDDEN + b'"', raw)
    return _SECRET_FORM_FIELD.sub(rb"\1" + _HIDDEN, raw)
