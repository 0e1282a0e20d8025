"""dead.letters: what a service could not understand, kept byte for byte, with where it came from and why."""

from typing import Literal

from schemas.base import Event, Name

ATTEMPTS = "threadline-attempts"
"""The header in which a record that is tried again says how often it was."""


class DeadLetter(Event):
    """One record that was given up on."""

    type: Literal["dead.letter"] = "dead.letter"
    service: Name
    reason: Name
    """A short code; for people, `detail` says it in words."""
    detail: str
    """What was wrong, without quoting the record."""
    source_topic: Name | None = None
    """The declared name, without a prefix; none where it never was on a topic."""
    source_partition: int | None = None
    source_offset: int | None = None
    attempts: int = 1
    key: bytes | None = None
    value: bytes | None
    """None where the record had none."""
    headers: tuple[tuple[str, bytes | None], ...] = ()
