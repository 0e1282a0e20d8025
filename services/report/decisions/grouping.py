"""Runs by where they came from, who answered, and in which channel and thread."""

from collections.abc import Callable
from typing import Final, Literal

import polars as pl

from services.report.decisions import counting
from services.report.decisions.baseline import Group, Grouping, Sessions
from services.report.decisions.names import Kind, Naming
from services.report.decisions.ranks import in_order
from services.report.decisions.runs import MICRO, column_of

By = Literal["origin", "trigger", "tenant", "agent", "model", "channel", "session"]
_COLUMN: Final[dict[By, str]] = {
    "origin": "origin",
    "trigger": "trigger",
    "tenant": "tenant_id",
    "agent": "agent_id",
    "model": "model",
    "channel": "channel",
    "session": "session",
}
_KINDS: Final[dict[By, Kind]] = {"tenant": "tenant", "agent": "agent", "channel": "channel", "session": "session"}

_TIMES: Final = ("first_token_completed", "whole_completed")
_SPENT: Final = ("tokens_each", "cost_each")
_COUNTED: Final = ("outcome", "input_tokens", "output_tokens", "cost_nano", *_TIMES, *_SPENT)
_COMPARED: Final[frozenset[By]] = frozenset({"origin", "agent", "model"})
"""Only of these is it sorted what each run took and cost: with many channels and threads that takes long."""

_NONE: Final = pl.Series([], dtype=pl.Int64)

LISTED: Final = 20
"""So many groups are listed of each."""


def groupings(runs: pl.LazyFrame, naming: Naming) -> tuple[Grouping, ...]:
    """By each thing that runs have in common."""
    return tuple(_grouping(runs, by, column, naming) for by, column in _COLUMN.items())


def _grouping(runs: pl.LazyFrame, by: By, column: str, naming: Naming) -> Grouping:
    each = (*_TIMES, *_SPENT) if by in _COMPARED else _TIMES
    named = runs.select(column, *_COUNTED).filter(pl.col(column).is_not_null())
    sizes = named.group_by(column).len().with_columns(pl.col(column).cast(pl.String).alias("word")).collect()
    largest = sizes.top_k(LISTED, by=["len", "word"], reverse=[False, True])
    rows = (
        (named if largest.height == sizes.height else named.join(largest.lazy(), on=column, how="semi"))
        .group_by(column)
        .agg(*counting.outcome_counts(), *counting.usage_sums(), *map(in_order, each))
        .join(largest.lazy(), on=column)
        .sort(["len", "word"], descending=[True, False])
        .collect()
    )
    shown = _shown(by, naming)
    return Grouping(
        by=by,
        groups=sizes.height,
        runs_without=column_of(runs, column).null_count(),
        largest=tuple(
            Group(
                name=shown(row["word"]),
                outcomes=counting.outcomes_in(row),
                first_token_s=counting.ranks_in(rows["first_token_completed"][place], MICRO),
                whole_s=counting.ranks_in(rows["whole_completed"][place], MICRO),
                usage=counting.usage_in(row, *(rows[name][place] if name in each else _NONE for name in _SPENT)),
            )
            for place, row in enumerate(rows.drop(each).iter_rows(named=True))
        ),
    )


def _shown(by: By, naming: Naming) -> Callable[[str], str]:
    kind = _KINDS.get(by)
    return (lambda name: naming(kind, name)) if kind is not None else (lambda name: name)


def sessions_of(runs: pl.LazyFrame) -> Sessions:
    """How whole conversations went."""
    outcome = pl.col("outcome")
    grouped = (
        runs.select("session", "outcome")
        .drop_nulls("session")
        .group_by("session")
        .agg(
            pl.len().alias("runs"),
            (outcome == "complete").sum().alias("complete"),
            (outcome == "error").sum().alias("error"),
            (outcome == "cancelled").sum().alias("cancelled"),
        )
    )
    bad = pl.col("error") + pl.col("cancelled")
    each = grouped.collect()
    good, failed, cut = each.select(
        ((bad == 0) & (pl.col("complete") > 0)).sum().alias("good"),
        (pl.col("error") > 0).sum().alias("failed"),
        (pl.col("cancelled") > 0).sum().alias("cut"),
    ).row(0)
    return Sessions(
        sessions=each.height,
        runs_each=counting.ranks_of(each["runs"]),
        all_complete=good,
        with_error=failed,
        with_cancel=cut,
    )
