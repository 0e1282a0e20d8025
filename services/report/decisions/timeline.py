"""Runs over time, in spans that make a picture of at most 120 columns."""

from datetime import timedelta
from typing import Final

import polars as pl

from services.report.decisions.baseline import Column, Timeline
from services.report.decisions.runs import OUTCOMES, column_of

SPANS_S: Final = (60, 300, 900, 3600, 6 * 3600, 86400, 7 * 86400, 30 * 86400)
MOST: Final = 120
STRAYS: Final = 5
"""Of a thousand runs, at either end. Those of them that lie farther off than all others are long, and than
`NEAR`, are left out of the picture: a clock that was wrong would otherwise make one column of all the rest."""
NEAR: Final = timedelta(hours=1)


def timeline_of(runs: pl.LazyFrame) -> Timeline:
    """By when they began."""
    times = column_of(runs, "begun_at").drop_nulls().sort()
    if not len(times):
        return Timeline(span_s=SPANS_S[0], columns=(), outside=0)
    strays = len(times) * STRAYS // 1000
    first, last = times[strays], times[-1 - strays]
    reach = max(last - first, NEAR)
    near = times.filter(times.is_between(first - reach, last + reach))
    first, last = near[0], near[-1]
    span = next((each for each in SPANS_S if last - first <= timedelta(seconds=each * MOST)), SPANS_S[-1])
    begin = pl.col("begun_at").dt.truncate(f"{span}s")
    columns = (
        runs.filter(pl.col("begun_at").is_between(first, last))
        .group_by(begin.alias("begin"))
        .agg((pl.col("outcome") == outcome).sum().alias(outcome) for outcome in OUTCOMES)
        .sort("begin")
        .collect()
    )
    return Timeline(
        span_s=span,
        columns=tuple(
            Column(
                begin=row["begin"],
                completed=row["complete"],
                failed=row["error"],
                cancelled=row["cancelled"],
                open=row["open"],
            )
            for row in columns.iter_rows(named=True)
        ),
        outside=len(times) - int(columns.select(pl.sum_horizontal(OUTCOMES).sum()).item()),
    )
