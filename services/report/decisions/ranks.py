"""Exact percentiles, by nearest rank: of n values in order, the one in place ⌈n · percent / 100⌉.

It is a value that was seen, never one between two; and it is found with whole numbers, so no machine rounds otherwise.
"""

import polars as pl

PERCENTS = (50, 95, 99)


def percentile(column: str, percent: int) -> pl.Expr:
    """Of the values that there are; null where there is none."""
    values = pl.col(column).drop_nulls()
    place = (values.len().cast(pl.Int64) * percent + 99) // 100 - 1
    return pl.when(values.len() > 0).then(values.sort().get(place.clip(lower_bound=0), null_on_oob=True))
