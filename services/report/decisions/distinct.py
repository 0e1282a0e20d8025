"""What was written twice counts once, whichever copy is met first."""

from typing import Final

import polars as pl

HASHES: Final = ("run", "id")
"""Columns whose order says nothing: they decide only between rows that are alike in all else."""


def once(rows: pl.DataFrame, key: str, order: tuple[str, ...] = ()) -> pl.DataFrame:
    """One row for each key. Of several the first by `order`, then by all that they say, so that no order matters."""
    if rows[key].n_unique() == rows.height:
        return rows
    repeated = rows[key].is_duplicated()
    several = rows.filter(repeated)
    several = several.select(pl.all(), *(_comparable(several, name) for name in several.columns))
    said = [name for name in rows.columns if name not in (*order, *HASHES)]
    by = [f"by {name}" for name in (*order, *said, *(name for name in HASHES if name in rows.columns))]
    first = several.sort(by, nulls_last=True).unique(key, keep="first", maintain_order=True)
    return pl.concat([rows.filter(~repeated), first.select(rows.columns)])


def _comparable(rows: pl.DataFrame, name: str) -> pl.Expr:
    """Categories are compared as the words that they stand for."""
    column = pl.col(name)
    return (column.cast(pl.String) if rows.schema[name] == pl.Categorical else column).alias(f"by {name}")
