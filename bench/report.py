"""Tells what came of a suite: a table for people, one JSON object for machines, and the raw data in a file."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figure import Figure
from bench.suite import Measured, Suite


@dataclass(frozen=True)
class Report:
    """A suite that was run."""

    suite: Suite
    at: datetime
    seed: int
    machine: dict[str, Any]
    figures: list[Figure]
    raw_file: Path

    @property
    def holds(self) -> bool:
        """Whether no goal was missed."""
        return all(figure.holds is not False for figure in self.figures)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "suite": self.suite.name,
            "kind": self.suite.kind,
            "at": self.at.isoformat(),
            "seed": self.seed,
            "machine": self.machine,
            "figures": [figure.as_json() for figure in self.figures],
            "holds": self.holds,
            "raw": str(self.raw_file),
        }

    def print(self, console: Console) -> None:
        """For people."""
        table = Table("figure", "value", "runs", "goal", "beside it", "holds", box=None, pad_edge=False)
        for figure in self.figures:
            table.add_row(
                figure.name,
                f"{number(figure.value)} {figure.unit}",
                _spread(figure),
                str(figure.goal or (f"{figure.ratio_goal} ×" if figure.ratio_goal else "")),
                _beside(figure),
                {True: "yes", False: "NO", None: ""}[figure.holds],
            )
        console.print(f"{self.suite.kind} {self.suite.name}: {self.suite.what}", soft_wrap=True)
        machine = self.machine
        console.print(
            f"{machine['cores']} cores, {machine['memory_gib']} GiB, {machine['processor']}, "
            f"Python {machine['python']}; load before {machine['load_before'][0]}; "
            f"{_runs(len(self.figures[0].values))}; seed {self.seed}",
            soft_wrap=True,
        )
        console.print(table)
        console.print(f"raw data: {self.raw_file}", soft_wrap=True)


def keep_raw(path: Path, machine: dict[str, Any], measured: list[Measured]) -> None:
    """Writes every sample of every run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine, "runs": [asdict(each) for each in measured]}))


def _runs(count: int) -> str:
    return "one run" if count == 1 else f"median of {count} runs"


def _spread(figure: Figure) -> str:
    return f"{number(min(figure.values))} to {number(max(figure.values))}" if len(figure.values) > 1 else ""


def _beside(figure: Figure) -> str:
    if figure.peer is None or figure.ratio is None:
        return ""
    return f"{figure.ratio:.2f} × {figure.peer.name} ({number(figure.peer.value)} {figure.unit})"


def number(value: float) -> str:
    """As people read it."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.2f}"  # noqa: PLR2004 - digits
