"""What an option names: a time, or so long ago."""

import re
from datetime import UTC, datetime, timedelta

from services.kit.fault import Fault

_DURATION = re.compile(r"(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?")


def moment_of(option: str, text: str, now: datetime) -> datetime:
    """What an option names: a time, in UTC where it has no zone, or so long before now."""
    ago = _DURATION.fullmatch(text)
    try:
        if text and ago:
            days, hours, minutes, seconds = (int(part or 0) for part in ago.groups())
            moment = now - timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        else:
            named = datetime.fromisoformat(text)
            moment = (named if named.tzinfo else named.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        what = f"{option} {text}: neither a time such as 2026-03-02T09:15Z nor so long ago such as 10m or 2h"
        raise Fault(f"{what}; nothing was read") from None
    return max(moment, datetime.fromtimestamp(0, UTC))  # Kafka knows no earlier one
