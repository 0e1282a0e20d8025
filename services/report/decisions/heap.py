"""Rows that may be more than memory should hold: what is too much goes to a shelf, sorted by what it is about."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol

import polars as pl

BUCKETS: Final = 16
_BUCKET: Final = "bucket of the heap"


class Shelf(Protocol):
    """Where rows are put away under a name, and found again."""

    def put(self, name: str, rows: pl.DataFrame) -> None:
        """Beside what is there under this name."""

    def rows(self, name: str) -> pl.LazyFrame:
        """All that was put there."""


class InMemory:
    """A shelf that is no other place, for logs that are short."""

    def __init__(self) -> None:
        self._rows: defaultdict[str, list[pl.DataFrame]] = defaultdict(list)

    def put(self, name: str, rows: pl.DataFrame) -> None:
        """Beside what is there under this name."""
        self._rows[name].append(rows)

    def rows(self, name: str) -> pl.LazyFrame:
        """All that was put there."""
        return pl.concat(self._rows[name]).lazy()


@dataclass(frozen=True)
class Room:
    """Where rows go."""

    shelf: Shelf = field(default_factory=InMemory)
    held: int = 32 << 20
    """So many bytes of a kind are held before they go to the shelf."""


class Heap:
    """Rows of one kind."""

    def __init__(self, name: str, by: str, nothing: pl.DataFrame, room: Room) -> None:
        self._name, self._by, self._nothing, self._room = name, by, nothing, room
        self._held, self._holds = [nothing], 0
        self._used: set[int] = set()
        self.height = 0
        """How many were added."""

    def add(self, rows: pl.DataFrame) -> None:
        """Takes some in."""
        if not rows.height:
            return
        self._held.append(rows)
        self._holds += int(rows.estimated_size())
        self.height += rows.height
        if self._holds > self._room.held:
            self._put_away()

    def parts(self) -> Iterator[pl.DataFrame]:
        """All of them, at least one part; rows about the same are in the same part."""
        if not self._used:
            yield pl.concat(self._held)
            return
        self._put_away()
        for bucket in sorted(self._used):
            yield self._room.shelf.rows(self._place(bucket)).collect()

    def _put_away(self) -> None:
        about = (pl.coalesce(self._by, "id") % BUCKETS).alias(_BUCKET)
        rows = pl.concat(self._held).with_columns(about)
        for (bucket,), part in rows.partition_by(_BUCKET, as_dict=True, include_key=False).items():
            self._room.shelf.put(self._place(int(bucket)), part)
            self._used.add(int(bucket))
        self._held, self._holds = [self._nothing], 0

    def _place(self, bucket: int) -> str:
        return f"{self._name}-{bucket:02}"
