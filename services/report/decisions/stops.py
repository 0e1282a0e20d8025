"""Stops: each request to end runs, and for each run that one was meant for whether and when it took hold."""

import polars as pl

from services.report.decisions.distinct import once
from services.report.decisions.runs import whole

PER_MS = 1000
"""Microseconds."""


def cancels_of(cancels: pl.DataFrame, asked: pl.DataFrame, runs: pl.LazyFrame, controls: pl.DataFrame) -> pl.DataFrame:
    """One row for each run and stop: `source`, `requested`, and `latency` in µs from the request to its taking hold.

    The responder's own record of a stop (run.cancel) comes first. For a run that has none, as in logs of older
    versions, it is the time from its first request to its state `cancelled`.
    """
    took = (pl.col("acknowledged_at") - pl.col("requested_at")).dt.total_microseconds()
    latency = pl.coalesce(whole(pl.col("latency_ms"), PER_MS), took)
    recorded = cancels.with_columns(pl.col("stop_id").fill_null("").alias("stop"))
    recorded = recorded.with_columns(pl.struct("run", "stop").hash().alias("pair"))
    recorded = once(recorded, "pair", ("at",)).select(
        "run",
        "stop_id",
        pl.col("source").cast(pl.String),
        pl.col("requested").fill_null(value=True),
        pl.when(pl.col("acknowledged").fill_null(value=True)).then(latency).alias("latency"),
        pl.lit(value=True).alias("recorded"),
    )
    return pl.concat([recorded, _without_a_record(recorded, asked, runs, controls)])


def _without_a_record(
    recorded: pl.DataFrame, asked: pl.DataFrame, runs: pl.LazyFrame, controls: pl.DataFrame
) -> pl.DataFrame:
    of_runs = asked.filter(pl.col("run").is_not_null()).join(recorded, on="run", how="anti")
    first = once(of_runs, "run", ("at",)).select("run", "stop_id", pl.col("at").alias("requested_at"))
    cancelled = runs.filter(pl.col("outcome") == "cancelled").select("run", "ended_at").collect()
    took = (pl.col("ended_at") - pl.col("requested_at")).dt.total_microseconds()
    return (
        first.join(cancelled, on="run", how="left")
        .join(once(controls.drop_nulls("stop_id"), "stop_id"), on="stop_id", how="left")
        .select(
            "run",
            "stop_id",
            pl.col("source").cast(pl.String),
            pl.lit(value=True).alias("requested"),
            took.alias("latency"),
            pl.lit(value=False).alias("recorded"),
        )
    )


def requests_of(asked: pl.DataFrame, cancels: pl.DataFrame) -> pl.DataFrame:
    """One row for each request: `met`, whether a run is known that it was meant for."""
    by_name = pl.coalesce("stop_id", pl.format("run {}", "run")).alias("request")
    met = pl.col("latency").is_not_null() | pl.col("recorded")
    known = cancels.filter("requested").select(by_name, met.alias("met"))
    every = pl.concat([asked.select(by_name, pl.lit(value=False).alias("met")), known])
    return every.drop_nulls("request").group_by("request").agg(pl.col("met").any())
