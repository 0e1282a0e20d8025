"""Writes docs/performance.md from raw data that is kept: `./dev bench --write-docs`."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.figure import Figure
from bench.pipeline_figures import BEGUN, USUAL, by_section
from bench.report import number
from bench.suite import Measured

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/performance.md"
KEPT = ROOT / "bench/kept"
WORDS = KEPT / "performance.in.md"
"""The page without its figures."""


def write() -> None:
    """Makes the page anew."""
    PAGE.write_text(page(), "utf-8")


def page() -> str:
    """The page, from the newest of what is kept."""
    raw_file = max(KEPT.glob("bench-pipeline-*.json"))
    raw = json.loads(raw_file.read_text("utf-8"))
    measured = [Measured(**each) for each in raw["runs"]]
    sections = by_section(measured)
    rates = [figure for found in sections.values() for figure in found if figure.name.startswith(BEGUN)]
    text = WORDS.read_text("utf-8")
    text = text.replace("<!-- where -->", _where(raw_file, raw["machine"], len(measured)))
    text = text.replace("<!-- rates -->", "\n".join(_not_kept(rates)) or "Both kept every rate.")
    return text.replace("<!-- figures -->", "\n\n".join(_table(*each) for each in sections.items()))


def _where(raw_file: Path, facts: dict[str, Any], runs: int) -> str:
    at = datetime.strptime(raw_file.stem.rpartition("-")[2], "%Y%m%dT%H%M%S%z")
    of = "one run" if runs == 1 else f"the medians of {runs} runs"
    return (
        f"Measured on {at:%Y-%m-%d}: {facts['cores']} cores ({facts['processor']}), {facts['memory_gib']} GiB, "
        f"Python {facts['python']}, {of}. The machine's load before it began was {facts['load_before'][0]} "
        f"on {facts['cores']} cores: above 0.5 it had other things to do, and every figure is the worse for it."
    )


def _not_kept(rates: list[Figure]) -> Iterator[str]:
    """A queue that grows makes waits that say how long the load lasted, and nothing else."""
    for figure in rates:
        bound = figure.goal.bound if figure.goal else 0.0
        load = figure.name.removeprefix(f"{BEGUN} at ")
        beside = [(USUAL, figure.peer.value)] if figure.peer else []
        for side, value in [("Threadline", figure.value), *beside]:
            if value < bound:
                yield f"- {side} did not keep {load}: it began {number(value)} answers a second, and a queue grew."


def _table(heading: str, figures: list[Figure]) -> str:
    lines = [f"### {heading}", "", f"| | Threadline | goal | {USUAL} | holds |", "|---|---|---|---|---|"]
    for figure in figures:
        beside = f"{number(figure.peer.value)} {figure.unit}" if figure.peer else ""
        holds = {True: "yes", False: "**no**", None: ""}[figure.holds]
        shown = f"{number(figure.value)} {figure.unit}"
        ours, theirs = ("", shown) if f"({USUAL})" in figure.name else (shown, beside)
        name = figure.name.removesuffix(f" ({USUAL})")
        lines.append(f"| {name} | {ours} | {figure.goal or ''} | {theirs} | {holds} |")
    return "\n".join(lines)
