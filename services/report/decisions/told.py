"""What was gathered, as rows: each event once, each run once, and what became of each stop."""

from dataclasses import dataclass

import polars as pl

from services.report.decisions.baseline import MEASURED
from services.report.decisions.gathering import Gathered
from services.report.decisions.runs import runs_of
from services.report.decisions.stops import cancels_of


@dataclass(frozen=True)
class Told:
    """All that a baseline is counted from."""

    states: pl.DataFrame
    decisions: pl.DataFrame
    reactions: pl.DataFrame
    feedback: pl.DataFrame
    recorded: pl.DataFrame
    """The responder's own records of stops."""
    runs: pl.DataFrame
    asked: pl.DataFrame
    """Requests to end runs."""
    cancels: pl.DataFrame
    refused: int


def told_by(gathered: Gathered) -> Told:
    """The same events give the same rows, in whatever order they came."""
    states, controls, recorded = gathered.states.rows(), gathered.controls.rows(), gathered.cancels.rows()
    runs = runs_of(states)
    completed = pl.col("outcome") == "complete"
    tokens = pl.col("input_tokens") + pl.col("output_tokens").fill_null(0)
    runs = runs.with_columns(
        *(pl.when(completed).then(pl.col(name)).alias(f"{name}_completed") for name in MEASURED),
        tokens.alias("tokens_each"),
        pl.col("cost_nano").alias("cost_each"),
    )
    asked = states.filter(pl.col("state") == "cancel_requested")
    return Told(
        states=states,
        decisions=gathered.decisions.rows(),
        reactions=gathered.reactions.rows(),
        feedback=gathered.feedback.rows(),
        recorded=recorded,
        runs=runs,
        asked=asked,
        cancels=cancels_of(recorded, asked, runs, controls),
        refused=controls.filter(~pl.col("permitted")).height,
    )
