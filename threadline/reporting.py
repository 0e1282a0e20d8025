"""What the commands of `threadline report` share: a stretch of the log, and what was left out."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from schemas.topics import AUDIT_DECISIONS, AUDIT_REACTIONS, AUDIT_RUNS
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.report.adapters.batch import Batch, Stretch
from services.report.adapters.topics import Topics
from services.report.decisions.opening import TROUBLES
from threadline.moments import moment_of
from threadline.showing import say

AUDIT: Final = (AUDIT_RUNS.name, AUDIT_DECISIONS.name, AUDIT_REACTIONS.name)
"""What reports read, where nobody says otherwise."""
NAMED: Final = 5
"""So many of what is left out are named on the terminal."""

Moments = tuple[str | None, str | None]
"""From when on, and until when, as the options say it."""


@dataclass
class LeftOut:
    """What does not count, and where it stands."""

    counts: Counter[str] = field(default_factory=Counter)
    places: list[str] = field(default_factory=list)

    def take(self, batch: Batch) -> None:
        """Names what a batch could not be counted for."""
        for trouble, place in batch.left_out():
            self.add(trouble, place)

    def add(self, trouble: str, place: str) -> None:
        """Names one."""
        self.counts[trouble] += 1
        self.places.append(f"{place}: {trouble}")

    def tell(self) -> None:
        """In a few lines."""
        for trouble, count in sorted(self.counts.items()):
            words = next((words for name, words in TROUBLES.items() if name == trouble), trouble)
            say(f"left out: {words}: {count}")
        for place in self.places[:NAMED]:
            say(f"  {place}")
        if len(self.places) > NAMED:
            say(f"  and {len(self.places) - NAMED} more")


def stretch_of(moments: Moments) -> Stretch:
    """The stretch that options name."""
    now = SystemClock().now()
    since, until = (
        moment_of(option, text, now) if text is not None else None
        for option, text in zip(("--from", "--until"), moments, strict=True)
    )
    if since is not None and until is not None and since >= until:
        raise Fault("--from is not before --until; nothing was read")
    return Stretch(since, until)


def forms_in(text: str, known: Collection[str], named: str) -> list[str]:
    """The forms that an option names, of those that there are."""
    chosen = [each.strip() for each in text.split(",") if each.strip()]
    if not chosen or not set(chosen) <= set(known):
        raise Fault(f"--format {text}: there are {named}; nothing was read")
    return chosen


def tell_absent(source: Topics) -> None:
    """Says which topics there was nothing to read of."""
    for name in source.absent:
        say(f"there is no topic {name} on this cluster; the rest was read")
