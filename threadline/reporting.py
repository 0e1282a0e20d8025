"""What the commands of `threadline report` share: a stretch of the log, and what was left out."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from tempfile import SpooledTemporaryFile, gettempdir
from typing import Final

from schemas.topics import AUDIT_DECISIONS, AUDIT_REACTIONS, AUDIT_RUNS
from services.kit.clock import SystemClock
from services.kit.fault import Fault
from services.kit.files import write_pieces
from services.report.adapters.batch import Batch, Stretch
from services.report.adapters.topics import Topics
from services.report.decisions.opening import TROUBLES
from threadline.moments import moment_of
from threadline.showing import say

AUDIT: Final = (AUDIT_RUNS.name, AUDIT_DECISIONS.name, AUDIT_REACTIONS.name)
"""What reports read, where nobody says otherwise."""
IN_MEMORY: Final = 1 << 20
"""Bytes of what is left out that need no file."""
NAMED: Final = 5
"""So many of what is left out are named on the terminal."""

Moments = tuple[str | None, str | None]
"""From when on, and until when, as the options say it."""


class LeftOut:
    """What does not count, and where it stands: there may be more of it than memory should hold."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._first: list[str] = []
        self._all = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - it is open as long as this is

    def take(self, batch: Batch) -> None:
        """Names what a batch could not be counted for."""
        for trouble, place in batch.left_out():
            self.add(trouble, place)

    def add(self, trouble: str, place: str) -> None:
        """Names one."""
        self.counts[trouble] += 1
        said = f"{place}: {trouble}"
        try:
            self._all.write(f"{said}\n".encode())
        except OSError as error:
            raise Fault(
                f"what is left out could not be named in a file of {gettempdir()} ({error.strerror}); nothing came of "
                "it. TMPDIR names another place"
            ) from error
        if len(self._first) < NAMED:
            self._first.append(said)

    def write(self, path: Path) -> bool:
        """Names all of it in a file, where there is any."""
        if not self.counts:
            return False
        self._all.seek(0)
        write_pieces(path, self._all)
        return True

    def tell(self) -> None:
        """In a few lines."""
        for trouble, count in sorted(self.counts.items()):
            words = next((words for name, words in TROUBLES.items() if name == trouble), trouble)
            say(f"left out: {words}: {count}")
        for place in self._first:
            say(f"  {place}")
        if self.counts.total() > len(self._first):
            say(f"  and {self.counts.total() - len(self._first)} more")


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
