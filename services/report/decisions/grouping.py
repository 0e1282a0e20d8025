"""Runs by where they came from, who answered, and in which channel and thread."""

from collections.abc import Callable
from typing import Final, Literal

import polars as pl

from services.report.decisions import counting
from services.report.decisions.baseline import Group, Grouping, Ranks, Sessions
from services.report.decisions.names import Kind, Naming
from services.report.decisions.runs import MICRO, NANO

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

_TIMES: Final = {"first_token_completed": MICRO, "whole_completed": MICRO}
SPENT: Final = {"tokens_each": 1, "cost_each": NANO}
"""What is measured of each run, and in how many parts of its unit."""
_COMPARED: Final[frozenset[By]] = frozenset({"origin", "agent", "model"})
"""Only of these is it sorted what each run took and cost: with many channels and threads that takes long."""

_NO_RANKS: Final = counting.ranks_in(pl.Series([], dtype=pl.Int64))

LISTED: Final = 20
"""So many groups are listed of each."""


def groupings(runs: pl.LazyFrame, naming: Naming) -> tuple[Grouping, ...]:
    """By each thing that runs have in common."""
    return tuple(_grouping(runs, by, column, naming) for by, column in _COLUMN.items())


def _grouping(runs: pl.LazyFrame, by: By, column: str, naming: Naming) -> Grouping:
    sizes = runs.select(column).group_by(column).len().collect(engine="streaming")
    without = int(sizes.filter(pl.col(column).is_null())["len"].sum())
    sizes = sizes.drop_nulls(column).with_columns(pl.col(column).cast(pl.String).alias("word"))
    largest = sizes.top_k(LISTED, by=["len", "word"], reverse=[False, True])
    named = runs.drop_nulls(column)
    named = named if largest.height == sizes.height else named.join(largest.lazy(), on=column, how="semi")
    rows = (
        named.group_by(column)
        .agg(*counting.outcome_counts(), *counting.usage_sums())
        .join(largest.lazy(), on=column)
        .sort(["len", "word"], descending=[True, False])
        .collect(engine="streaming")
    )
    each = _TIMES | SPENT if by in _COMPARED else _TIMES
    ranks = {name: _ranks(named, column, name, per) for name, per in each.items()}
    shown = _shown(by, naming)

    def of(measure: str, word: str) -> Ranks:
        return ranks.get(measure, {}).get(word) or _NO_RANKS

    return Grouping(
        by=by,
        groups=sizes.height,
        runs_without=without,
        largest=tuple(
            Group(
                name=shown(row["word"]),
                outcomes=counting.outcomes_in(row),
                first_token_s=of("first_token_completed", row["word"]),
                whole_s=of("whole_completed", row["word"]),
                usage=counting.usage_in(row, *(of(measure, row["word"]) for measure in SPENT)),
            )
            for row in rows.iter_rows(named=True)
        ),
    )


def _ranks(named: pl.LazyFrame, column: str, measure: str, per: int) -> dict[str, Ranks]:
    """One measure at a time, so that no more than one of them is in memory."""
    rows = named.select(column, measure).drop_nulls(measure).group_by(column).agg(pl.col(measure).sort()).collect()
    return {
        word: counting.ranks_in(rows[measure][place], per) for place, word in enumerate(rows[column].cast(pl.String))
    }


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
