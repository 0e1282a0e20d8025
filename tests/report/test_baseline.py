"""The same log gives the same bytes: from topics, lines or columns, over any partitions, in any order, twice."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from bench.beds.audit_log import records
from schemas.lines import Kept
from services.kit.groups import KafkaSettings
from services.kit.settings import child_environment
from services.report.adapters import exporting, sources
from services.report.decisions.baseline import Baseline
from tests.commands import Command
from tests.conftest import fresh, topics_of
from tests.report import naive
from tests.report.log import put

ROOT = Path(__file__).parents[2]
KEY = "a key that is kept"


def files_in(folder: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def rubbish_into(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b'\n{"topic":"audit.runs","part\n[]\n')


def recorded_from_a_demo() -> list[Kept]:
    """As `threadline demo --record` left it."""
    return [
        each
        for batch in sources.records(ROOT / "docs/artifacts/usual-1.parquet")
        for _, each in batch
        if isinstance(each, Kept)
    ]


@pytest.mark.parametrize("read", [lambda: list(records(3000)), recorded_from_a_demo], ids=["synthetic", "a demo"])
async def test_every_source_gives_the_same_bytes(
    topics: KafkaSettings, command: Command, tmp_path: Path, read: Callable[[], list[Kept]]
) -> None:
    log = read()
    third = len(log) // 3
    await put(topics, log)
    exporting.write(tmp_path / "one.jsonl", [log[:third]])
    exporting.write(tmp_path / "two.parquet", [log[third : 2 * third], log[2 * third :]])
    exporting.write(tmp_path / "whole.jsonl", [log[::-1]])
    said = await command("baseline", "--out", "from-topics", given=topics, key=KEY)
    assert f"{len(log)} events" in said
    await command("baseline", "--out", "again", given=topics, key=KEY)
    await command("baseline", "two.parquet", "one.jsonl", "--out", "from-files", key=KEY)
    await command("baseline", "whole.jsonl", "--out", "from-lines", key=KEY)
    wanted = files_in(tmp_path / "from-topics")
    assert sorted(wanted) == ["baseline.html", "baseline.json", "baseline.md"]
    for folder in ("again", "from-files", "from-lines"):
        assert files_in(tmp_path / folder) == wanted, folder
    other = fresh(topics.kafka_brokers).model_copy(update={"topic_partitions": 7})
    async with topics_of(other):
        await put(other, log)
        await command("baseline", "--out", "others", given=other, key=KEY)
    assert files_in(tmp_path / "others") == wanted
    twice = await command("baseline", "one.jsonl", "whole.jsonl", "--format", "json", key=KEY)
    assert json.loads(twice)["log"]["repeats"] == third
    assert json.loads(twice)["outcomes"] == json.loads(wanted["baseline.json"])["outcomes"]


async def test_the_numbers_are_those_of_a_plain_count_and_keep_to_the_schema(command: Command, tmp_path: Path) -> None:
    log = list(records(2000))
    exporting.write(tmp_path / "log.parquet", [log])
    made = json.loads(await command("baseline", "log.parquet", "--format", "json", "--reveal"))
    wanted = naive.baseline((dict(each.headers)["ce_id"].decode(), json.loads(each.value or b"")) for each in log)  # type: ignore[union-attr]  # they have one
    for name in ("outcomes", "errors", "usage", "phases", "sessions", "feedback"):
        assert made[name] == wanted[name], name
    assert made["stops"]["latency_ms"] == wanted["stops"]["latency_ms"]
    assert made["reactions"]["skip_reasons"] == wanted["reactions"]["skip_reasons"]
    jsonschema.validate(made, json.loads((ROOT / "docs/reference/baseline.schema.json").read_text()))
    assert Baseline.model_validate_json(json.dumps(made)).model_dump(mode="json") == made


async def test_a_folder_that_cannot_be_written_is_told(command: Command, tmp_path: Path) -> None:
    exporting.write(tmp_path / "log.jsonl", [list(records(100))])
    assert "cannot be written" in await command("baseline", "log.jsonl", "--out", "log.jsonl/reports", code=1)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
async def test_whoever_ends_it_finds_nothing_of_it(tmp_path: Path, sent: signal.Signals) -> None:
    exporting.write(tmp_path / "log.jsonl", [list(records(4000))] * 60)
    kept = tmp_path / "kept"
    kept.mkdir()
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", "report", "baseline", "log.jsonl", "--out", "out"),
        env=child_environment({"TMPDIR": str(kept), "THREADLINE_HOME": str(tmp_path / "home")}),
        cwd=tmp_path,
        stderr=asyncio.subprocess.PIPE,
    )
    while not any(kept.iterdir()):  # noqa: ASYNC110 - another process makes it
        await asyncio.sleep(0.01)
    program.send_signal(sent)
    _, said = await program.communicate()
    assert (program.returncode, said.decode().strip()) == (1, "threadline: interrupted; nothing was written")
    assert list(kept.iterdir()) == []
    assert not (tmp_path / "out").exists()


async def test_ids_are_hidden_unless_they_are_revealed(command: Command, tmp_path: Path) -> None:
    exporting.write(tmp_path / "log.jsonl", [list(records(500))])
    (tmp_path / "key").write_text(KEY)
    hashed = await command("baseline", "log.jsonl", key=KEY)
    assert await command("baseline", "log.jsonl", "--key-file", "key") == hashed
    assert "hashed with the operator's key" in hashed
    revealed = await command("baseline", "log.jsonl", "--reveal", key=KEY)
    for name in ("acme", "mara", "T0ACME", "greet-newcomers"):
        assert name in revealed
        assert name not in hashed
    assert KEY not in hashed + revealed
    unkept = await command("baseline", "log.jsonl", "--out", "report")
    assert "a key made for this report" in unkept
    assert "kept nowhere" in (tmp_path / "report/baseline.md").read_text()
    assert "kept nowhere" in (tmp_path / "report/baseline.html").read_text()


async def test_what_is_left_out_is_counted_in_the_report_and_named_beside_it(command: Command, tmp_path: Path) -> None:
    log = list(records(300))
    odd = [replace(log[0], value=b"{"), replace(log[1], value=None), replace(log[2], value=b'{"type":"run.dreams"}')]
    exporting.write(tmp_path / "log.jsonl", [[*odd, *log[3:]]])
    rubbish_into(tmp_path / "log.jsonl")
    said = await command("baseline", "log.jsonl", "--out", "report")
    assert "left out: lines that are no JSON, such as half-written ones: 2" in said
    named = (tmp_path / "report/left-out.txt").read_text().splitlines()
    count = len(log)
    assert named == [
        *("log.jsonl:1: unreadable", "log.jsonl:2: unreadable", "log.jsonl:3: unknown_event"),
        *(f"log.jsonl:{count + 2}: half_a_line", f"log.jsonl:{count + 3}: half_a_line"),
    ]
    made = json.loads((tmp_path / "report/baseline.json").read_text())
    assert {each["name"]: each["count"] for each in made["log"]["left_out"]} == {
        "unreadable": 2,
        "half_a_line": 2,
        "unknown_event": 1,
    }
    assert "lines that are no JSON, such as half-written ones: 2" in (tmp_path / "report/baseline.md").read_text()


async def test_an_old_log_without_newer_events_is_reported_with_what_it_lacks(command: Command, tmp_path: Path) -> None:
    old = []
    for each in records(900):
        event = json.loads(each.value or b"")
        if event["type"] != "run.state":
            continue
        for newer in ("phases", "usage", "session", "stop_id", "origin", "received_at"):
            event.pop(newer)
        old.append(replace(each, value=json.dumps(event).encode()))
    exporting.write(tmp_path / "old.jsonl", [old])
    said = await command("baseline", "old.jsonl")
    assert "ended runs without phases" in said
    assert "runs without a thread" in said
    assert "stops that only the run's states tell of" in said
    made = json.loads(await command("baseline", "old.jsonl", "--format", "json"))
    assert made["outcomes"]["completed"] > 50
    assert made["stops"]["cancels"] == made["outcomes"]["cancelled"] > 0
    assert made["phases"][-1]["seconds"]["count"] == made["outcomes"]["completed"], "from the states' own times"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("log.jsonl", "--format", "pdf"), "there are md, json and html"),
        (("log.csv",), "neither .jsonl nor .parquet"),
        (("none.jsonl",), "there is no file none.jsonl"),
        (("none.jsonl", "--key-file", "none"), "the key in none cannot be read"),
        (("none.jsonl", "--key-file", "short"), "could be guessed"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    command: Command, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    (tmp_path / "short").write_text("short")
    assert said in await command("baseline", *arguments, code=1)


async def test_a_short_key_in_the_settings_is_refused_and_not_shown(command: Command, tmp_path: Path) -> None:
    exporting.write(tmp_path / "log.jsonl", [])
    said = await command("baseline", "log.jsonl", key="too-short", code=1)
    assert "THREADLINE_REPORT_KEY" in said
    assert "too-short" not in said


async def test_the_log_that_the_guide_counts_by_hand(command: Command, tmp_path: Path) -> None:
    guide = (ROOT / "docs/guide/reports.md").read_text("utf-8")
    log, said = (guide.split(f"```{kind}\n")[1].split("```")[0] for kind in ("jsonl", "text"))
    (tmp_path / "log.jsonl").write_text(log)
    made = (await command("baseline", "log.jsonl")).replace("\N{NO-BREAK SPACE}", " ").splitlines()
    for line in said.splitlines():
        assert line in made, line
