"""What the board of `threadline up` shows of what is known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.run import PhaseTimes, RunState, RunStateName, Usage
from threadline.board import runs
from threadline.board.facts import Facts, Happened, Heading, ServiceSeen
from threadline.board.log_lines import trouble_in
from threadline.board.measured import Pace, sums
from threadline.board.picture import picture
from threadline.board.runs import RunSeen
from threadline.board.tail import Tail

NOW = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
HEADING = Heading(
    model="rehearsal",
    folder="/home/mara/.threadline",
    chat="http://127.0.0.1:8585/",
    workspace="Acme (T0ACME)",
    channels={"C0SUPPORT": "#support"},
)
ROUTER = ServiceSeen(
    "router", "ready", "http://127.0.0.1:51199/health", lag=3, a_minute=24.0, memory=85_000_000, up_s=62.0
)
NAMES = ("postgres", "kafka", "slack-sim", "responder", "ingress")
SERVICES = (*(replace(ROUTER, name=name, lag=None) for name in NAMES), ROUTER)
RUN = RunSeen("8396e0dd-1", NOW - timedelta(seconds=9), "complete", "mention", "C0SUPPORT", None, 0.05, 1.07, (113, 40))


def facts(**more: object) -> Facts:
    known = Facts(NOW, 62.0, HEADING, SERVICES)
    return replace(known, **more)  # type: ignore[arg-type]  # by keyword


def text_of(known: Facts, width: int = 80, height: int = 24) -> list[str]:
    return ["".join(text for text, _ in line) for line in picture(known, width, height)]


def many(count: int) -> Facts:
    happened = tuple(Happened(NOW, "responder", "warning", f"trouble {each} " + "x" * 300) for each in range(count))
    return facts(runs=(RUN,) * count, happened=happened)


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 60), (40, 10), (20, 3), (120, 24)])
@pytest.mark.parametrize("count", [0, 1, 50])
def test_it_fits_into_the_terminal(width: int, height: int, count: int) -> None:
    shown = text_of(many(count), width, height)
    assert len(shown) <= height
    assert max(map(len, shown)) <= width


def test_a_small_terminal_shows_every_part() -> None:
    shown = text_of(many(50))
    assert shown[1] == "chat at http://127.0.0.1:8585/  Acme (T0ACME)"
    assert sum("8396e0dd" in line for line in shown) == 5
    assert [line.split()[3] for line in shown if "trouble" in line] == ["46", "47", "48", "49"]
    assert len(shown) == 24


def test_a_large_terminal_shows_more() -> None:
    shown = text_of(many(50), 200, 60)
    assert len(shown) == 60
    assert sum("trouble" in line for line in shown) == 12
    assert any("http://127.0.0.1:51199/health" in line for line in shown)


def test_a_service_is_a_line() -> None:
    (line,) = (line for line in text_of(facts()) if line.startswith("router"))
    assert line.split() == ["router", "ready", "3", "24", "85", "MB", "0:01:02", "127.0.0.1:51199"]


def test_it_says_where_agents_report() -> None:
    heading = replace(
        HEADING, agents="THREADLINE_AGENT_URL=http://127.0.0.1:3001", token="threadline token create acme"
    )
    shown = text_of(facts(heading=heading))
    assert shown[3] == "agents report with THREADLINE_AGENT_URL=http://127.0.0.1:3001"
    assert shown[4] == "token: threadline token create acme"
    assert not any("agents report" in line or "token:" in line for line in text_of(facts()))


def test_a_service_that_says_it_cannot_work_is_not_ready() -> None:
    shown = text_of(facts(services=(replace(ROUTER, unready="lanes: the broker is away"),)), 120)
    assert "not ready" in shown[5]
    assert shown[5].endswith("lanes: the broker is away")


def test_a_run_is_a_line_with_its_times_and_tokens() -> None:
    (line,) = (line for line in text_of(facts(runs=(RUN,))) if "8396e0dd" in line)
    assert line.split() == [
        "09:14:51",
        "8396e0dd",
        "mention",
        "#support",
        "answered",
        "0.05",
        "s",
        "1.07",
        "s",
        "113+40",
    ]


def test_a_run_under_way_says_for_how_long() -> None:
    (line,) = (line for line in text_of(facts(runs=(replace(RUN, state="start"),))) if "8396e0dd" in line)
    assert "answering" in line
    assert "9.00 s" in line


def test_nothing_asked_yet_says_what_to_do() -> None:
    assert any("mention Mara in #support" in line for line in text_of(facts()))
    starting = facts(services=(replace(ROUTER, condition="starting"),))
    assert any("everything starts" in line for line in text_of(starting))


def state(name: RunStateName, **more: object) -> RunState:
    where = {"run_id": "r1", "tenant_id": "acme", "connection": "A0:T0", "origin": "channel", "channel": "C0SUPPORT"}
    return RunState.model_validate({"at": NOW, "state": name, **where, **more})


def test_a_run_is_folded_from_its_records() -> None:
    known = runs.fold(runs.NONE, state("start", trigger="mention", received_at=NOW - timedelta(seconds=1)))
    phases, usage = PhaseTimes(first_token=0.5, last_token=1.5, finished=1.6), Usage(model="m", input_tokens=7)
    known = runs.fold(known, state("complete", phases=phases, usage=usage))
    known = runs.fold(known, state("cancel_requested"))
    begun = NOW - timedelta(seconds=1)
    assert runs.newest(known) == (
        RunSeen("r1", begun, "complete", "mention", "C0SUPPORT", None, 0.5, 1.6, (7, 0), "m"),
    )


def test_only_the_last_runs_are_known() -> None:
    known = runs.NONE
    for each in range(runs.MOST + 5):
        known = runs.fold(known, state("start", run_id=f"r{each}", received_at=NOW + timedelta(seconds=each)))
    assert len(known) == runs.MOST
    assert runs.newest(known)[0].run_id == f"r{runs.MOST + 4}"


def test_a_metric_is_summed_over_its_labels() -> None:
    page = '# HELP a b\na_total{kind="x"} 2.0\na_total{kind="y"} 3.0\na_total_more 9\nb 1.5\n'
    assert sums(page, ("a_total", "b", "c")) == {"a_total": 5.0, "b": 1.5}


def test_a_pace_is_of_the_last_minute_and_outlives_a_restart() -> None:
    pace = Pace()
    assert pace.a_minute() is None
    for moment, value in ((0.0, 100.0), (10.0, 104.0), (20.0, 2.0)):
        pace.hear(moment, value)
    assert pace.a_minute() == 6.0
    pace.hear(75.0, 2.0)
    assert pace.a_minute() == 2.0


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("13:21:24.123 WARNING services.a: it is slow run_id=1", ("warning", "it is slow run_id=1")),
        ("13:21:24.123 INFO    services.a: an error was expected", None),
        ("13:21:24.123 ERROR   aiokafka.consumer: Unable to connect", None),
        ('{"level": "error", "logger": "a", "message": "it failed"}', ("error", "it failed")),
        ("{ half", None),
        ("[main] ERROR kafka.Kafka - it failed", ("error", "kafka.Kafka - it failed")),
        ("2026-03-02 09:15:00.1 UTC [12] FATAL:  no more room", ("error", "no more room")),
        ("2026-03-02 09:15:00.1 UTC [12] STATEMENT:  select 'ERROR: secret'", None),
        ("ValueError: what somebody wrote", None),
    ],
)
def test_warnings_and_errors_are_found_in_logs(line: str, found: tuple[str, str] | None) -> None:
    assert trouble_in(line) == found


def test_a_tail_gives_whole_lines_that_came_since(tmp_path: Path) -> None:
    file = tmp_path / "a.log"
    file.write_text("old\n")
    tail = Tail.of(file)
    assert tail.lines() == []
    with file.open("a") as log:
        log.write("new\nha")
    assert tail.lines() == ["new"]
    with file.open("a") as log:
        log.write("lf\n")
    assert tail.lines() == ["half"]
    file.write_text("anew\n")
    assert tail.lines() == ["anew"]


def test_a_log_that_is_not_there_yet_is_read_from_its_beginning(tmp_path: Path) -> None:
    tail = Tail.of(tmp_path / "a.log")
    assert tail.lines() == []
    (tmp_path / "a.log").write_text("first\n")
    assert tail.lines() == ["first"]
