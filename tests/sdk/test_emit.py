"""What shell scripts say, by either command."""

import asyncio
import socket
import sys

import pytest
from typer.testing import CliRunner

from services.kit.settings import child_environment
from tests.sdk.contract import Artifact, Asked, Checkpoint, Ended, Started
from tests.sdk.supervisor import TOKEN, Supervisor, answering
from threadline.agent import application


class Shell:
    """Runs commands as a script does."""

    def __init__(self, url: str, program: str = "threadline_agent") -> None:
        self.environment = {"THREADLINE_AGENT_URL": url, "THREADLINE_AGENT_TOKEN": TOKEN} if url else {}
        self.program = program.split()

    async def __call__(self, *words: str, code: int = 0) -> tuple[str, str]:
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *self.program, "emit", *words),
            env=child_environment(self.environment),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, told = (each.decode() for each in await program.communicate())
        assert program.returncode == code, told
        assert "Traceback" not in told
        assert TOKEN not in told
        return said.strip(), told


async def test_a_script_from_its_start_to_its_end(supervisor: Supervisor) -> None:
    shell = Shell(supervisor.url)
    task, told = await shell("start", "--agent", "deployer", "--task-name", "Deploy", "--repo", "acme/shop", "--strict")
    assert told == ""
    shell.environment |= {"THREADLINE_TASK_ID": task, "THREADLINE_AGENT_ID": "deployer"}
    words = (
        "--progress",
        "0.4",
        "--cost",
        "0.1",
        "--step",
        "3 of 7",
        "--tokens",
        "9",
        "--details",
        '{"suite": "unit"}',
    )
    await shell("checkpoint", "Running the tests", *words, "--strict")
    await shell("artifact", "pr", "Raise the limit", "--link", "https://example.com/1")
    waiting = asyncio.create_task(shell("approval", "deploy", "--arguments", '{"version": 4}', "--timeout", "60"))
    (asked,) = await asyncio.to_thread(supervisor.wait_for, Asked)
    supervisor.decide(asked, "approved")
    assert (await waiting)[0] == "approved"
    await shell("end", "--summary", "Version 4 is out")
    assert supervisor.story(task) == [
        *("started Deploy", "Running the tests", "pull_request Raise the limit", "asked deploy", "ended complete")
    ]
    (said,) = supervisor.of(Checkpoint)
    assert (said.progress, said.cost_usd, said.step, said.context_used) == (0.4, 0.1, "3 of 7", 9)
    assert said.details == {"suite": "unit"}
    assert supervisor.of(Artifact)[0].link == "https://example.com/1"
    assert supervisor.of(Ended)[0].summary == "Version 4 is out"
    assert supervisor.of(Started)[0].heartbeat_s is None
    assert {each.agent_id for each in supervisor.taken} == {"deployer"}
    assert asked.arguments == {"version": 4}


@pytest.mark.parametrize(
    ("words", "decided", "end"),
    [
        (("approval", "deploy"), {"state": "rejected"}, ("rejected", 3)),
        (("approval", "deploy"), {"state": "expired"}, ("expired", 4)),
        (("approval", "deploy"), {"state": "withdrawn"}, ("withdrawn", 5)),
        (("approval", "deploy"), {"state": "answered", "answer": "yes"}, ("refused", 8)),
        (("approval", "to", "--choice", "a", "--choice", "b"), {"state": "chosen", "answer": "b"}, ("b", 0)),
        (("ask", "Which region?"), {"state": "answered", "answer": "the east"}, ("the east", 0)),
    ],
)
async def test_how_a_command_ends_that_waited(
    supervisor: Supervisor, words: tuple[str, ...], decided: dict[str, str], end: tuple[str, int]
) -> None:
    said, code = end
    waiting = asyncio.create_task(Shell(supervisor.url)(*words, "--task", "t1", code=code))
    (asked,) = await asyncio.to_thread(supervisor.wait_for, Asked)
    supervisor.decide(asked, **decided)
    assert (await waiting)[0] == said


async def test_the_command_of_threadline_is_the_same(supervisor: Supervisor) -> None:
    shell = Shell(supervisor.url, "threadline agent")
    task, told = await shell("start", "--agent", "deployer", "--task-name", "Deploy", "--repo", "acme/shop", "--strict")
    assert told == ""
    shell.environment |= {"THREADLINE_TASK_ID": task, "THREADLINE_AGENT_ID": "deployer"}
    waiting = asyncio.gather(
        shell("checkpoint", "Testing", "--progress", "0.4", "--details", '{"suite": "unit"}', "--strict"),
        shell("approval", "deploy", "--arguments", '{"version": 4}', code=3),
    )
    (asked,) = await asyncio.to_thread(supervisor.wait_for, Asked)
    supervisor.decide(asked, "rejected")
    assert [each[0] for each in await waiting] == ["", "rejected"]
    assert sorted(supervisor.story(task)) == ["Testing", "asked deploy", "started Deploy"]


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["artifact", "pr", "Raise the limit", "--link", "https://example.com/1"], "", 0),
        (["end", "--status", "error", "--summary", "No"], "", 0),
        (["end", "--strict"], "", 1),
        (["ask", "Which region?", "--timeout", "5"], "unavailable\n", 7),
        (["approval", "to", "--choice", "a", "--choice", "b"], "unavailable\n", 7),
    ],
)
def test_the_command_of_threadline_takes_the_same(words: list[str], said: str, code: int) -> None:
    ended = CliRunner().invoke(application, ["emit", *words, "--task", "t1", "--agent", "a"])
    assert (ended.stdout, ended.exit_code) == (said, code)


async def test_without_a_supervisor_it_is_told_and_a_script_goes_on() -> None:
    shell = Shell("")
    task, told = await shell("start", "--agent", "deployer", "--task-name", "Deploy")
    assert "tasks are only logged: THREADLINE_AGENT_URL and" in told
    assert f"🚀 deployer: Deploy (task {task})" in told
    assert "🛑" not in (await shell("checkpoint", "Testing", "--task", task))[1]
    said, told = await shell("approval", "deploy", "--task", task, code=7)
    assert said == "unavailable"
    assert "nobody can be asked" in told
    await shell("checkpoint", "Testing", "--task", task, "--strict", code=1)


async def test_what_is_not_taken_is_told_and_stops_a_script_only_where_it_wants_that(supervisor: Supervisor) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        told = (await Shell(f"http://127.0.0.1:{silent.getsockname()[1]}")("end", "--task", "t1"))[1]
        assert "the supervisor has not taken it: no answer within 2 seconds" in told
    shell = Shell(supervisor.url)
    supervisor.always = answering(401)
    assert "it refuses the token" in (await shell("checkpoint", "Testing", "--task", "t1", "--strict", code=1))[1]
    supervisor.always = None
    supervisor.refuse = lambda _: "this task is over"
    told = (await shell("checkpoint", "Testing", "--task", "t1", "--strict", code=1))[1]
    assert "the supervisor has not taken it: this task is over" in told


async def test_a_command_that_makes_no_sense_is_told() -> None:
    shell = Shell("http://127.0.0.1:9")
    assert "name the task: --task, or THREADLINE_TASK_ID" in (await shell("end", code=2))[1]
    assert "name the agent: --agent, or THREADLINE_AGENT_ID" in (await shell("start", "--task-name", "a", code=2))[1]
    shell.environment["THREADLINE_TASK_ID"] = "t1"
    assert "--arguments is no JSON" in (await shell("approval", "a", "--arguments", "{", code=2))[1]
    assert "is more than 0 seconds" in (await shell("approval", "a", "--timeout", "-1", code=2))[1]
    assert "a task ends as complete, error, cancelled" in (await shell("end", "--status", "over", code=2))[1]


async def test_what_does_not_fit_is_left_out(supervisor: Supervisor) -> None:
    words = ("--task", "t1", "--agent", "a", "--progress", "half", "--details", "[1]")
    told = (await Shell(supervisor.url)("checkpoint", "Testing", *words, "--strict"))[1]
    assert "progress is no number" in told
    assert "--details is no JSON object; it is left out" in told
    (said,) = supervisor.of(Checkpoint)
    assert (said.action, said.progress, said.details) == ("Testing", None, None)
