"""JSON as it goes over the wire, in and out."""

import json
import math
import re
from typing import Any

DEEPEST = 64
"""How deep JSON may be nested. Nobody needs more, and what is kept must be readable by everything that reads it."""
_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


def as_json(value: Any) -> str:
    """As it is sent."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def parsed_json(text: str | bytes) -> Any:
    """What stands in JSON, if all of it can be said again: half characters are replaced, no number is endless."""
    said = text if isinstance(text, str) else text.decode()
    try:
        parsed = _DECODER.decode(said)
        if said.count("[") + said.count("{") > DEEPEST and not _is_flat(parsed, DEEPEST):
            raise ValueError("it is nested too deep")
        if _HALF_CHARACTER.search(said):
            parsed = json.loads(json.dumps(parsed, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    return parsed


def _is_flat(value: Any, deepest: int) -> bool:
    """Whether it is nested no deeper than that."""
    if not isinstance(value, (dict, list)):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return deepest > 0 and all(_is_flat(each, deepest - 1) for each in inner)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number that JSON knows")
    return number


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)
