"""What two tenants led to, through every service, is each one's own; and an effect that is not is found."""

import asyncio
import re
import sys
from pathlib import Path

from schemas.lines import Kept
from schemas.topics import RUNS_COMMANDS, SLACK_EFFECTS
from services.kit.settings import as_environment, child_environment
from services.report.adapters import exporting
from services.report.adapters.batch import Stretch, silent
from services.report.adapters.topics import Topics
from tests.pipeline.town import Town
from threadline.report_isolation import TOPICS


async def isolation(town: Town, *files: Path) -> tuple[int | None, str]:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", "report", "isolation", *map(str, files)),
        env=child_environment(as_environment(town.kafka)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await program.communicate()
    return program.returncode, said.decode()


def swapped(record: Kept) -> Kept:
    """The same effect, as if in Globex's team."""
    value = re.sub(rb'"team_id":"[^"]+"', b'"team_id":"TGLOBEX"', record.value or b"")
    return Kept(record.topic, record.partition, record.offset, record.appended_ms, record.key, record.headers, value)


async def test_what_the_services_wrote_is_each_tenants_own(town: Town, tmp_path: Path) -> None:
    for talk in (town.acme, town.globex):
        ts = await talk.mention("whose am I?")
        await talk.answer(ts)
    code, said = await isolation(town)
    assert code == 0, said
    assert "No violation: whatever was held is its cause's." in said
    held = {what: int(count) for what, count in re.findall(r"held: (.+): ([0-9]+)", said)}
    assert held["effects against their commands"] >= 4
    assert held["commands against their decisions"] >= 2
    assert held["runs' starts against their decisions"] >= 2
    read = [each for batch in Topics(town.kafka, TOPICS, Stretch()).records(silent) for each in batch]
    [planted, *_] = [each for each in read if each.topic == SLACK_EFFECTS.name and b'"run_id":"' in (each.value or b"")]
    exporting.write(tmp_path / "log.jsonl", [[swapped(each) if each == planted else each for each in read]])
    code, said = await isolation(town, tmp_path / "log.jsonl")
    assert code == 1, said
    assert f"VIOLATION: {planted.where} is of team TGLOBEX and not" in said
    assert f"as its cause {RUNS_COMMANDS.name} " in said
