"""What a baseline says about stops."""

import polars as pl

from services.report.decisions import counting, window
from services.report.decisions.baseline import SourceOfStops, Stops, Window
from services.report.decisions.ranks import in_order
from services.report.decisions.runs import MICRO
from services.report.decisions.stops import PER_MS


def stops_of(cancels: pl.DataFrame, requests: pl.DataFrame, refused: int, given_s: float | None) -> Stops:
    """Of the runs that stops were meant for, and of the requests."""
    asked, latency = cancels.filter("requested"), pl.col("latency")
    seconds, how = window.choose(asked["latency"].drop_nulls()) if given_s is None else (given_s, "it was given")
    judged = asked.with_columns(
        pl.when(latency.is_null())
        .then(pl.lit("never"))
        .when(latency < 0)
        .then(pl.lit("backwards"))
        .when(latency <= seconds * MICRO)
        .then(pl.lit("in_time"))
        .otherwise(pl.lit("late"))
        .alias("verdict"),
        pl.col("source").fill_null(counting.NOT_SAID),
    ).with_columns(pl.when(pl.col("verdict") == "in_time").then(latency).alias("took"))
    verdicts = dict(judged["verdict"].value_counts().iter_rows())
    return Stops(
        requests=requests.height,
        refused=refused,
        met_nothing=requests.filter(~pl.col("met")).height,
        cancels=judged.height,
        in_time=verdicts.get("in_time", 0),
        late=verdicts.get("late", 0),
        never=verdicts.get("never", 0),
        unasked=cancels.height - asked.height,
        window=Window(seconds=seconds, chosen="by itself" if given_s is None else "given", how=how),
        latency_ms=counting.ranks_of(judged["took"], PER_MS),
        by_source=_by_source(judged),
        spread_ms=counting.spread_of(judged["took"], counting.BOUNDS_MS, PER_MS),
    )


def _by_source(judged: pl.DataFrame) -> tuple[SourceOfStops, ...]:
    verdict = pl.col("verdict")
    rows = (
        judged.group_by("source")
        .agg(
            pl.len(),
            *((verdict == each).sum().alias(each) for each in ("in_time", "late", "never")),
            in_order("took"),
        )
        .sort(["len", "source"], descending=[True, False])
    )
    return tuple(
        SourceOfStops(
            name=row["source"],
            in_time=row["in_time"],
            late=row["late"],
            never=row["never"],
            latency_ms=counting.ranks_in(rows["took"][place], PER_MS),
        )
        for place, row in enumerate(rows.drop("took").iter_rows(named=True))
    )
