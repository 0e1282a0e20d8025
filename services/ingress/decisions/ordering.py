"""In which order stands what several sockets bring at the same moment: by Slack's own times, as far as it gives any."""

import re
from collections.abc import Sequence
from typing import TypeVar

from services.ingress.decisions.reading import Arrived, Delivery

Item = TypeVar("Item")
_TS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,9})?")


def in_order(together: Sequence[tuple[Arrived, Item]]) -> list[tuple[Arrived, Item]]:
    """The same, each connection's events by their times. What has no time stays behind what came before it."""
    keyed, last = [], 0.0
    for arrived, item in together:
        last = _time_of(arrived) or last
        keyed.append((last, (arrived, item)))
    return [each for _, each in sorted(keyed, key=lambda pair: pair[0])]


def _time_of(arrived: Arrived) -> float | None:
    event = arrived.payload.get("event") if isinstance(arrived, Delivery) else None
    ts = event.get("event_ts") if isinstance(event, dict) else None
    return float(ts) if isinstance(ts, str) and _TS.fullmatch(ts) else None
