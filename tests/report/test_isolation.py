"""`threadline report isolation` as people run it: what was planted is found, and nothing else."""

import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from schemas.attributes import Attributes
from schemas.lines import Kept
from services.kit.groups import KafkaSettings
from services.report.adapters import exporting
from tests.commands import Command
from tests.report.log import BEGIN, put

AT = "2026-03-02T09:15:00Z"
RUNS = 30


def record(topic: str, record_id: str, event: dict[str, Any], offset: int) -> Kept:
    headers = Attributes(record_id, event["type"], "/threadline/router", BEGIN).to_headers()
    return Kept(
        topic, 0, offset, int(BEGIN.timestamp() * 1000) + offset, b"T1:C1:1.0", headers, json.dumps(event).encode()
    )


def whose(number: int) -> dict[str, str]:
    tenant = "acme" if number % 2 else "globex"
    return {"tenant_id": tenant, "connection": f"A1:T{tenant.upper()}", "team_id": f"T{tenant.upper()}"}


def log() -> list[Kept]:
    """Runs of two tenants: decided, begun, asked for, and answered; one message of a program, which nothing decides."""
    found: list[Kept] = []
    offsets: dict[str, int] = defaultdict(int)

    def add(topic: str, record_id: str, event: dict[str, Any]) -> None:
        found.append(record(topic, record_id, {"at": AT, **event}, offsets[topic]))
        offsets[topic] += 1

    for number in range(RUNS):
        mine, run = whose(number), f"run-{number}"
        of_run = {name: mine[name] for name in ("tenant_id", "connection")}
        sent = [f"command-{number}", f"start-{number}"]
        decision = {"kind": "dispatched", "run_id": run}
        add(
            "audit.decisions",
            f"decision-{number}",
            {"type": "decision.made", "decision": decision, "sent": sent, **of_run},
        )
        add("audit.runs", sent[1], {"type": "run.state", "state": "start", "run_id": run, **of_run})
        add("runs.commands", sent[0], {"type": "run.requested", "run_id": run, "place": mine})
        for step in ("intended", "confirmed"):
            effect = {"effect_id": f"effect-{number}", "run_id": run, "command_id": sent[0], **mine}
            add("slack.effects", f"{step}-{number}", {"type": f"effect.{step}", "effect": effect})
    add("runs.commands", "said", {"type": "message.requested", **whose(1)})
    add("slack.effects", "shown", {"type": "effect.intended", "effect": {"command_id": "said", **whose(1)}})
    return found


def planted(where: tuple[str, int], wrong: dict[str, str]) -> list[Kept]:
    found = log()
    for place, each in enumerate(found):
        if (each.topic, each.offset) == where:
            event = json.loads(each.value or b"")
            {"slack.effects": event.get("effect"), "runs.commands": event.get("place")}.get(each.topic, event).update(
                wrong
            )
            found[place] = replace(each, value=json.dumps(event).encode())
    return found


async def test_a_log_in_which_all_is_its_own(command: Command, tmp_path: Path, topics: KafkaSettings) -> None:
    exporting.write(tmp_path / "log.jsonl", [log()[::-1]])
    said = await command("isolation", "log.jsonl")
    for line in (
        "held: effects against their commands: 61",
        "held: effects against their runs' starts: 60",
        "held: commands against their decisions: 30",
        "held: runs' starts against their decisions: 30",
        "not held: messages of programs, which no decision leads to: 1",
        "No violation: whatever was held is its cause's.",
    ):
        assert line in said.splitlines(), said
    await put(topics, log())
    assert await command("isolation", given=topics) == said


@pytest.mark.parametrize(
    ("place", "wrong", "lines"),
    [
        (
            ("slack.effects", 7),
            {"team_id": "TGLOBEX"},
            ["slack.effects 0:7 is of team TGLOBEX and not TACME as its cause runs.commands 0:3"],
        ),
        (
            ("slack.effects", 7),
            {"tenant_id": "globex"},
            [
                "slack.effects 0:7 is of tenant globex and not acme as its cause runs.commands 0:3",
                "slack.effects 0:7 is of tenant globex and not acme as its cause audit.runs 0:3",
            ],
        ),
        (
            ("audit.runs", 4),
            {"connection": "A1:TACME"},
            ["audit.runs 0:4 is of connection A1:TACME and not A1:TGLOBEX as its cause audit.decisions 0:4"],
        ),
        (
            ("runs.commands", 4),
            {"tenant_id": "acme"},
            ["runs.commands 0:4 is of tenant acme and not globex as its cause audit.decisions 0:4"],
        ),
        (
            ("audit.decisions", 5),
            {"tenant_id": "globex"},
            ["runs.commands 0:5 is of tenant acme and not globex as its cause audit.decisions 0:5"],
        ),
    ],
)
async def test_a_violation_that_was_planted_is_found(
    command: Command, tmp_path: Path, place: tuple[str, int], wrong: dict[str, str], lines: list[str]
) -> None:
    exporting.write(tmp_path / "log.parquet", [planted(place, wrong)])
    said = await command("isolation", "log.parquet", code=1)
    for line in lines:
        assert f"VIOLATION: {line}" in said.splitlines(), said
    assert "violations: what stands there was done for others than caused it" in said


async def test_what_is_older_than_the_stretch_is_named_and_no_violation(command: Command, tmp_path: Path) -> None:
    late = [
        each for each in log() if each.topic == "slack.effects" or (each.topic == "runs.commands" and each.offset > 3)
    ]
    exporting.write(tmp_path / "log.jsonl", [late])
    said = await command("isolation", "log.jsonl")
    assert "not held: effects whose command and run are not in this stretch: 8" in said
    assert "slack.effects 0:0" in said
    assert "and 3 more; --all names them" in said
    assert "not held: commands whose decision is not in this stretch: 26" in said
    assert "slack.effects 0:7" in await command("isolation", "log.jsonl", "--all")
    nothing = await command("isolation", "log.jsonl", "--from", "2026-03-02T10:00Z", code=2)
    assert "so it proves nothing" in nothing


async def test_where_no_effect_has_a_cause_nothing_is_proved(command: Command, tmp_path: Path) -> None:
    exporting.write(tmp_path / "effects.jsonl", [[each for each in log() if each.topic == "slack.effects"]])
    assert "nothing could be held" in await command("isolation", "effects.jsonl", code=2)


async def test_what_cannot_be_read_is_named(command: Command, tmp_path: Path) -> None:
    odd = log()
    odd[3] = replace(odd[3], value=b"{")
    odd[4] = replace(odd[4], value=b'{"type":"effect.confirmed","effect":{"tenant_id":"acme"}}')
    odd[0] = replace(odd[0], value=None)
    exporting.write(tmp_path / "log.jsonl", [odd])
    said = await command("isolation", "log.jsonl")
    assert "not held: records that do not say whose they are: 3" in said
    assert "log.jsonl:4 (it is no JSON)" in said
    assert "log.jsonl:5 (it names no connection and no team_id)" in said
