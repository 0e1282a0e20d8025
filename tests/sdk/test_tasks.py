"""A task from its beginning to its end, as a supervisor hears of it."""

import asyncio
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.kit.settings import child_environment
from tests.sdk.contract import Artifact, Checkpoint, Ended, Started
from tests.sdk.supervisor import Supervisor, answering
from threadline_agent import (
    AgentContext,
    AgentStatus,
    SyncCheckpointEmitter,
    TaskCancelled,
    agent_task,
    configure,
    current_task,
    flush,
)


async def test_everything_that_a_task_says_arrives_in_its_order(supervisor: Supervisor) -> None:
    configure(url=supervisor.url, token=supervisor.token, workspace="T1", app="A1", channel="#deploys")
    async with agent_task(
        "deployer", "Deploy version 4", repo_scope="acme/shop", context_size=100_000, started_by="U1"
    ) as task:
        task.checkpoint("Running the tests", progress=0.4, step="3 of 7", tokens=84_000, cost=0.12, suite="unit")
        task.warn("A test was slow")
        task.add_artifact("pr", "Raise the limit", link="https://example.com/1")
        task.error("The deploy was refused")
        assert task.status is AgentStatus.ERROR
        task.checkpoint("Trying again", status="paused")
        task.complete("Version 4 is out")
        task.checkpoint("After the end")
    assert flush(30)
    assert supervisor.story(task.task_id) == [
        "started Deploy version 4",
        "Running the tests",
        "A test was slow",
        "pull_request Raise the limit",
        "The deploy was refused",
        "Trying again",
        "ended complete",
    ]
    (started,) = supervisor.of(Started)
    assert (started.agent_id, started.repo_scope, started.context_size) == ("deployer", "acme/shop", 100_000)
    assert (started.started_by, started.heartbeat_s, started.parent_task_id) == ("U1", 10, None)
    assert started.worker is not None
    assert started.worker.endswith(f":{os.getpid()}")
    first, warned, failed, paused = supervisor.of(Checkpoint)
    assert (first.progress, first.step, first.context_used, first.cost_usd) == (0.4, "3 of 7", 84_000, 0.12)
    assert first.details == {"suite": "unit"}
    assert [(each.level, each.status) for each in (warned, failed, paused)] == [
        ("warning", "working"),
        ("error", "error"),
        ("info", "paused"),
    ]
    assert supervisor.of(Artifact)[0].link == "https://example.com/1"
    assert supervisor.of(Ended)[0].summary == "Version 4 is out"
    assert {"workspace": "T1", "app": "A1", "channel": "#deploys"} in supervisor.requests


@pytest.mark.parametrize(
    ("raised", "status", "summary"),
    [
        (ValueError("no such branch\nand more"), "error", "ValueError: no such branch"),
        (RuntimeError(), "error", "RuntimeError"),
        (KeyboardInterrupt(), "cancelled", "KeyboardInterrupt"),
        (asyncio.CancelledError(), "cancelled", "CancelledError"),
        (TaskCancelled("U1", "not today"), "cancelled", "cancelled by U1: not today"),
        (SystemExit(), "complete", None),
        (SystemExit(3), "error", "SystemExit: 3"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, BaseException) else str(each),
)
def test_what_is_raised_ends_it_and_goes_on_unchanged(
    supervisor: Supervisor, raised: BaseException, status: str, summary: str | None
) -> None:
    with pytest.raises(type(raised)) as caught, agent_task("deployer", "Deploy"):
        raise raised
    assert caught.value is raised
    (ended,) = supervisor.wait_for(Ended)
    assert (ended.status, ended.summary) == (status, summary)


async def test_a_coroutine_that_is_cancelled_ends_its_task(supervisor: Supervisor) -> None:
    async def forever() -> None:
        async with agent_task("deployer", "Deploy"):
            await asyncio.sleep(3600)

    running = asyncio.create_task(forever())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [each.status for each in await asyncio.to_thread(supervisor.wait_for, Ended)] == ["cancelled"]


async def test_a_task_within_a_task_is_its_child_also_where_many_run_at_once(supervisor: Supervisor) -> None:
    async def stage(name: str) -> AgentContext:
        async with agent_task("stage", name) as inner:
            await asyncio.sleep(0)
            assert current_task() is inner
            return inner

    async with agent_task("pipeline", "All") as outer:
        stages = await asyncio.gather(*(stage(f"stage {number}") for number in range(20)))
        assert current_task() is outer
    assert current_task() is None
    await asyncio.to_thread(supervisor.wait_for, Ended, 21)
    parents = {each.task_id: each.parent_task_id for each in supervisor.of(Started)}
    assert parents == {outer.task_id: None} | {each.task_id: outer.task_id for each in stages}


def test_many_threads_report_and_each_tasks_order_is_kept(supervisor: Supervisor) -> None:
    def work(number: int) -> str:
        with agent_task(f"agent-{number}", "Work") as task:
            for step in range(50):
                task.checkpoint(f"{step}")
        return task.task_id

    with ThreadPoolExecutor(8) as pool:
        tasks = list(pool.map(work, range(8)))
    assert flush(30)
    for task_id in tasks:
        assert supervisor.story(task_id) == ["started Work", *map(str, range(50)), "ended complete"]
    assert set(supervisor.times.values()) == {1}


def test_an_emitter_by_hand_begins_with_the_first_that_it_says(supervisor: Supervisor) -> None:
    emitter = SyncCheckpointEmitter("indexer", "Index", heartbeat=None)
    emitter.checkpoint("One")
    emitter.fail("no room")
    emitter.complete("not any more")
    supervisor.wait_for(Ended)
    assert supervisor.story() == ["started Index", "One", "ended error"]
    assert supervisor.of(Started)[0].heartbeat_s is None


def test_a_time_that_is_too_long_is_brought_within_what_the_supervisor_takes(supervisor: Supervisor) -> None:
    with agent_task("sleeper", "Sleep", heartbeat=7200):
        pass
    supervisor.wait_for(Ended)
    assert supervisor.of(Started)[0].heartbeat_s == 3600


CHILD = """
from threadline_agent import SyncCheckpointEmitter, agent_task
with SyncCheckpointEmitter() as task:
    task.checkpoint("In the child")
    with agent_task("helper", "A part"):
        pass
try:
    with SyncCheckpointEmitter() as task:
        raise ValueError("the child failed")
except ValueError:
    pass
"""


def test_a_child_process_reports_into_its_parents_task_and_does_not_end_it(supervisor: Supervisor) -> None:
    with agent_task("deployer", "Deploy") as task:
        assert flush(30)
        environment = child_environment(task.environment())
        subprocess.run([sys.executable, "-c", CHILD], env=environment, check=True)
    supervisor.wait_for(Ended, 2)
    assert supervisor.story(task.task_id) == [
        "started Deploy",
        "In the child",
        "ValueError: the child failed",
        "ended complete",
    ]
    (part,) = (each for each in supervisor.of(Started) if each.task_name == "A part")
    assert part.parent_task_id == task.task_id
    assert {each.agent_id for each in supervisor.taken if each.task_id == task.task_id} == {"deployer"}


def _forked(task: SyncCheckpointEmitter) -> None:
    task.checkpoint("In the forked child")
    with task:
        pass


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")  # from Python 3.12 on
def test_a_forked_child_reports_and_sends_nothing_of_its_parents(supervisor: Supervisor) -> None:
    with agent_task("deployer", "Deploy") as task:
        assert flush(30)
        supervisor.always = answering(503)
        task.checkpoint("Waiting in the parent")
        child = multiprocessing.get_context("fork").Process(target=_forked, args=(task,))
        child.start()
        supervisor.always = None
        child.join()
        assert child.exitcode == 0
    assert flush(30)
    assert sorted(supervisor.story(task.task_id)) == sorted(
        ["started Deploy", "Waiting in the parent", "In the forked child", "ended complete"]
    )
    assert set(supervisor.times.values()) == {1}


ONLY_LOGGED = (
    "tasks are only logged: THREADLINE_AGENT_URL and THREADLINE_AGENT_TOKEN (or THREADLINE_AGENT_TOKEN_FILE) are not "
    "set, nor given to threadline_agent.configure()"
)


def test_without_a_supervisor_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with agent_task("deployer", "Deploy", task_id="t1") as task:
        task.checkpoint("Testing", progress=0.5, step="1 of 2", tokens=1000, cost=0.25, suite="unit")
        task.warn("Slow")
        task.add_artifact("file", "report.txt")
    assert [record.getMessage() for record in caplog.records] == [
        ONLY_LOGGED,
        "🚀 deployer: Deploy (task t1)",
        "⚙️ deployer: Testing (50%, step 1 of 2, 1,000 tokens, 0.25 USD, suite unit)",
        "⚠️ deployer: Slow",
        "📎 deployer: file report.txt",
        "✅ deployer: complete",
    ]


def test_an_address_that_is_none_is_told_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    configure(url="ftp://example.com", token="tl_1")
    with agent_task("deployer", "Deploy"):
        pass
    assert "THREADLINE_AGENT_URL is no address of a supervisor: it must begin with https://" in caplog.text


def test_the_token_is_never_shown(supervisor: Supervisor, caplog: pytest.LogCaptureFixture) -> None:
    supervisor.token = "another"
    with agent_task("deployer", "Deploy") as task:
        task.checkpoint("One")
    supervisor.wait_until(lambda: "refuses the token" in caplog.text)
    assert "tl_sdk-test" not in caplog.text + repr(task) + repr(task._line.settings) + repr(vars(task._line))
