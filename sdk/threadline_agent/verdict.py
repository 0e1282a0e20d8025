"""What an answer to a batch of events means for what is done next. No I/O."""

from dataclasses import dataclass
from typing import TypeAlias

from threadline_agent.answer import Answer

HOLD_S = 60.0
"""Between attempts where somebody has to mend something first."""
MOST_RETRY_AFTER_S = 300.0


@dataclass(frozen=True, slots=True)
class Taken:
    """It is with the supervisor, but for those that were refused: their place in the batch, and why."""

    refused: dict[int, str]


@dataclass(frozen=True, slots=True)
class TooMuch:
    """Not as it is. In smaller parts it may be taken; what is refused alone will never be."""

    why: str


@dataclass(frozen=True, slots=True)
class Later:
    """It is to be sent again."""

    why: str
    after: float | None = None
    """Seconds; the usual pause without."""


@dataclass(frozen=True, slots=True)
class Held:
    """Nothing will be taken before somebody mended something."""

    why: str


Verdict: TypeAlias = Taken | TooMuch | Later | Held


def verdict_on(answer: Answer, events: int) -> Verdict:  # noqa: PLR0911 - a table, read from above
    """What became of a batch of so many events."""
    match answer.status:
        case 202:
            refused = _refused(answer, events)
            return Later("what answers there is no supervisor") if refused is None else Taken(refused)
        case 400:
            refused = _refused(answer, events)
            return Taken(refused) if refused else TooMuch(answer.message())
        case 413:
            return TooMuch(answer.message())
        case 401 | 403:
            return Held(f"it refuses the token ({answer.message()})")
        case 404 | 405 | 410:
            return Held(f"there is no supervisor at this address ({answer.message()})")
        case 422:
            return Held(f"it does not know where to tell of the tasks ({answer.message()})")
        case 429 | 503:
            after = min(max(answer.retry_after, 0.0), MOST_RETRY_AFTER_S) if answer.retry_after is not None else None
            return Later(answer.message(), after)
        case status if status < 300 or status >= 500:  # noqa: PLR2004 - HTTP's own classes
            return Later(answer.message())
    return Held(f"there is no supervisor at this address ({answer.message()})")


def _refused(answer: Answer, events: int) -> dict[int, str] | None:
    """Nothing where the answer is none of a supervisor's."""
    said = answer.said()
    listed = said.get("refused")
    if not isinstance(listed, list) or not isinstance(said.get("accepted", 0), int):
        return None
    refused: dict[int, str] = {}
    for each in listed:
        place = each.get("index") if isinstance(each, dict) else None
        if isinstance(place, int) and 0 <= place < events:
            refused[place] = str(each.get("message") or each.get("error"))[:300]
    return refused
