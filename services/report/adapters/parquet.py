"""A log as Parquet: the records as they stood, and beside them their events in columns, which reports read alone."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import polars as pl

from schemas.lines import Kept, NoRecord, attribute, headers_of, headers_text, place
from services.kit.fault import Fault
from services.report.adapters.ahead import one_ahead
from services.report.adapters.batch import Batch, Progress, Stretch
from services.report.decisions.columns import EVENT
from services.report.decisions.opening import Sealed, opened

AT_ONCE: Final = 100_000
"""Rows in a batch, and in a group of the file."""

RECORD: Final[dict[str, Any]] = {
    "topic": pl.String,
    "partition": pl.Int32,
    "offset": pl.Int64,
    "appended_ms": pl.Int64,
    "key": pl.Binary,
    "headers": pl.String,
    "value": pl.Binary,
}
"""A record, column by column. Headers are text, as they stand in a line of JSON."""

_PLACE: Final = ("topic", "partition", "offset")
OPENED: Final = "event "
"""Begins the names of the columns of an event."""


class NotParquet(Fault):
    """A file that holds no log."""


class Writer:
    """Writes a file by the batch: each is a part of its own, and in the end they become one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._whole, self._parts = path.with_name(f".{path.name}.whole"), list[Path]()

    def __enter__(self) -> Self:
        """Nothing stands there yet."""
        return self

    def add(self, records: list[Kept]) -> None:
        """Takes in a batch."""
        part = self._path.with_name(f".{self._path.name}.part-{len(self._parts):06}")
        self._parts.append(part)
        _frame(records).write_parquet(part, compression="zstd")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Puts the file in place where all went well; leaves no part behind."""
        try:
            if kind is None:
                self._join()
        finally:
            for part in (*self._parts, self._whole):
                part.unlink(missing_ok=True)

    def _join(self) -> None:
        if not self._parts:
            _frame([]).write_parquet(self._path)
            return
        pl.scan_parquet(self._parts).sink_parquet(self._whole, compression="zstd", row_group_size=AT_ONCE)
        self._whole.replace(self._path)


def _frame(records: list[Kept]) -> pl.DataFrame:
    stored = pl.DataFrame(
        {
            "topic": [record.topic for record in records],
            "partition": [record.partition for record in records],
            "offset": [record.offset for record in records],
            "appended_ms": [record.appended_ms for record in records],
            "key": [record.key for record in records],
            "headers": [headers_text(record.headers) for record in records],
            "value": [record.value for record in records],
        },
        schema=RECORD,
    )
    events = opened(
        Sealed(
            ids=[attribute(record.headers, "ce_id") or record.where for record in records],
            values=[record.value for record in records],
            type_in_header=lambda row: attribute(records[row].headers, "ce_type"),
        )
    )
    return pl.concat([stored, events.rename(lambda name: f"{OPENED}{name}")], how="horizontal")


def records(path: Path) -> Iterator[list[tuple[str, Kept | NoRecord]]]:
    """Every record of a file, with where it stands; or what is wrong with its row."""
    number = 0
    for rows in _rows(path, list(RECORD)):
        named = enumerate(rows.iter_rows(named=True), number + 1)
        yield [(f"{path} row {row}", _record(facts)) for row, facts in named]
        number += rows.height


def _record(facts: dict[str, Any]) -> Kept | NoRecord:
    try:
        return Kept(**{**facts, "headers": headers_of(json.loads(facts["headers"] or "[]"))})
    except (ValueError, TypeError) as error:
        return NoRecord(f"its headers cannot be read: {error}")


def batches(path: Path, stretch: Stretch, progress: Progress) -> Iterator[Batch]:
    """Its events, from their columns; from the records themselves where another version made the columns."""
    total, found, done = _height(path), pl.read_parquet_schema(path), 0
    has_events = all(found.get(f"{OPENED}{name}") == kind for name, kind in EVENT.items())
    chosen = _columns(path, stretch) if has_events else list(RECORD)
    for rows in _rows(path, chosen):
        done += rows.height
        inside = rows if stretch == Stretch() else rows.filter(stretch.rows())
        yield _batch(inside, has_events=has_events)
        progress(done, total)


def _columns(path: Path, stretch: Stretch) -> list[str]:
    """Where a record stands is read only where one must be named, and when it was appended only for a stretch."""
    trouble = pl.col(f"{OPENED}trouble")
    with _readable(path):
        sound = bool(pl.scan_parquet(path).select(trouble.is_null().all()).collect().item())
    return [
        *(() if sound else _PLACE),
        *(() if stretch == Stretch() else ("appended_ms",)),
        *(f"{OPENED}{name}" for name in EVENT),
    ]


def _batch(rows: pl.DataFrame, *, has_events: bool) -> Batch:
    if has_events:
        events = rows.select(pl.col(f"{OPENED}{name}").alias(name) for name in EVENT)
    else:
        found = ((facts, _record(facts)) for facts in rows.iter_rows(named=True))
        kept = [Kept(**{**facts, "headers": ()}) if isinstance(each, NoRecord) else each for facts, each in found]
        events = _frame(kept).select(pl.col(f"{OPENED}{name}").alias(name) for name in EVENT)
    return Batch(events, lambda row: place(*rows.select(_PLACE).row(row)))


def _rows(path: Path, columns: list[str]) -> Iterator[pl.DataFrame]:
    """A group of the file after the other: whoever leaves it to the engine how far to read ahead holds much of it."""
    scanned, height = _scan(path, columns), _height(path)
    with _readable(path):
        yield from one_ahead(scanned.slice(begin, AT_ONCE).collect for begin in range(0, height, AT_ONCE))


def _height(path: Path) -> int:
    with _readable(path):
        return int(_scan(path, list(RECORD)).select(pl.len()).collect().item())


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        raise NotParquet(f"{path} cannot be read as Parquet ({type(error).__name__}); nothing came of it") from error


def _scan(path: Path, columns: list[str]) -> pl.LazyFrame:
    with _readable(path):
        scanned = pl.scan_parquet(path)
        lacking = [name for name in columns if name not in scanned.collect_schema()]
    if lacking:
        raise NotParquet(f"{path} has no column {', '.join(lacking)}: it is no exported log; nothing came of it")
    return scanned.select(columns)
