"""Writes docs/performance.md from raw data that is kept: `./dev bench --write-docs`."""

from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure
from bench.kept_data import KEPT, Kept, newest
from bench.pipeline_figures import BEGUN, USUAL, by_section
from bench.report import number
from bench.suite import Measured
from bench.supervising.figures import by_section as supervisor_figures

PAGE = Path(__file__).parents[1] / "docs/performance.md"
WORDS = KEPT / "performance.in.md"
"""The page without its figures."""


def write() -> None:
    """Makes the page anew."""
    PAGE.write_text(page(), "utf-8")


def page() -> str:
    """The page, from the newest of what is kept."""
    kept = newest("bench-pipeline")
    sections = by_section([Measured(**each) for each in kept.runs])
    rates = [figure for found in sections.values() for figure in found if figure.name.startswith(BEGUN)]
    text = WORDS.read_text("utf-8")
    text = text.replace("<!-- where -->", _where(kept))
    text = text.replace("<!-- rates -->", "\n".join(_not_kept(rates)) or "Both kept every rate.")
    text = text.replace("<!-- figures -->", "\n\n".join(_table(*each) for each in sections.items()))
    return text.replace("<!-- supervisor -->", _supervisor())


def _supervisor() -> str:
    kept = newest("bench-supervisor")
    sections = supervisor_figures([Measured(**each) for each in kept.runs])
    return "\n\n".join([_where(kept), *(_alone(*each) for each in sections.items())])


def _alone(heading: str, figures: list[Figure]) -> str:
    """A table of what stands beside nothing but its goal."""
    lines = [f"### {heading}", "", "| | | goal | holds |", "|---|---|---|---|"]
    for figure in figures:
        holds = {True: "yes", False: "**no**", None: ""}[figure.holds]
        shown = f"{number(figure.value)} {figure.unit}".rstrip()
        lines.append(f"| {figure.name} | {shown} | {figure.goal or ''} | {holds} |")
    return "\n".join(lines)


def _where(kept: Kept) -> str:
    runs, facts = len(kept.runs), kept.machine
    of = "One run." if runs == 1 else f"The medians of {runs} runs."
    return (
        f"{kept.where('Measured')} {of} The machine's load before it began was {facts['load_before'][0]} "
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
