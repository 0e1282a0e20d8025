"""Opens records by the batch: each an event in columns, or the reason why it is left out. None harms another."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

import polars as pl

from schemas.run import RunStateName
from services.report.decisions.columns import SHAPE, Types, flat

Trouble = Literal["half_a_line", "no_record", "unreadable", "unknown_event", "incomplete"]
TROUBLES: Final[dict[Trouble, str]] = {
    "half_a_line": "lines that are no JSON, such as half-written ones",
    "no_record": "lines that hold no record",
    "unreadable": "records whose value is no JSON object",
    "unknown_event": "events of a type or a state that this version does not know",
    "incomplete": "events without what makes them one: a time, a run's id, a kind or a reason",
}
"""Why something is left out, in words."""

NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "run.state": ("at", "state"),
    "run.cancel": ("at", "run_id"),
    "run.feedback": ("at", "verdict"),
    "decision.made": ("at", "kind"),
    "reaction.match": ("at", "rule_name"),
    "reaction.skip": ("at", "reason"),
}
"""The events that reports count, and what each must say to be counted."""


_NOTHING: Final = b"null"


@dataclass(frozen=True, slots=True)
class Sealed:
    """Records, not yet opened: columns of the same length."""

    ids: Sequence[str]
    """Their own, or where it stands for one that has none."""
    values: Sequence[bytes | None]
    type_in_header: Callable[[int], str | None]
    """Of one of them. An event says its type itself; only where it does not, its header is asked."""


def opened(records: Sealed) -> pl.DataFrame:
    """Their events, one row each, in their order."""
    parts, broken = decoded([value or b"" for value in records.values], SHAPE)
    untyped = {row: records.type_in_header(row) for row in parts["type"].is_null().arg_true()}
    types = pl.Series("header_type", [None], pl.String).new_from_index(0, parts.height)
    if untyped:
        types = types.scatter(list(untyped), pl.Series(list(untyped.values()), dtype=pl.String))
    parts = parts.with_columns(pl.Series("id", records.ids, pl.String), types)
    return judged(flat(parts), broken)


def judged(events: pl.DataFrame, broken: pl.Series) -> pl.DataFrame:
    """The same events, with why each is left out that does not count."""
    is_state, state = pl.col("type") == "run.state", pl.col("state")
    known = pl.col("type").is_in(list(NEEDED)) & (
        ~is_state | state.is_null() | state.is_in(list(get_args(RunStateName)))
    )
    lacking = pl.any_horizontal(
        *(
            (pl.col("type") == name) & pl.any_horizontal(*(pl.col(field).is_null() for field in fields))
            for name, fields in NEEDED.items()
        ),
        is_state & (state != "cancel_requested") & pl.col("run_id").is_null(),
    )
    trouble = (
        pl.when(broken)
        .then(pl.lit("unreadable"))
        .when(pl.col("type").is_null())
        .then(pl.lit("incomplete"))
        .when(~known)
        .then(pl.lit("unknown_event"))
        .when(lacking)
        .then(pl.lit("incomplete"))
    )
    return events.with_columns(trouble.alias("trouble"))


def decoded(lines: list[bytes], shape: Types) -> tuple[pl.DataFrame, pl.Series]:
    """A row for each line of JSON, and which of the lines are no JSON object: their rows are empty."""
    text = b"\n".join(lines)
    if text.count(b"\n") >= len(lines):  # JSON may be laid out over several lines, but not within its strings
        lines = [line.replace(b"\n", b" ") for line in lines]
        text = b"\n".join(lines)
    rows = decoded_whole(text, len(lines), shape)
    if rows is None:
        rows, lines = _halved([line if _is_json(line) else _NOTHING for line in lines], shape)
    return rows, broken_in(rows, lambda: lines)


def decoded_whole(text: bytes, lines: int, shape: Types) -> pl.DataFrame | None:
    """The same for so many lines at once. One bad or blank line fails them all: then there is None."""
    if not lines:
        return pl.DataFrame(schema=shape)
    try:
        rows = pl.read_ndjson(text, schema=shape, ignore_errors=True)
    except pl.exceptions.ComputeError:
        return None
    return rows if rows.height == lines else None  # it passes over blank lines


def broken_in(rows: pl.DataFrame, lines: Callable[[], Sequence[bytes]]) -> pl.Series:
    """Which lines are no JSON object. Their rows say nothing, so only such rows are looked at."""
    broken = pl.Series("broken", [False], pl.Boolean).new_from_index(0, rows.height)
    empty = rows.to_series(0).is_null().arg_true()
    if not len(empty):
        return broken
    found = lines()
    bad = [row for row in empty if not found[row].lstrip().startswith(b"{")]
    return broken.scatter(bad, True) if bad else broken  # noqa: FBT003 - the value that is put there


def _halved(lines: list[bytes], shape: Types) -> tuple[pl.DataFrame, list[bytes]]:
    """What fails though each line looks like JSON is halved until the bad ones are alone."""
    rows = decoded_whole(b"\n".join(lines), len(lines), shape)
    if rows is not None:
        return rows, lines
    if len(lines) == 1:
        return _halved([_NOTHING], shape)
    half = len(lines) // 2
    first, second = _halved(lines[:half], shape), _halved(lines[half:], shape)
    return pl.concat([first[0], second[0]]), first[1] + second[1]


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
