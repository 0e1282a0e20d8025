"""`threadline report refresh` as people run it: every report at once, beside those that stood there."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.beds.audit_log import records
from schemas.lines import Kept
from services.kit.groups import KafkaSettings
from services.report.adapters import exporting
from services.report.decisions.baseline import Baseline
from tests.commands import Command
from tests.report.log import put

KEY = "a key that is kept"
FOLDERS = [
    *("channel", "gateway", "model-anthropic%3Asonnet", "model-openai%3Agpt-4.1", "model-openai%3Agpt-4.1-mini"),
    "model-rehearsal",
]


def files_in(folder: Path) -> dict[str, bytes]:
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}


def renamed(log: list[Kept], old: str, new: str) -> list[Kept]:
    return [replace(each, value=(each.value or b"").replace(f'"{old}"'.encode(), f'"{new}"'.encode())) for each in log]


def failing(log: list[Kept]) -> list[Kept]:
    """Every third run of a channel fails in place of being completed."""
    found, met = [], 0
    for each in log:
        event: dict[str, Any] = json.loads(each.value or b"")
        if event["type"] == "run.state" and (event["state"], event["origin"]) == ("complete", "channel"):
            met += 1
            if met % 3 == 0:
                event |= {"state": "error", "reason": "model_timeout"}
        found.append(replace(each, value=json.dumps(event).encode()))
    return found


async def test_all_reports_are_made_anew_and_compared(command: Command, tmp_path: Path) -> None:
    log = list(records(12_000))
    exporting.write(tmp_path / "log.parquet", [log])
    exporting.write(tmp_path / "worse.parquet", [renamed(failing(log), "rehearsal", "openai:gpt-4.1")])
    said = await command("refresh", "log.parquet", "--out", "new", "--drift", key=KEY)
    assert "channel: there was no report before" in said
    assert "6 reports stand in new" in said
    first = files_in(tmp_path / "new")
    assert sorted(first) == sorted(f"{folder}/baseline.{form}" for folder in FOLDERS for form in ("html", "json", "md"))
    await command("refresh", "log.parquet", "--out", "again", key=KEY)
    assert files_in(tmp_path / "again") == first
    said = await command("refresh", "log.parquet", "--out", "new", "--drift", key=KEY)
    assert said.count("0 got worse and 0 better") == len(FOLDERS)
    said = await command("refresh", "worse.parquet", "--out", "new", "--drift", key=KEY, code=1)
    assert "stale: new/model-rehearsal stood there before and was not made anew" in said
    assert len(list((tmp_path / "new/channel").glob("drift-*.json"))) == 2, "the first of that day is kept"
    drifted = json.loads(next((tmp_path / "new/channel").glob("drift-*-2.json")).read_text())
    assert {(each["by"], each["measure"]) for each in drifted["changes"] if each["verdict"] == "worse"} >= {
        (None, "error"),
        (None, "completion"),
    }
    assert json.loads(next((tmp_path / "new/gateway").glob("drift-*-2.json")).read_text())["worse"] == 0
    assert files_in(tmp_path / "new")["model-rehearsal/baseline.md"] == first["model-rehearsal/baseline.md"]


async def test_topics_give_the_same_reports_as_files(topics: KafkaSettings, command: Command, tmp_path: Path) -> None:
    log = list(records(1500))
    await put(topics, log)
    exporting.write(tmp_path / "log.jsonl", [log[::-1]])
    await command("refresh", "--out", "of-topics", given=topics, key=KEY)
    await command("refresh", "log.jsonl", "--out", "of-files", key=KEY)
    assert files_in(tmp_path / "of-topics") == files_in(tmp_path / "of-files")


async def test_each_report_is_of_its_runs_alone(command: Command, tmp_path: Path) -> None:
    exporting.write(tmp_path / "log.jsonl", [list(records(3000))])
    await command("refresh", "log.jsonl", "--out", "new", key=KEY)
    whole = Baseline.model_validate_json(await command("baseline", "log.jsonl", "--format", "json", key=KEY))
    groups = {f"{by.by} {each.name}": each for by in whole.groupings for each in by.largest}
    for folder in FOLDERS:
        made = Baseline.model_validate_json((tmp_path / "new" / folder / "baseline.json").read_bytes())
        group = groups[made.log.only or ""]
        assert (made.outcomes, made.usage) == (group.outcomes, group.usage)
        assert made.decisions.decisions == 0
        assert (made.reactions.looked_at > 0) == (folder == "channel")
        assert (made.log.first, made.log.last) == (whole.log.first, whole.log.last)
    assert "Only runs of origin gateway are counted" in (tmp_path / "new/gateway/baseline.md").read_text()


async def test_what_cannot_be_compared_is_not_written_over(command: Command, tmp_path: Path) -> None:
    exporting.write(tmp_path / "log.jsonl", [list(records(300))])
    (tmp_path / "new/gateway").mkdir(parents=True)
    (tmp_path / "new/gateway/baseline.json").write_text("{")
    said = await command("refresh", "log.jsonl", "--out", "new", "--drift", key=KEY, code=2)
    assert "Every report is as it was" in said
    assert list(files_in(tmp_path / "new")) == ["gateway/baseline.json"]
    await command("refresh", "log.jsonl", "--out", "new", key=KEY)
    exporting.write(tmp_path / "empty.jsonl", [])
    assert "there is no event in this stretch" in await command("refresh", "empty.jsonl", "--out", "new", code=2)


async def test_what_was_left_out_stands_beside_the_reports_until_nothing_is(command: Command, tmp_path: Path) -> None:
    log = list(records(300))
    exporting.write(tmp_path / "log.jsonl", [log])
    exporting.write(tmp_path / "odd.jsonl", [[replace(log[0], value=b"{"), *log[1:]]])
    await command("refresh", "odd.jsonl", "--out", "new", key=KEY)
    assert (tmp_path / "new/left-out.txt").read_text() == "odd.jsonl:1: unreadable\n"
    assert "stale: new/left-out.txt" in await command("refresh", "log.jsonl", "--out", "new", key=KEY)
