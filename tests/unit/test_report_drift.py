"""What moved from one baseline to another, whether it matters, and whether it is noise."""

import json
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.report.adapters.thresholds import NoThresholds, thresholds
from services.report.decisions.baseline import Baseline
from services.report.decisions.drift import Change, Drift
from services.report.decisions.drift_markdown import drift_markdown
from services.report.decisions.drifting import drift_of
from tests.report.log import events
from tests.unit.test_report_baseline import Said, report, said_once

SHIPPED = thresholds(None)


def ended(number: int, state: str = "complete", *, first: float = 1.0, **more: Any) -> Said:
    event = {
        "type": "run.state",
        "at": "2026-03-02T09:15:00Z",
        "run_id": f"run-{number}",
        "state": state,
        "origin": "dm",
        **more,
    }
    if state == "complete":
        event["phases"] = {"first_token": first}
        event["usage"] = {"model": "rehearsal", "input_tokens": 100, "output_tokens": 10}
    return f"{number}", event


def of(failed: int, every: int) -> Baseline:
    return report([ended(number, "error" if number < failed else "complete") for number in range(every)])


def timed(seconds: Iterable[float]) -> Baseline:
    return report([ended(number, first=value) for number, value in enumerate(seconds)])


def change(drift: Drift, measure: str, by: str | None = None) -> Change:
    [found] = [each for each in drift.changes if (each.measure, each.by) == (measure, by)]
    return found


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        ((10, 1000), (60, 1000), "worse"),
        ((60, 1000), (10, 1000), "better"),
        ((10, 1000), (10, 1000), "small"),
        ((1000, 100_000), (1500, 100_000), "small"),  # surely more, and too little to matter
        ((1, 40), (4, 40), "noise"),
        ((0, 19), (19, 19), "too_few"),
        ((0, 20), (20, 20), "worse"),
    ],
)
def test_a_rate_is_worse_beyond_its_threshold_and_beyond_noise(
    before: tuple[int, int], after: tuple[int, int], verdict: str
) -> None:
    found = change(drift_of(of(*before), of(*after), SHIPPED), "error")
    assert found.verdict == verdict
    assert found.moved == pytest.approx(after[0] / after[1] - before[0] / before[1], abs=1e-6)


def test_a_slower_percentile_is_found_and_one_that_chance_moved_is_not() -> None:
    chance = Random(3)
    slow, usual, again = ([factor * chance.lognormvariate(0, 0.7) for _ in range(900)] for factor in (2, 1, 1))
    worse = drift_of(timed(usual), timed(slow), SHIPPED)
    assert change(worse, "first_token_p50").verdict == "worse"
    assert change(worse, "first_token_p95").verdict == "worse"
    assert change(drift_of(timed(slow), timed(usual), SHIPPED), "first_token_p95").verdict == "better"
    assert change(worse, "first_token_p50", "origin").verdict == "worse"
    assert drift_of(timed(usual), timed(again), SHIPPED).worse == 0


def test_a_percentile_of_few_runs_has_no_limit_that_could_tell() -> None:
    found = drift_of(timed([1.0] * 100), timed([9.0] * 100), SHIPPED)
    assert change(found, "first_token_p50").verdict == "worse"
    assert change(found, "first_token_p99").verdict == "too_few"
    assert change(found, "first_token_p99").beyond_noise is None


@given(st.lists(st.tuples(st.integers(0, 99).map(str), events), max_size=40))
def test_a_baseline_beside_itself_has_moved_nowhere(log: list[Said]) -> None:
    made = report(said_once(log))
    found = drift_of(made, made, SHIPPED)
    assert (found.worse, found.better, found.moved) == (0, 0, 0)
    assert found.not_compared == ()
    assert all(each.moved in {0, None} for each in found.changes)
    assert Drift.model_validate_json(found.model_dump_json()) == found


@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 60), st.integers(1, 60))
def test_there_and_back_is_judged_the_same(failed: int, every: int, later: int, of_later: int) -> None:
    before, after = of(min(failed, every), every), of(min(later, of_later), of_later)
    there, back = (change(drift_of(*pair, SHIPPED), "completion") for pair in ((before, after), (after, before)))
    assert there.p == back.p
    assert there.beyond_noise == back.beyond_noise
    opposite = {"worse": "better", "better": "worse"}
    assert opposite.get(there.verdict, there.verdict) == back.verdict


def test_what_only_one_side_has_is_named() -> None:
    before = report([ended(number, origin="dm") for number in range(30)])
    after = report([ended(number, origin="channel") for number in range(30)])
    found = drift_of(before, after, SHIPPED)
    assert "origin dm: only before" in found.not_compared
    assert "origin channel: only after" in found.not_compared
    assert {each.by for each in found.changes} == {None, "model"}
    assert "origin dm: only before" in drift_markdown(found)


def test_an_older_baseline_without_limits_is_named_and_not_guessed() -> None:
    made = timed([1.0] * 50)
    lacking = {"p50_between", "p95_between", "p99_between"}
    old = made.model_dump(mode="json")
    for phase in old["phases"]:
        for name in lacking:
            del phase["seconds"][name]
    del old["usage"]["tokens_each"]
    before = Baseline.model_validate_json(json.dumps(old))
    found = drift_of(before, timed([9.0] * 50), SHIPPED)
    assert change(found, "first_token_p50").verdict == "too_few"
    assert any("older version" in each for each in found.not_compared)


def test_a_file_names_only_what_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("rates:\n  error: {points: 10}\n")
    mine = thresholds(file)
    assert mine.rates["error"].points == 10
    assert mine.rates["error"].worse == "up"
    assert mine.percentiles == SHIPPED.percentiles
    file.write_text("")
    assert thresholds(file) == SHIPPED


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rates: {eror: {worse: up, points: 1}}", "eror"),
        ("rates: {error: {points: -1}}", "greater than or equal to 0"),
        ("rates: {error: {worse: sideways}}", "rates.error.worse"),
        ("fewest: many", "fewest"),
        ("a: [", "no YAML, in line"),
        ("- 1", "all of it"),
    ],
)
def test_thresholds_that_make_no_sense_are_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    with pytest.raises(NoThresholds, match=said):
        thresholds(file)
