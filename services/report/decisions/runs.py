"""One row for each run: where it came from, how it ended, how long its parts took, what it cost.

Times are whole microseconds and costs whole billionths of a dollar: sums of them are the same in any order.
"""

from typing import Final

import polars as pl

from services.report.decisions.columns import PHASES
from services.report.decisions.distinct import once

OUTCOMES: Final = ("complete", "error", "cancelled", "open")
"""How a run ended; open is one whose end is not in the log."""

_ENDS: Final = ["complete", "cancelled", "error"]
_ABOUT: Final = ("tenant_id", "session", "channel", "origin", "trigger", "agent_id", "received_at")
_OF_THE_END: Final = ("reason", "model", "input_tokens", "output_tokens")
NANO: Final = 1_000_000_000
MICRO: Final = 1_000_000


def runs_of(states: pl.DataFrame) -> pl.DataFrame:
    """Of several starts, or several ends, the earliest holds; what only one of the two says is taken from that one."""
    state = pl.col("state")
    starts = once(states.filter(state == "start"), "run", ("at",)).select(
        "run", pl.col("at").alias("started_at"), *_ABOUT
    )
    ends = once(states.filter(pl.any_horizontal(state == end for end in _ENDS)), "run", ("at",)).select(
        "run",
        pl.col("at").alias("ended_at"),
        state.cast(pl.String).alias("outcome"),
        *_ABOUT,
        *_OF_THE_END,
        *(whole(pl.col(name), MICRO).alias(name) for name in PHASES),
        whole(pl.col("cost_usd"), NANO).alias("cost_nano"),
    )
    runs = starts.join(ends, on="run", how="full", coalesce=True, suffix="_at_the_end")
    runs = runs.join(states.group_by("run").agg(pl.len().alias("states")), on="run", how="left")
    runs = runs.with_columns(
        *(pl.coalesce(f"{name}_at_the_end", name).alias(name) for name in _ABOUT),
        pl.col("outcome").fill_null("open"),
    )
    received, ended = pl.col("received_at"), pl.col("ended_at")
    return runs.select(
        pl.exclude([f"{name}_at_the_end" for name in _ABOUT]),
        pl.coalesce("started_at", "received_at", "ended_at").alias("begun_at"),
        (ended - pl.coalesce(received, "started_at")).dt.total_microseconds().alias("whole"),
        (ended < pl.coalesce("started_at", "received_at")).fill_null(value=False).alias("ends_before_it_begins"),
    ).with_columns(
        # A channel names its kind, should an old log not say where a run came from.
        pl.coalesce(pl.col("origin").cast(pl.String), _origin_by_channel()).alias("origin"),
        *(pl.when(pl.col(name) >= 0).then(pl.col(name)).alias(name) for name in (*PHASES, "whole")),
    )


def column_of(runs: pl.LazyFrame, name: str) -> pl.Series:
    """One of their columns, and no other."""
    return runs.select(name).collect()[name]


def whole(column: pl.Expr, parts: int) -> pl.Expr:
    """A number as so many whole parts of it."""
    return (column * parts + 0.5).floor().cast(pl.Int64, strict=False)


def _origin_by_channel() -> pl.Expr:
    channel = pl.col("channel").cast(pl.String)
    return pl.when(channel.str.starts_with("D")).then(pl.lit("dm")).when(channel.is_not_null()).then(pl.lit("channel"))
