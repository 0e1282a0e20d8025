"""The harness itself: what it measures, and that it cannot flatter."""

import asyncio
import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench.__main__ import SUITES
from bench.figure import Figure, Goal, Peer, percentile
from bench.load import open_loop
from bench.report import Report, keep_raw
from bench.suite import Measured

ROOT = Path(__file__).parents[2]


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(1, 100))
def test_a_percentile_is_a_sample_that_enough_others_do_not_exceed(samples: list[float], percent: float) -> None:
    found = percentile(samples, percent)
    assert found in samples
    assert sum(sample <= found for sample in samples) * 100 >= percent * len(samples) - 1e-6
    assert percentile(samples, 100) == max(samples)


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


async def test_a_stall_is_charged_to_everybody_who_came_while_it_lasted() -> None:
    free = asyncio.Lock()

    async def call(number: int) -> None:
        async with free:
            await asyncio.sleep(0.3 if number == 0 else 0)

    outcome = await open_loop(rate=100, count=20, call=call)
    assert sum(latency > 100 for latency in outcome.latencies_ms) >= 15


async def test_load_goes_on_whatever_becomes_of_a_call_and_failures_are_told() -> None:
    async def call(number: int) -> None:
        if number % 2:
            raise RuntimeError("odd")

    outcome = await open_loop(rate=1000, count=10, call=call)
    assert outcome.failures == ["RuntimeError: odd"] * 5
    assert len(outcome.latencies_ms) == 5
    assert len(outcome.late_starts_ms) == 10


@pytest.mark.parametrize(
    ("figure", "holds"),
    [
        (Figure("f", "ms", (1.0, 5.0, 2.0)), None),
        (Figure("f", "ms", (1.0, 5.0, 2.0), Goal("<=", 2)), True),
        (Figure("f", "ms", (1.0, 5.0, 2.0), Goal("<=", 1.9)), False),
        (Figure("f", "ms", (4.0,), peer=Peer("p", 2.0), ratio_goal=Goal("<=", 2)), True),
        (Figure("f", "ms", (4.0,), peer=Peer("p", 1.0), ratio_goal=Goal("<=", 2)), False),
        (Figure("f", "ms", (4.0,), peer=Peer("p", 0.0), ratio_goal=Goal("<=", 2)), False),
        (Figure("f", "", (0.0,), Goal("==", 0)), True),
    ],
)
def test_a_figure_holds_where_its_median_keeps_every_goal(figure: Figure, holds: bool | None) -> None:
    assert figure.holds is holds


def test_a_report_says_the_same_to_people_and_to_machines(tmp_path: Path) -> None:
    figures = [
        Figure("slow", "ms", (9.0,), Goal("<=", 3), Peer("floor", 1.5)),
        Figure("fine", "events", (7.0,), Goal(">=", 1)),
    ]
    facts = {"cores": 2, "memory_gib": 24, "processor": "p", "python": "3", "load_before": [0.1]}
    report = Report(SUITES[0], datetime(2026, 3, 2, tzinfo=UTC), 7, facts, figures, tmp_path / "raw.json")
    console = Console(width=150, file=io.StringIO(), record=True)
    report.print(console)
    text, found = console.export_text(), json.loads(json.dumps(report.as_json()))
    assert found["holds"] is False
    assert [figure["holds"] for figure in found["figures"]] == [False, True]
    assert found["figures"][0]["peer"] == {"name": "floor", "value": 1.5, "unit": "ms"}
    assert "6.00 × floor (1.50 ms)" in text
    assert "NO" in text


def test_raw_data_is_kept(tmp_path: Path) -> None:
    keep_raw(tmp_path / "deep/raw.json", {"cores": 2}, [Measured({"f": 1.0}, {"samples": [1.0, 2.0]})])
    assert json.loads((tmp_path / "deep/raw.json").read_text())["runs"][0]["raw"] == {"samples": [1.0, 2.0]}


@pytest.mark.parametrize("kind", ["bench", "chaos"])
def test_a_suite_that_is_not_there_is_answered_with_those_that_are(kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", kind, "nonsense"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"./dev {kind} broker" in done.stderr
