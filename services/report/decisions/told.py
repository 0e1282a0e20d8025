"""What was gathered, as rows: each event once, each run once, and what became of each stop."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import polars as pl

from services.report.decisions.baseline import MEASURED
from services.report.decisions.gathering import Gathered
from services.report.decisions.runs import runs_of
from services.report.decisions.stops import cancels_of

RUNS: Final = "runs"
"""Under which they stand on the shelf."""


@dataclass(frozen=True)
class Told:
    """All that a baseline is counted from."""

    runs: pl.LazyFrame
    """One row each. There may be many: whoever counts collects the columns that it looks at."""
    states: int
    """How many events tell of them."""
    decisions: pl.DataFrame
    """How many say the same, and so with reactions."""
    reactions: pl.DataFrame
    feedback: pl.DataFrame
    recorded: pl.DataFrame
    """The responder's own records of stops."""
    asked: pl.DataFrame
    """Requests to end runs."""
    cancels: pl.DataFrame
    refused: int


def told_by(gathered: Gathered) -> Told:
    """The same events give the same rows, in whatever order they came."""
    controls, recorded = gathered.controls.rows(), gathered.cancels.rows()
    runs, asked, states = _runs(gathered)
    return Told(
        runs=runs,
        states=states,
        decisions=gathered.decisions.counts(),
        reactions=gathered.reactions.counts(),
        feedback=gathered.feedback.rows(),
        recorded=recorded,
        asked=asked,
        cancels=cancels_of(recorded, asked, runs, controls),
        refused=controls.filter(~pl.col("permitted")).height,
    )


def _runs(gathered: Gathered) -> tuple[pl.LazyFrame, pl.DataFrame, int]:
    """The runs, the requests to end some, and how many events told of both."""
    asked, states, shelf = [], 0, gathered.room.shelf
    for part in gathered.states.parts():
        states += part.height
        asked.append(part.filter(pl.col("state") == "cancel_requested"))
        shelf.put(RUNS, runs_of(part))
    return shelf.rows(RUNS).with_columns(*_derived()), pl.concat(asked), states


def _derived() -> Iterator[pl.Expr]:
    """Columns that are worked out where they are looked at."""
    completed = pl.col("outcome") == "complete"
    yield from (pl.when(completed).then(pl.col(name)).alias(f"{name}_completed") for name in MEASURED)
    yield (pl.col("input_tokens") + pl.col("output_tokens").fill_null(0)).alias("tokens_each")
    yield pl.col("cost_nano").alias("cost_each")
