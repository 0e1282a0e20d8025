"""Exact percentiles, by nearest rank: of n values in order, the one in place ⌈n · percent / 100⌉.

It is a value that was seen, never one between two; and it is found with whole numbers, so no machine rounds otherwise.
"""

import polars as pl

PERCENTS = (50, 95, 99)


def in_order(column: str) -> pl.Expr:
    """Of a group: the values that there are, in their order, of which `at` finds a percentile."""
    return pl.col(column).drop_nulls().sort()


def at(values: pl.Series, percent: int) -> int | None:
    """The percentile of values that stand in their order; None where there is none."""
    return None if values.is_empty() else int(values[(len(values) * percent + 99) // 100 - 1])
