"""What a check found: how something is, and the command or the setting that mends it."""

from dataclasses import dataclass
from typing import Literal

State = Literal["fine", "note", "wrong"]
"""fine: nothing to do. note: it works, and something is missing or was not tried. wrong: it will not work like this."""


@dataclass(frozen=True)
class Finding:
    """One line."""

    state: State
    subject: str
    what: str
    mend: str | None = None


def fine(subject: str, what: str) -> Finding:
    """Nothing to do."""
    return Finding("fine", subject, what)


def note(subject: str, what: str, mend: str | None = None) -> Finding:
    """It works, and something is missing or was not tried."""
    return Finding("note", subject, what, mend)


def wrong(subject: str, what: str, mend: str) -> Finding:
    """It will not work like this."""
    return Finding("wrong", subject, what, mend)
