"""`threadline report drift` as people run it: what was planted is found, and the halves of one log are alike."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bench.beds.audit_log import records
from schemas.lines import Kept
from services.report.adapters import exporting
from services.report.adapters.thresholds import shipped_text
from tests.commands import Command

ROOT = Path(__file__).parents[2]
KEY = "a key that is kept"


def run_of(record: Kept) -> str | None:
    event = json.loads(record.value or b"")
    return event.get("run_id") or (event.get("event_id") if event["type"] != "run.state" else None)


@cache
def halves() -> tuple[list[Kept], list[Kept]]:
    """Runs are dealt out by their ids, so that days and nights are in both alike."""
    log = list(records(30_000))
    even = [sum(map(ord, run_of(each) or "")) % 2 == 0 for each in log]
    return (
        [each for each, is_even in zip(log, even, strict=True) if is_even],
        [each for each, is_even in zip(log, even, strict=True) if not is_even],
    )


def changed(log: Sequence[Kept], change: Callable[[int, dict[str, Any]], None]) -> list[Kept]:
    """The same log, with something planted in the ends of its runs."""
    found = []
    for number, each in enumerate(log):
        event = json.loads(each.value or b"")
        if event["type"] == "run.state" and event["state"] == "complete":
            change(number, event)
        found.append(replace(each, value=json.dumps(event).encode()))
    return found


async def baseline(command: Command, tmp_path: Path, name: str, log: list[Kept]) -> None:
    exporting.write(tmp_path / f"{name}.parquet", [log])
    made = await command("baseline", f"{name}.parquet", "--format", "json", key=KEY)
    (tmp_path / f"{name}.json").write_text(made)


async def test_two_halves_of_one_log_are_alike(command: Command, tmp_path: Path) -> None:
    one, two = halves()
    await baseline(command, tmp_path, "one", one)
    await baseline(command, tmp_path, "two", two)
    for pair in (("one.json", "two.json"), ("two.json", "one.json"), ("one.json", "one.json")):
        said = await command("drift", *pair, "--out", "alike")
        assert "0 got worse and 0 better" in said


async def test_a_drift_that_was_planted_is_found(command: Command, tmp_path: Path) -> None:
    one, two = halves()

    def fail(number: int, event: dict[str, Any]) -> None:
        if number % 20 == 0:
            event |= {"state": "error", "reason": "model_timeout", "phases": None, "usage": None}

    def slow(_: int, event: dict[str, Any]) -> None:
        if event["usage"]["model"] == "openai:gpt-4.1":
            event["phases"]["first_token"] *= 2
            event["usage"]["input_tokens"] *= 2

    await baseline(command, tmp_path, "one", one)
    await baseline(command, tmp_path, "failing", changed(two, fail))
    await baseline(command, tmp_path, "slow", changed(two, slow))
    said = await command("drift", "one.json", "failing.json", "--out", "found", code=1)
    assert "found/drift-2026-03-06.md, found/drift-2026-03-06.json" in said
    made = json.loads((tmp_path / "found/drift-2026-03-06.json").read_text())
    jsonschema.validate(made, json.loads((ROOT / "docs/reference/drift.schema.json").read_text()))
    worse = {(each["by"], each["measure"]) for each in made["changes"] if each["verdict"] == "worse"}
    assert {(None, "error"), (None, "completion"), ("origin", "error")} <= worse
    assert {measure for _, measure in worse} <= {"error", "completion"}
    found = json.loads(await command("drift", "one.json", "slow.json", "--format", "json", code=1))
    worse = {(each["group"], each["measure"]) for each in found["changes"] if each["verdict"] == "worse"}
    assert ("openai:gpt-4.1", "first_token_p50") in worse
    assert ("openai:gpt-4.1", "tokens_p50") in worse
    assert not any(group == "openai:gpt-4.1-mini" for group, _ in worse)
    assert "**worse**" in await command("drift", "one.json", "slow.json", code=1)
    (tmp_path / "wide.yaml").write_text(
        "percentiles:\n"
        + "".join(f"  {name}: {{p50: 500, p95: 500, p99: 500}}\n" for name in ("first_token", "tokens"))
    )
    assert "0 got worse" in await command("drift", "one.json", "slow.json", "--thresholds", "wide.yaml")


async def test_the_same_two_give_the_same_bytes(command: Command, tmp_path: Path) -> None:
    one, two = halves()
    await baseline(command, tmp_path, "one", one[:4000])
    await baseline(command, tmp_path, "two", two[:4000])
    files = []
    for folder in ("first", "second"):
        await command("drift", "one.json", "two.json", "--out", folder)
        files.append({each.name: each.read_bytes() for each in (tmp_path / folder).iterdir()})
    assert files[0] == files[1]
    assert len(files[0]) == 2


async def test_names_under_different_keys_are_not_compared(command: Command, tmp_path: Path) -> None:
    exporting.write(tmp_path / "log.jsonl", [list(records(900))])
    for name, key in (("one", KEY), ("two", "another key that is kept")):
        made = await command("baseline", "log.jsonl", "--format", "json", key=key)
        (tmp_path / f"{name}.json").write_text(made)
    said = await command("drift", "one.json", "two.json")
    assert "hashed with different keys" in said
    assert "By agent" not in said
    assert "By model" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("sound.json", "none.json"), "none.json cannot be read (No such file or directory)"),
        (("sound.json", "other.json"), "other.json is no baseline that this version knows (format:"),
        (("sound.json", "half.json"), "half.json is no baseline that this version knows (all of it:"),
        (("sound.json", "empty.json"), "empty.json is of a log without an event"),
        (("sound.json", "channel.json"), "sound.json of all runs and channel.json of origin channel"),
        (("sound.json", "sound.json", "--format", "html"), "there are md and json"),
        (("sound.json", "sound.json", "--thresholds", "none.yaml"), "none.yaml cannot be read"),
        (("sound.json", "sound.json", "--out", "sound.json"), "cannot be written"),
    ],
)
async def test_what_cannot_be_compared_is_no_answer(
    command: Command, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    exporting.write(tmp_path / "log.jsonl", [list(records(90))])
    exporting.write(tmp_path / "nothing.jsonl", [])
    sound = await command("baseline", "log.jsonl", "--format", "json", key=KEY)
    (tmp_path / "sound.json").write_text(sound)
    (tmp_path / "empty.json").write_text(await command("baseline", "nothing.jsonl", "--format", "json", key=KEY))
    (tmp_path / "other.json").write_text(sound.replace("baseline.v1", "baseline.v9"))
    (tmp_path / "channel.json").write_text(sound.replace('"only": null', '"only": "origin channel"'))
    (tmp_path / "half.json").write_text(sound[:500])
    assert said in await command("drift", *arguments, code=2)


def test_the_guide_shows_the_thresholds_that_hold() -> None:
    assert f"```yml\n{shipped_text()}```" in (ROOT / "docs/guide/reports.md").read_text("utf-8")
