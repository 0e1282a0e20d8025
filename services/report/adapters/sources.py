"""A log by its file names, or by topics: what a report reads, and what an export writes."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

from schemas.lines import Kept, NoRecord
from services.kit.fault import Fault
from services.report.adapters import jsonl, parquet
from services.report.adapters.batch import Batch, Progress, Stretch

LINES: Final = (".jsonl", ".ndjson")
COLUMNS: Final = (".parquet",)

Form = Literal["lines", "columns"]


class NoLog(Fault):
    """A file that is no log."""


def form_of(path: Path) -> Form:
    """How a log is laid out, by its name."""
    if path.suffix in LINES:
        return "lines"
    if path.suffix in COLUMNS:
        return "columns"
    raise NoLog(
        f"{path} is named neither .jsonl nor .parquet, so there is no saying how it is laid out; nothing was done"
    )


def batches(path: Path, stretch: Stretch, progress: Progress) -> Iterator[Batch]:
    """The events of a file."""
    read = jsonl.batches if form_of(path) == "lines" else parquet.batches
    yield from read(_there(path), stretch, progress)


def records(path: Path) -> Iterator[Sequence[tuple[str, Kept | NoRecord]]]:
    """The records of a file, with where each stands."""
    yield from jsonl.records(_there(path)) if form_of(path) == "lines" else parquet.records(_there(path))


def _there(path: Path) -> Path:
    if not path.is_file():
        raise NoLog(f"there is no file {path}; nothing was done")
    try:
        path.open("rb").close()
    except OSError as error:
        raise NoLog(f"{path} cannot be read ({error.strerror}); nothing was done") from error
    return path
