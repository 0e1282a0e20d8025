"""Every example, as people run it: only logged, and with a supervisor that hears of it."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from services.kit.settings import child_environment
from tests.sdk.contract import Artifact, Asked, Checkpoint, Ended, Started
from tests.sdk.supervisor import TOKEN, Supervisor

EXAMPLES = Path(__file__).parents[2] / "examples"
OTHERS = {"making_believe.py", "09_worker.py"}
"""What they share, and one that works on until it is ended: tests/supervisor tries it."""
PROGRAMS = sorted(each.name for each in EXAMPLES.glob("*.py") if each.name not in OTHERS)


def basic(said: Supervisor) -> None:
    (started,) = said.of(Started)
    assert (started.task_name, started.repo_scope) == ("Raise the upload limit", "acme/shop")
    assert [each.progress for each in said.of(Checkpoint)] == [0, 0.25, 0.5, 0.75]
    assert [each.step for each in said.of(Checkpoint)][-1] == "4 of 4"
    assert [each.artifact for each in said.of(Artifact)] == ["pull_request"]
    assert said.of(Ended)[0].summary == "The limit is 50 MB now, and a test holds it"


def decorator(said: Supervisor) -> None:
    assert [(each.agent_id, each.task_name) for each in said.of(Started)] == [
        ("summarizer", "Summarize the week"),
        ("tidy_up", "tidy up"),
    ]
    assert [each.action for each in said.of(Checkpoint)][-1] == "Two branches are gone"
    assert [each.status for each in said.of(Ended)] == ["complete", "complete"]


def manual(said: Supervisor) -> None:
    assert said.story()[0] == "started Copy the tables"
    assert said.of(Checkpoint)[0].details == {"rows": 1000}
    assert [each.level for each in said.of(Checkpoint)][-1] == "warning"
    assert [each.status for each in said.of(Ended)] == ["complete"]


def error(said: Supervisor) -> None:
    assert [(each.status, each.level) for each in said.of(Checkpoint)] == [
        ("working", "info"),
        ("error", "error"),
        ("working", "info"),
    ]
    (ended,) = said.of(Ended)
    assert (ended.status, ended.summary) == ("error", "NoDisk: no space left on the device")


def context_warning(said: Supervisor) -> None:
    (started,) = said.of(Started)
    used = [each.context_used / started.context_size for each in said.of(Checkpoint) if each.context_used is not None]
    assert any(0.7 <= each < 0.85 for each in used)
    assert any(0.85 <= each < 1 for each in used)
    assert used[-1] < 0.5


def pipeline(said: Supervisor) -> None:
    lead, *stages = said.of(Started)
    assert [each.agent_id for each in (lead, *stages)][:2] == ["lead", "planner"]
    assert len(stages) == 4
    assert {each.parent_task_id for each in stages} == {lead.task_id}
    assert said.of(Ended)[-1].task_id == lead.task_id


def subprocess(said: Supervisor) -> None:
    first, *between, last = said.story()
    assert (first, last) == ("started Import the catalogue", "ended complete")
    assert sorted(between) == ["Starting a child", "Starting a command", "Told by a child", "Told by a command"]
    assert len({each.task_id for each in said.taken}) == 1


def approval(said: Supervisor) -> None:
    first, second = said.of(Asked)
    assert (first.kind, first.choices) == ("choice", ["east", "west"])
    assert (second.kind, second.arguments) == ("decision", {"version": 4, "hosts": ["shop-1", "shop-2"]})
    assert [each.artifact for each in said.of(Artifact)] == ["deploy"]
    assert said.of(Ended)[0].summary == "Deployed, as U1 said"


def diagnosing(said: Supervisor) -> None:
    assert [(each.action, each.progress) for each in said.of(Checkpoint)] == [
        ("Start", 0.1),
        ("Route: billing", 0.3),
        ("Model call", 0.7),
        ("Complete", 0.9),
        ("Returned", 1.0),
    ]
    assert said.of(Checkpoint)[1].details == {"confidence": 0.93}
    route, latency = said.of(Artifact)
    assert route.title == "Route: billing (93% sure)"
    assert latency.title.startswith("Latency: ")


TELLS: dict[str, Callable[[Supervisor], None]] = {
    "01_basic.py": basic,
    "02_decorator.py": decorator,
    "03_manual.py": manual,
    "04_error.py": error,
    "05_context_warning.py": context_warning,
    "06_pipeline.py": pipeline,
    "07_subprocess.py": subprocess,
    "08_approval.py": approval,
    "diagnosing.py": diagnosing,
    "diagnosing_sync.py": diagnosing,
}


async def run(program: str, **environment: str) -> str:
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, str(EXAMPLES / program), "--pause", "0.01"),
        env=child_environment(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await running.communicate()
    assert running.returncode == 0, told.decode()
    assert b"Traceback" not in told
    assert b"please report this" not in told
    return told.decode()


@pytest.mark.parametrize("program", PROGRAMS)
async def test_a_supervisor_hears_what_it_does(supervisor: Supervisor, program: str) -> None:
    running = asyncio.create_task(run(program, THREADLINE_AGENT_URL=supervisor.url, THREADLINE_AGENT_TOKEN=TOKEN))
    if program == "08_approval.py":
        for number, (state, answer) in enumerate((("chosen", "west"), ("approved", None))):
            asked = (await asyncio.to_thread(supervisor.wait_for, Asked, number + 1))[number]
            supervisor.decide(asked, state, answer=answer, decided_by="U1")
    await running
    TELLS[program](supervisor)
    assert set(supervisor.times.values()) == {1}


async def test_without_a_supervisor_each_runs_and_is_logged() -> None:
    for program, told in zip(PROGRAMS, await asyncio.gather(*map(run, PROGRAMS)), strict=True):
        assert "tasks are only logged: THREADLINE_AGENT_URL and" in told
        assert "🚀 " in told
        assert ("not deployed: unavailable" in told) == (program == "08_approval.py")
        assert "deploy Version 4" not in told


def test_each_stands_in_the_list_of_examples() -> None:
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    assert [program for program in (*PROGRAMS, "09_worker.py") if f"({program})" not in listed] == []
    assert sorted(TELLS) == PROGRAMS
