"""A row of the journal: what one record of the source led to, and what it changed."""

from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic_core import from_json, to_json

Changes: TypeAlias = tuple[tuple[str, Any, float], ...]
"""Each a key, a value of plain JSON, and until when it stands."""


@dataclass(frozen=True, slots=True)
class Row:
    """It is written before anything else is, and never changed."""

    at: float
    """The time of the decision: that of the record, and never earlier than the rows before it."""
    until: float
    """Nothing of it is needed after that."""
    changes: Changes
    said: bytes
    """What was decided, in the words of whoever decides."""


class Unreadable(ValueError):
    """No row. The journal is written by nobody else, so that a newer version must have."""


def encode(row: Row) -> bytes:
    """As it stands in the journal: a line of JSON, and behind it what was decided."""
    return to_json([row.at, row.until, row.changes]) + b"\n" + row.said


def decode(value: bytes) -> Row:
    """A row from its bytes."""
    head, newline, said = value.partition(b"\n")
    try:
        at, until, changes = from_json(head)
        found = tuple((str(key), kept, float(ends)) for key, kept, ends in changes)
        row = Row(float(at), float(until), found, said)
    except (ValueError, TypeError) as error:
        raise Unreadable(f"a row of the journal cannot be read: {type(error).__name__}") from None
    if not newline:
        raise Unreadable("a row of the journal holds no decision")
    return row
