"""What people want of a task that runs, and how the program hears of it."""

import asyncio
import threading

import pytest

from tests.sdk.contract import Checkpoint, Ended, Started
from tests.sdk.supervisor import Supervisor
from threadline_agent import (
    AgentMessage,
    SyncCheckpointEmitter,
    TaskCancelled,
    agent_task,
    emit,
    flush,
    orders,
    task_orders,
)

CANCEL = {"by": "U1", "reason": "wrong branch", "at": "2026-01-01T00:00:00Z"}


async def test_a_cancel_wakes_who_waits_and_raises_where_the_program_asks(supervisor: Supervisor) -> None:
    with pytest.raises(TaskCancelled, match="cancelled by U1: wrong branch"):  # noqa: PT012 - where it comes from matters
        async with agent_task("deployer", "Deploy") as task:
            task.raise_if_cancelled()
            supervisor.order(task.task_id, cancel=CANCEL)
            await task.until_cancelled()
            assert task.cancelled
            task.raise_if_cancelled()
    (ended,) = await asyncio.to_thread(supervisor.wait_for, Ended)
    assert (ended.status, ended.summary) == ("cancelled", "cancelled by U1: wrong branch")


def test_a_thread_hears_of_pauses_and_messages(supervisor: Supervisor) -> None:
    with agent_task("deployer", "Deploy") as task:
        supervisor.order(task.task_id, paused=True)
        supervisor.wait_until(lambda: task.paused)
        message = {"id": "1", "by": "U1", "text": "Mind the queue", "at": "2026-01-01T00:00:00Z"}
        supervisor.order(task.task_id, messages=[message])
        supervisor.wait_until(lambda: bool(task.messages))
        supervisor.order(task.task_id, messages=[message, {**message, "id": "2", "text": "Go on"}], paused=False)
        assert task.until_resumed(30)
        assert task.messages == (AgentMessage("1", "U1", "Mind the queue"), AgentMessage("2", "U1", "Go on"))
        assert not task.until_cancelled(0.01)
        waiting = threading.Thread(target=lambda: supervisor.order(task.task_id, cancel=CANCEL))
        waiting.start()
        assert task.until_cancelled(30)
        waiting.join()


async def test_a_task_that_begins_while_others_are_waited_for_is_heard_of_soon(supervisor: Supervisor) -> None:
    async with agent_task("one", "One") as one:
        await asyncio.to_thread(supervisor.wait_until, lambda: bool(supervisor.alive))
        async with agent_task("two", "Two") as two:
            both = {one.task_id: 0, two.task_id: 0}
            await asyncio.to_thread(supervisor.wait_until, lambda: both in supervisor.alive)
            supervisor.order(two.task_id, cancel=CANCEL)
            await two.until_cancelled()
            assert not one.cancelled


def test_what_ended_lives_no_more(supervisor: Supervisor) -> None:
    with agent_task("long", "Long") as lasting:
        with agent_task("short", "Short", heartbeat=0.2) as short:
            supervisor.wait_until(lambda: any(short.task_id in told for told in supervisor.alive))
        told = len(supervisor.alive)
        supervisor.order(lasting.task_id, paused=True)
        supervisor.wait_until(lambda: {lasting.task_id: 1} in supervisor.alive[told:])


def test_more_tasks_than_one_request_may_name(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "MOST_TASKS", 2)
    monkeypatch.setattr(orders, "MANY_S", 0.05)
    with agent_task("a", "A") as a, agent_task("b", "B") as b, agent_task("c", "C") as c:
        supervisor.order(c.task_id, cancel=CANCEL)
        assert c.until_cancelled(30)
        supervisor.wait_until(lambda: {each for told in supervisor.alive for each in told} >= {a.task_id, b.task_id})
        assert max(len(told) for told in supervisor.alive) <= 2


def test_a_worker_that_lost_its_task_is_told_to_end_it_and_says_no_more_that_it_lives(supervisor: Supervisor) -> None:
    def build() -> None:
        with agent_task("builder", "Build", task_id="t", lease_id="mine") as task:
            supervisor.wait_until(lambda: supervisor.leases == {"t": "mine"})
            supervisor.order("t", lease_lost=True)
            assert task.until_cancelled(30)
            with agent_task("other", "Other", heartbeat=0.2) as other:
                told = len(supervisor.alive)
                supervisor.wait_until(lambda: len(supervisor.alive) > told + 2)
                assert {name for each in supervisor.alive[told:] for name in each} == {other.task_id}
            task.raise_if_cancelled()

    with pytest.raises(TaskCancelled, match="not heard of for too long"):
        build()
    ended = {each.task_id: each for each in supervisor.wait_for(Ended, 2)}
    assert (ended["t"].status, ended["t"].lease_id) == ("cancelled", "mine")


@pytest.mark.parametrize(
    ("has_it", "lost", "is_lost"),
    [("mine", False, False), ("mine", True, False), ("other", False, True), (None, False, False), (None, True, True)],
)
def test_which_of_two_workers_of_a_process_has_lost_a_task(has_it: str | None, lost: bool, is_lost: bool) -> None:
    for lease_id, expected in (("mine", is_lost), (None, False)):
        heard = task_orders.Orders("t", 10, lease_id)
        heard.hear({"version": 0, "lease_id": has_it, "lease_lost": lost})
        assert (heard.is_lost, heard.cancel is not None) == (expected, expected)


def test_a_child_process_of_a_worker_has_its_lease(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    with agent_task("builder", "Build", task_id="t", lease_id="mine", heartbeat=60) as task:
        for name, value in task.environment().items():
            monkeypatch.setenv(name, value)
        with SyncCheckpointEmitter() as child:
            child.checkpoint("In the child")
        assert emit.checkpoint(emit.Whose(), "From a script").taken
        with agent_task("helper", "Another") as other:
            assert other.environment()["THREADLINE_TASK_LEASE"] == ""
    assert flush(30)
    leases = {each.action: each.lease_id for each in supervisor.of(Checkpoint)}
    assert leases == {"In the child": "mine", "From a script": "mine"}
    assert {each.lease_id for each in supervisor.of(Started)} == {"mine", None}
    assert supervisor.of(Started)[0].heartbeat_s == 10, "or another would soon have its task"


@pytest.mark.parametrize("nonsense", [{"version": "x"}, {"version": 1, "messages": [3]}, {"version": 1, "cancel": 3}])
def test_nonsense_stops_nothing(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch, nonsense: dict[str, object]
) -> None:
    monkeypatch.setattr(orders, "FIRST_PAUSE_S", 0.01)
    with agent_task("deployer", "Deploy") as task:
        supervisor.order(task.task_id, **{**nonsense, "paused": True} if "messages" in nonsense else nonsense)
        supervisor.order(task.task_id, cancel=CANCEL, messages=[], paused=False)
        assert task.until_cancelled(30)
