"""Counts, rates and percentiles, as a baseline holds them."""

from collections.abc import Iterable, Mapping
from typing import Final

import polars as pl

from services.report.decisions.baseline import Limits, Outcomes, Ranks, Share, Spread, Usage
from services.report.decisions.certainty import places
from services.report.decisions.ranks import PERCENTS, at
from services.report.decisions.runs import NANO, OUTCOMES

NOT_SAID: Final = "not said"
"""What stands for a name that a log does not say."""
DIGITS: Final = 6
"""Of a rate."""

_STEPS = ("1", "1.25", "1.6", "2", "2.5", "3.15", "4", "5", "6.3", "8")
BOUNDS_S: Final = tuple(float(f"{step}e{power}") for power in (-2, -1, 0, 1, 2, 3) for step in _STEPS)
BOUNDS_MS: Final = tuple(float(f"{step}e{power}") for power in (0, 1, 2, 3, 4) for step in _STEPS)


def rate(count: int, of: int) -> float | None:
    """None where there is nothing to be a part of."""
    return round(count / of, DIGITS) if of else None


def shares(counts: Iterable[tuple[str | None, int]], of: int | None = None) -> tuple[Share, ...]:
    """The most frequent first."""
    named = sorted(
        ((NOT_SAID if name is None else name, count) for name, count in counts), key=lambda each: (-each[1], each[0])
    )
    total = sum(count for _, count in named) if of is None else of
    return tuple(Share(name=name, count=count, share=rate(count, total) or 0.0) for name, count in named)


def shares_of(column: pl.Series, of: int | None = None) -> tuple[Share, ...]:
    """How often each value is there."""
    counts = column.alias("word").to_frame().group_by("word").len()
    return shares(counts.select(pl.col("word").cast(pl.String), "len").iter_rows(), of)


def counts_by(counts: pl.DataFrame, name: str) -> list[tuple[str | None, int]]:
    """How often each value is there, of rows that say how often each of them is."""
    summed = (
        counts.select(pl.col(name).cast(pl.String).alias("word"), "count").group_by("word").agg(pl.col("count").sum())
    )
    return list(summed.iter_rows())


def total(counts: pl.DataFrame) -> int:
    """How many all of them are."""
    return int(counts["count"].sum())


def ranks_of(column: pl.Series, per: int = 1) -> Ranks:
    """A column's percentiles, in units of so many of its own."""
    return ranks_in(column.drop_nulls().sort(), per)


def ranks_in(values: pl.Series, per: int = 1) -> Ranks:
    """The same for values that stand in their order already, as a group's do."""
    p50, p95, p99 = (_in_units(at(values, percent), per) for percent in PERCENTS)
    around_p50, around_p95, around_p99 = (_limits(values, percent, per) for percent in PERCENTS)
    return Ranks(
        count=len(values),
        p50=p50,
        p95=p95,
        p99=p99,
        p50_between=around_p50,
        p95_between=around_p95,
        p99_between=around_p99,
    )


def _limits(values: pl.Series, percent: int, per: int) -> Limits:
    low, high = (None if place is None else values[place - 1] for place in places(len(values), percent))
    return _in_units(low, per), _in_units(high, per)


def _in_units(value: int | None, per: int) -> float | None:
    return None if value is None else value / per


def outcome_counts() -> list[pl.Expr]:
    """What a group's outcomes are made of."""
    return [(pl.col("outcome") == outcome).sum().alias(outcome) for outcome in OUTCOMES]


def usage_sums() -> list[pl.Expr]:
    """What a group's usage is made of."""
    return [
        pl.col("input_tokens").count().alias("measured"),
        pl.col("input_tokens").sum(),
        pl.col("output_tokens").sum(),
        pl.col("cost_nano").count().alias("priced"),
        pl.col("cost_nano").sum(),
    ]


def outcomes_in(row: Mapping[str, int]) -> Outcomes:
    """Out of a group's row."""
    completed, failed, cancelled, unfinished = (row[name] for name in OUTCOMES)
    ended = completed + failed + cancelled
    return Outcomes(
        runs=ended + unfinished,
        completed=completed,
        failed=failed,
        cancelled=cancelled,
        open=unfinished,
        completion_rate=rate(completed, ended),
        error_rate=rate(failed, ended),
        cancel_rate=rate(cancelled, ended),
    )


def usage_in(row: Mapping[str, int], tokens: Ranks, cost: Ranks) -> Usage:
    """Out of a group's row, and what each of its runs took and cost."""
    return Usage(
        measured=row["measured"],
        input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"],
        priced=row["priced"],
        cost_usd=row["cost_nano"] / NANO,
        tokens_each=tokens,
        cost_usd_each=cost,
    )


def spread_of(column: pl.Series, bounds: tuple[float, ...], per: int) -> Spread:
    """Without the empty ends."""
    places = pl.Series([round(bound * per) for bound in bounds]).search_sorted(column.drop_nulls(), side="left")
    counted = dict(places.value_counts().iter_rows())
    counts = [counted.get(place, 0) for place in range(len(bounds) + 1)]
    filled = [place for place, count in enumerate(counts) if count]
    if not filled:
        return Spread(bounds=(), counts=())
    first, last = filled[0], filled[-1]
    return Spread(bounds=bounds[first : last + 1], counts=tuple(counts[first : last + 1]))
