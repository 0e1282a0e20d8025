"""Moments on the page. The script shows them in the reader's own time."""

from datetime import UTC, datetime

from services.kit.markup import Markup, el


def clock(ts: str | float, *, precise: bool = False) -> Markup:
    """The time of a message, or of something that must be known to the millisecond."""
    try:
        moment = datetime.fromtimestamp(float(ts), UTC)
    except (ValueError, OverflowError, OSError):
        return el("time")
    shown = moment.strftime("%H:%M:%S.%f")[:-3] if precise else moment.strftime("%H:%M")
    return el("time", shown, datetime=moment.isoformat(), data_precise=precise)
