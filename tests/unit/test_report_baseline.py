"""A baseline is what a second, plain count says; in any order, in any batches, with anything met twice."""

from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.report.adapters.shelf import Folder, NoRoom, shelf
from services.report.decisions.baseline import Baseline
from services.report.decisions.composing import Wanted, baseline_of
from services.report.decisions.gathering import Gathered
from services.report.decisions.heap import Room
from services.report.decisions.names import Hashed, Revealed
from services.report.decisions.opening import Sealed, opened
from services.report.decisions.restricting import Only
from tests.report import naive
from tests.report.log import events, value_of

RUN = {"type": "run.state", "at": "2026-03-02T09:15:00Z", "run_id": "one", "state": "start"}

Said = tuple[str, dict[str, Any]]

logs = st.lists(st.tuples(st.integers(0, 99).map(lambda number: f"id-{number}"), events), max_size=40)


def said_once(log: list[Said]) -> list[Said]:
    """An id belongs to one event."""
    first: dict[str, dict[str, Any]] = {}
    return [(event_id, first.setdefault(event_id, event)) for event_id, event in log]


def report(
    log: list[Said],
    batches: int = 1,
    wanted: Wanted = Wanted(Revealed()),  # noqa: B008 - frozen
    room: Room | None = None,
) -> Baseline:
    gathered = Gathered(room)
    size = max(1, -(-len(log) // batches))
    for begin in range(0, len(log), size):
        part = log[begin : begin + size]
        gathered.add(opened(Sealed([name for name, _ in part], [value_of(each) for _, each in part], lambda _: None)))
    return baseline_of(gathered, wanted)


def compared(made: Baseline) -> dict[str, Any]:
    """In the form of the plain count."""
    found = made.model_dump(mode="python")
    log = found["log"]
    stops = found["stops"]
    return {
        "log": {name: log[name] for name in ("first", "last", "events", "repeats", "types", "clock_jumps")},
        **{name: found[name] for name in ("outcomes", "errors", "usage", "phases", "sessions", "feedback")},
        "groupings": {each["by"]: each["largest"] for each in found["groupings"]},
        "stops": {
            **{name: value for name, value in stops.items() if name != "spread_ms"},
            "window": stops["window"]["seconds"],
        },
        "reactions": {
            name: found["reactions"][name] for name in ("matches", "skips", "match_rate", "skip_reasons", "by_rule")
        },
        "throttles": {name: found["throttles"][name] for name in ("throttled", "by_bucket", "told_by", "by_tenant")},
        "decisions": {name: found["decisions"][name] for name in ("kinds", "ignored_reasons")},
    }


def listed(value: Any) -> Any:
    """Tuples as lists."""
    if isinstance(value, dict):
        return {name: listed(each) for name, each in value.items()}
    return [listed(each) for each in value] if isinstance(value, list | tuple) else value


@given(logs, st.sampled_from([None, 0.5, 30.0]))
def test_a_plain_count_says_the_same(log: list[Said], window: float | None) -> None:
    log = said_once(log)
    wanted = naive.baseline(log, window)
    assert listed(compared(report(log, wanted=Wanted(Revealed(), window)))) == listed(wanted)


@given(logs, st.integers(1, 7), st.randoms(use_true_random=False))
def test_order_batches_and_repeats_change_nothing_but_the_count_of_repeats(
    log: list[Said], batches: int, chance: Random
) -> None:
    log = said_once(log)
    made = report(log)
    shuffled = chance.sample(log, len(log))
    assert report(shuffled, batches).model_dump_json() == made.model_dump_json()
    doubled = report(log + shuffled[: len(log) // 2], batches)
    assert doubled.log.events == made.log.events
    assert doubled.model_copy(update={"log": made.log}).model_dump_json() == made.model_dump_json()


@given(logs)
def test_an_id_that_two_events_have_is_counted_once_whichever_comes_first(log: list[Said]) -> None:
    same = [("the same", event) for _, event in log if event["type"] == "reaction.skip"]
    assert report(same).model_dump_json() == report(same[::-1]).model_dump_json()
    assert report(same).reactions.skips == min(1, len(same))


def test_no_log_at_all_is_a_report() -> None:
    made = report([])
    assert (made.log.events, made.outcomes.runs, made.stops.requests, made.log.first) == (0, 0, 0, None)
    assert made.outcomes.completion_rate is None
    assert all(phase.seconds.p50 is None for phase in made.phases)


def test_ids_are_hashed_by_key_and_kept_apart() -> None:
    start = {"type": "run.state", "state": "start", "run_id": "run-1", "at": "2026-03-02T09:15:00Z"}
    log: list[Said] = [
        ("1", {**start, "tenant_id": "acme", "channel": "C1", "session": "T1:C1:1.0", "agent_id": "mara"}),
        ("2", {"type": "reaction.match", "at": start["at"], "rule_name": "greet", "tenant_id": "acme"}),
    ]
    one, same, other = (
        report(log, wanted=Wanted(Hashed(key, kept=True))).model_dump_json()
        for key in (b"k" * 16, b"k" * 16, b"o" * 16)
    )
    assert one == same != other
    for name in ("acme", "C1", "T1:C1:1.0", "mara", "greet"):
        assert f'"{name}"' not in one
        assert f'"{name}"' in report(log).model_dump_json()


@pytest.mark.parametrize("phase", ["first_token", "finished"])
def test_percentiles_are_values_that_were_seen(phase: str) -> None:
    start = {"type": "run.state", "state": "complete", "at": "2026-03-02T09:15:00Z"}
    log: list[Said] = [
        (f"{number}", {**start, "run_id": f"run-{number}", "phases": {phase: number / 10}}) for number in range(1, 101)
    ]
    [found] = [each.seconds for each in report(log).phases if each.name == phase]
    assert (found.count, found.p50, found.p95, found.p99) == (100, 5.0, 9.5, 9.9)


def test_a_clock_that_was_wrong_does_not_make_one_column_of_all_others() -> None:
    def start(number: int, at: str) -> Said:
        return f"{number}", {"type": "run.state", "state": "start", "run_id": f"run-{number}", "at": at}

    log = [start(number, f"2026-03-02T09:{number % 60:02}:00Z") for number in range(400)]
    strange = [start(1000, "1970-01-01T00:00:07Z"), start(1001, "2099-12-31T00:00:00Z")]
    made = report([*log, *strange]).timeline
    assert (made.span_s, len(made.columns), made.outside) == (60, 60, 2)
    assert sum(column.open for column in made.columns) == 400


def test_what_a_log_does_not_say_is_named() -> None:
    log: list[Said] = [
        ("1", {"type": "run.state", "state": "complete", "run_id": "run-1", "at": "2026-03-02T09:15:00Z"}),
        ("2", {"type": "run.state", "state": "cancel_requested", "run_id": "run-1", "at": "2026-03-02T09:15:00Z"}),
    ]
    missing = {each.what: (each.without, each.of) for each in report(log).log.missing}
    assert missing["runs whose start is not in the log"] == (1, 1)
    assert missing["ended runs without phases"] == (1, 1)
    assert missing["stops that only the run's states tell of"] == (1, 1)


def test_the_window_is_chosen_by_what_is_usual() -> None:
    def cancel(number: int, milliseconds: float) -> Said:
        return f"{number}", {
            "type": "run.cancel",
            "run_id": f"run-{number}",
            "at": "2026-03-02T09:15:00Z",
            "requested": True,
            "acknowledged": True,
            "latency_ms": milliseconds,
            "source": "button",
        }

    usual = [cancel(number, 100.0 + number) for number in range(95)]
    late = [cancel(number, 900_000.0) for number in range(95, 99)]
    stops = report([*usual, *late]).stops
    assert (stops.window.seconds, stops.window.chosen, stops.in_time, stops.late) == (1, "by itself", 95, 4)
    assert stops.latency_ms.p50 == 147.0
    given = report([*usual, *late], wanted=Wanted(Revealed(), 1000.0)).stops
    assert (given.window.chosen, given.in_time, given.late) == ("given", 99, 0)
    assert report(usual[:19]).stops.window.seconds == 60


@given(
    logs.map(said_once),
    st.integers(1, 5),
    st.sampled_from([None, Only("origin", "channel"), Only("model", "openai:gpt")]),
)
def test_what_goes_to_disk_on_the_way_changes_nothing(log: list[Said], batches: int, only: Only | None) -> None:
    wanted = Wanted(Revealed(), only=only)
    with shelf() as folder:
        assert report(log, batches, wanted, Room(folder, held=300)) == report(log, 1, wanted)


def test_a_disk_that_is_full_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    with pytest.raises(NoRoom, match="TMPDIR names another place"):
        report([("1", RUN), ("2", {**RUN, "run_id": "other"})], room=Room(Folder(folder), held=0))


def test_nothing_is_kept_of_an_event_but_what_is_counted() -> None:
    gathered = Gathered()
    value = value_of({"type": "reaction.skip", "at": "2026-03-02T09:15:00Z", "reason": "channel", "secret": "x"})
    gathered.add(opened(Sealed(["1"], [value], lambda _: None)))
    kept = gathered.reactions.rows()
    assert kept.schema["id"] == pl.UInt64
    assert "secret" not in kept.columns


@given(logs, st.sampled_from(["channel", "dm", "gateway"]))
def test_a_baseline_of_one_origin_is_that_of_a_log_which_holds_no_other(log: list[Said], origin: str) -> None:
    of_runs = {
        name: {**event, "origin": origin} for name, event in log if event["type"] == "run.state" and event.get("run_id")
    }
    known = {event["run_id"] for event in of_runs.values() if event["state"] != "cancel_requested"}
    alone = [(name, event) for name, event in of_runs.items() if event["run_id"] in known]
    other = "dm" if origin == "gateway" else "gateway"
    others = [
        (f"other {name}", {**event, "run_id": f"other {event['run_id']}", "origin": other}) for name, event in alone
    ]
    only = Wanted(Revealed(), 30.0, Only("origin", origin))
    wanted, made = report(alone, wanted=only), report([*others, *alone], wanted=only)
    plain = report(alone, wanted=Wanted(Revealed(), 30.0))
    assert made == wanted
    assert made.model_copy(update={"log": plain.log}) == plain
    assert made.log.model_copy(update={"only": None}) == plain.log
