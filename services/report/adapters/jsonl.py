"""A log as lines of JSON: written from records, and read by the batch, whatever stands in it."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import polars as pl

from schemas.lines import Kept, NoRecord, line_of, record_of
from services.report.adapters.batch import Batch, Progress, Stretch
from services.report.decisions.columns import EVENT, SHAPE, Types, flat
from services.report.decisions.opening import Sealed, broken_in, decoded, decoded_whole, judged, opened

CHUNK: Final = 8 << 20
"""Bytes of a file that are read at once."""

_LINE: Final[Types] = {
    "topic": pl.String,
    "partition": pl.Int64,
    "offset": pl.Int64,
    "appended_ms": pl.Int64,
    "id": pl.String,
    "type": pl.String,
    "value_base64": pl.String,
    "value": pl.Struct(SHAPE),
}
_OF_THE_LINE: Final = ("id", "header_type")


def write(file: BinaryIO, records: list[Kept]) -> None:
    """One line each."""
    file.writelines(line_of(record) + b"\n" for record in records)


def records(path: Path) -> Iterator[list[tuple[str, Kept | NoRecord]]]:
    """Every record of a file, with where it stands; or what is wrong with its line."""
    for first, text, _ in _chunks(path):
        lines = enumerate(text.split(b"\n"), first)
        yield [(f"{path}:{number}", _record(line)) for number, line in lines if line.strip()]


def _record(line: bytes) -> Kept | NoRecord:
    try:
        return record_of(line)
    except NoRecord as error:
        return error


def batches(path: Path, stretch: Stretch, progress: Progress) -> Iterator[Batch]:
    """Its events."""
    size = path.stat().st_size
    for first, text, done in _chunks(path):
        yield _placed(path, _events(path, first, text).filter(stretch.rows()))
        progress(done, size)


def _placed(path: Path, events: pl.DataFrame) -> Batch:
    numbers = events["line"]
    return Batch(events.select(list(EVENT)), lambda row: f"{path}:{numbers[row]}")


def _chunks(path: Path) -> Iterator[tuple[int, bytes, int]]:
    """Whole lines, the number of the first of them, and how many bytes were read up to their end."""
    number, done = 1, 0
    with path.open("rb") as file:
        while text := file.read(CHUNK):
            text += file.readline()
            done += len(text)
            yield number, text.removesuffix(b"\n"), done
            number += text.count(b"\n")


def _events(path: Path, first: int, text: bytes) -> pl.DataFrame:
    count = text.count(b"\n") + 1
    rows = decoded_whole(text, count, _LINE)
    if rows is not None:
        numbers = pl.int_range(first, first + count, eager=True)
        broken = broken_in(rows, lambda: text.split(b"\n"))
    else:
        lines = [(number, line) for number, line in enumerate(text.split(b"\n"), first) if line.strip()]
        numbers = pl.Series([number for number, _ in lines], dtype=pl.Int64)
        rows, broken = decoded([line for _, line in lines], _LINE)
    rows = rows.rename({"type": "header_type"}).with_columns(numbers.alias("line"), broken)
    return _opened(rows.with_columns(_identity(path).alias("id")))


def _opened(rows: pl.DataFrame) -> pl.DataFrame:
    """Events in columns, with the line that each stands in and when it was appended."""
    value = pl.col("value").struct
    parts = rows.select(*_OF_THE_LINE, *(value.field(name) for name in SHAPE))
    no_value = rows["value_base64"].is_null() & rows["value"].is_null()
    events = judged(flat(parts), no_value).with_columns(rows["line"], rows["appended_ms"])
    events = events.with_columns(
        pl.when(rows["broken"])
        .then(pl.lit("half_a_line"))
        .when(no_value & rows["topic"].is_null())
        .then(pl.lit("no_record"))
        .otherwise("trouble")
        .alias("trouble")
    )
    encoded = rows["value_base64"].is_not_null()
    if not encoded.any():
        return events
    return pl.concat([events.filter(~encoded), _of_bytes(rows.filter(encoded))]).sort("line")


def _identity(path: Path) -> pl.Expr:
    """A record's own id; for one that has none, where it stood on its topic; for one that stood nowhere, its line."""
    topic = pl.format("{} {}:{}", "topic", "partition", "offset")
    return pl.coalesce("id", topic, pl.format("{}:{}", pl.lit(str(path)), "line"))


def _of_bytes(rows: pl.DataFrame) -> pl.DataFrame:
    """Values that cannot stand as they are: most are no JSON, some are laid out over several lines."""
    types = rows["header_type"].to_list()
    values = [_bytes(text) for text in rows["value_base64"]]
    events = opened(Sealed(rows["id"].to_list(), values, lambda row: types[row]))
    return events.with_columns(rows["line"], rows["appended_ms"])


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None
