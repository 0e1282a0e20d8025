"""Writes records into a file that is whole or not there."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from schemas.lines import Kept
from services.kit.fault import Fault
from services.report.adapters import jsonl, parquet
from services.report.adapters.sources import form_of


class CannotWrite(Fault):
    """The file cannot be written."""


def write(path: Path, batches: Iterable[list[Kept]]) -> int:
    """How many records it holds. What stood there before stays until all of them are written."""
    form = form_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return _lines(path, batches) if form == "lines" else _columns(path, batches)
    except (OSError, pl.exceptions.ComputeError) as error:
        raise CannotWrite(f"{path} could not be written ({error}); what stood there is as it was") from error


def _lines(path: Path, batches: Iterable[list[Kept]]) -> int:
    begun, count = path.with_name(f".{path.name}.part"), 0
    try:
        with begun.open("wb") as file:
            for batch in batches:
                jsonl.write(file, batch)
                count += len(batch)
        begun.replace(path)
    finally:
        begun.unlink(missing_ok=True)
    return count


def _columns(path: Path, batches: Iterable[list[Kept]]) -> int:
    count = 0
    with parquet.Writer(path) as writer:
        for batch in batches:
            writer.add(batch)
            count += len(batch)
    return count
