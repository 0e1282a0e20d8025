"""Restricts what was told to the runs of one origin or of one model, and to what belongs to them."""

from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from services.report.decisions.runs import column_of
from services.report.decisions.told import Told


@dataclass(frozen=True)
class Only:
    """Which runs."""

    by: Literal["origin", "model"]
    name: str

    @property
    def words(self) -> str:
        """Such as `origin channel`."""
        return f"{self.by} {self.name}"


def restricted(told: Told, only: Only) -> Told:
    """Rules are tried on messages in channels and direct messages; decisions name neither an origin nor a model."""
    runs = told.runs.filter(pl.col(only.by).cast(pl.String) == only.name)
    names = runs.select("run").collect()
    cancels = told.cancels.join(names, on="run", how="semi")
    stops = cancels.select("stop_id").drop_nulls().unique()
    nameless = told.asked.filter(pl.col("run").is_null()).join(stops, on="stop_id", how="semi")
    asked = pl.concat([told.asked.join(names, on="run", how="semi"), nameless])
    return replace(
        told,
        states=int(column_of(runs, "states").sum()) + nameless.height,
        decisions=told.decisions.clear(),
        reactions=told.reactions.filter(_in_channels())
        if only == Only("origin", "channel")
        else told.reactions.clear(),
        feedback=told.feedback.join(names, on="run", how="semi"),
        recorded=told.recorded.join(names, on="run", how="semi"),
        runs=runs,
        asked=asked,
        cancels=cancels,
        refused=0,
    )


def _in_channels() -> pl.Expr:
    channel = pl.col("channel").cast(pl.String)
    return channel.str.starts_with("C") | channel.str.starts_with("G")


def models_of(told: Told) -> list[str]:
    """Every model that a run says it used, by name."""
    return sorted(column_of(told.runs, "model").drop_nulls().unique().cast(pl.String))
