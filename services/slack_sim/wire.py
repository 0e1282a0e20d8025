"""JSON as it goes over the wire, in and out."""

import json
import math
import re
from typing import Any

_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")


def as_json(value: Any) -> str:
    """As it is sent."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def parsed_json(text: str | bytes) -> Any:
    """What stands in JSON, if all of it can be said again: half characters are replaced, no number is endless."""
    said = text if isinstance(text, str) else text.decode()
    try:
        parsed = _DECODER.decode(said)
        if _HALF_CHARACTER.search(said):
            parsed = json.loads(json.dumps(parsed, ensure_ascii=False).encode("utf-8", "replace"))
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    return parsed


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number that JSON knows")
    return number


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_finite)
