"""Numbers and times as people read them, the same in every form of a report."""

from datetime import datetime
from typing import Final

NOTHING: Final = "\N{EN DASH}"
_GAP: Final = "\N{NO-BREAK SPACE}"
"""Between a number and its unit."""
_MINUTE, _TEN, _DAY = 60, 10, 86400
_SPANS: Final = {
    60: "minute",
    300: "stretch of five minutes",
    900: "quarter of an hour",
    3600: "hour",
    21600: "stretch of six hours",
    _DAY: "day",
}


def count(number: int) -> str:
    """1,234."""
    return f"{number:,}"


def percent(rate: float | None) -> str:
    """Of a rate from 0 to 1."""
    return NOTHING if rate is None else f"{rate * 100:.1f}{_GAP}%"


def seconds(value: float | None) -> str:
    """From milliseconds to minutes, with three digits that matter."""
    if value is None:
        return NOTHING
    if value < 1:
        return f"{value * 1000:.3g}{_GAP}ms" if value * 1000 < _TEN else f"{value * 1000:.0f}{_GAP}ms"
    if value < _MINUTE:
        return f"{value:.2f}{_GAP}s" if value < _TEN else f"{value:.1f}{_GAP}s"
    return f"{value / _MINUTE:.1f}{_GAP}min"


def step(value: float) -> str:
    """A round number of seconds, without the noughts behind it."""
    return f"{value * 1000:g}{_GAP}ms" if value < 1 else f"{value:g}{_GAP}s"


def milliseconds(value: float | None) -> str:
    """The same for what is counted in milliseconds."""
    return seconds(None if value is None else value / 1000)


def dollars(value: float, priced: int) -> str:
    """Nothing where no run says what it cost."""
    if not priced:
        return NOTHING
    return f"${value:,.2f}" if value >= 1 or value == 0 else f"${value:.4g}"


def moment(at: datetime | None) -> str:
    """To the second, in UTC."""
    return NOTHING if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"


def span(length_s: int) -> str:
    """A span of time, as one word."""
    return _SPANS.get(length_s, f"stretch of {length_s // _DAY} days")


def whole(value: float | None) -> str:
    """Of what is counted one by one."""
    return NOTHING if value is None else f"{value:.0f}"


def plain(name: str) -> str:
    """A name of the log's as words."""
    return name.replace("_", " ")
