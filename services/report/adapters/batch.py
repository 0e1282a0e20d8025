"""What every source of a log hands over: events in columns, and where each of them stands."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import polars as pl

Progress = Callable[[int, int], None]
"""How much is done, and of how much. The unit is the source's own."""


def silent(_done: int, _of: int) -> None:
    """Shows nobody anything."""


@dataclass(frozen=True)
class Stretch:
    """From when on, and until when, by the time at which the broker appended a record."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def since_ms(self) -> int | None:
        """As brokers count time."""
        return None if self.since is None else int(self.since.timestamp() * 1000)

    @property
    def until_ms(self) -> int | None:
        """Likewise; records of this millisecond are not in it any more."""
        return None if self.until is None else int(self.until.timestamp() * 1000)

    def holds(self, appended_ms: int) -> bool:
        """Whether a record is in it."""
        after = self.since_ms is None or appended_ms >= self.since_ms
        return after and (self.until_ms is None or appended_ms < self.until_ms)

    def rows(self) -> pl.Expr:
        """The same for a column. A line that does not say when it was appended is in every stretch."""
        appended, inside = pl.col("appended_ms"), pl.lit(value=True)
        if self.since_ms is not None:
            inside = inside & (appended.is_null() | (appended >= self.since_ms))
        if self.until_ms is not None:
            inside = inside & (appended.is_null() | (appended < self.until_ms))
        return inside


@dataclass(frozen=True)
class Batch:
    """Some events, one a row."""

    events: pl.DataFrame
    place: Callable[[int], str]
    """Where the event of a row stands, in words."""

    def left_out(self) -> Iterator[tuple[str, str]]:
        """What does not count, and where it stands."""
        troubled = self.events.with_row_index("row").filter(pl.col("trouble").is_not_null())
        for row, trouble in troubled.select("row", "trouble").iter_rows():
            yield trouble, self.place(row)
