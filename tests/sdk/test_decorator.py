"""Every call of a function as a supervised task."""

import functools
import inspect
from collections.abc import AsyncIterator, Iterator
from typing import Any, Optional

import pytest

from tests.sdk.contract import Ended, Started
from tests.sdk.supervisor import Supervisor
from threadline_agent import AgentContext, SyncCheckpointEmitter, current_task, flush, supervised_agent


@supervised_agent
def count_words(text: str, *, twice: bool = False) -> int:
    """How many words there are."""
    task = current_task()
    assert task is not None
    task.checkpoint("Counting")
    return len(text.split()) * (2 if twice else 1)


@supervised_agent("deployer", "Deploy version 4", repo_scope="acme/shop")
async def deploy(version: int, task: AgentContext, *, to: str = "east") -> str:
    task.checkpoint(f"{version} to {to}")
    assert current_task() is task
    return to


class Agent:
    def __init__(self) -> None:
        self.name = "an agent"

    @supervised_agent(task_name="A method")
    def work(self, task: SyncCheckpointEmitter, amount: int = 1) -> tuple[str, int]:
        task.checkpoint(self.name)
        return self.name, amount

    @classmethod
    @supervised_agent("classes")
    def made(cls, *, task: "SyncCheckpointEmitter | None" = None) -> str:
        assert task is not None
        return f"{cls.__name__} {task.agent_id}"

    @staticmethod
    @supervised_agent
    async def elsewhere(task: "AgentContext") -> str:
        return task.task_name


def test_a_function_keeps_its_name_its_signature_and_its_result(supervisor: Supervisor) -> None:
    assert count_words("one two", twice=True) == 4
    assert (count_words.__name__, count_words.__doc__) == ("count_words", "How many words there are.")
    assert list(inspect.signature(count_words).parameters) == ["text", "twice"]
    assert flush(30)
    assert supervisor.story() == ["started count words", "Counting", "ended complete"]
    assert supervisor.of(Started)[0].agent_id == "count_words"


async def test_a_task_is_handed_over_and_callers_do_not_see_it(supervisor: Supervisor) -> None:
    assert inspect.iscoroutinefunction(deploy)
    assert list(inspect.signature(deploy).parameters) == ["version", "to"]
    assert "task" not in deploy.__annotations__
    assert await deploy(4, to="west") == "west"
    assert await deploy(version=5) == "east"
    assert flush(30)
    assert supervisor.story() == [
        *("started Deploy version 4", "4 to west", "ended complete"),
        *("started Deploy version 4", "5 to east", "ended complete"),
    ]
    assert {each.repo_scope for each in supervisor.of(Started)} == {"acme/shop"}


async def test_methods_of_every_kind(supervisor: Supervisor) -> None:
    assert Agent().work() == ("an agent", 1)
    assert Agent().work(3) == ("an agent", 3)
    assert Agent().work(amount=4) == ("an agent", 4)
    assert Agent.made() == "Agent classes"
    assert await Agent.elsewhere() == "elsewhere"
    assert len(supervisor.wait_for(Ended, 5)) == 5


@pytest.mark.parametrize(
    "annotation",
    [
        SyncCheckpointEmitter,
        SyncCheckpointEmitter | None,
        Optional[SyncCheckpointEmitter],  # noqa: UP045 - as programs of before 3.10 write it
        Optional["SyncCheckpointEmitter"],
        "threadline_agent.SyncCheckpointEmitter",
        "SyncCheckpointEmitter | None",
        "None | SyncCheckpointEmitter",
        "typing.Optional[threadline_agent.SyncCheckpointEmitter]",
    ],
)
def test_however_its_class_is_written_a_task_is_handed_over(annotation: Any) -> None:
    def work(task: Any) -> str:
        return f"done by {task.agent_id}"

    work.__annotations__["task"] = annotation
    assert supervised_agent("worker")(work)() == "done by worker"


def test_a_task_that_the_caller_gives_is_used() -> None:
    given = SyncCheckpointEmitter("mine", "Mine")
    assert Agent.made(task=given) == "Agent mine"


def test_an_error_goes_on_as_it_was(supervisor: Supervisor) -> None:
    @supervised_agent("failing")
    def fail() -> None:
        raise ValueError("not today")

    with pytest.raises(ValueError, match="not today"):
        fail()
    assert supervisor.wait_for(Ended)[0].summary == "ValueError: not today"


def test_a_partial_function() -> None:
    assert supervised_agent("partial")(functools.partial(pow, 2))(5) == 32


def test_what_cannot_be_a_task_is_refused_at_once() -> None:
    def plain() -> Iterator[int]:
        yield 1

    async def awaited() -> AsyncIterator[int]:
        yield 1

    def confused(task: AgentContext) -> None:
        pass

    async def likewise(task: SyncCheckpointEmitter) -> None:
        pass

    def many(*tasks: SyncCheckpointEmitter) -> None:
        pass

    wrong: list[tuple[Any, str]] = [
        (plain, "a generator has no call that is a task"),
        (awaited, "a generator has no call that is a task"),
        (confused, "must be annotated SyncCheckpointEmitter, not AgentContext"),
        (likewise, "must be annotated AgentContext, not SyncCheckpointEmitter"),
        (many, "tasks cannot be a task"),
        (vars(Agent)["made"], "put it below @classmethod"),
    ]
    for function, why in wrong:
        with pytest.raises(TypeError, match=why):
            supervised_agent("agent")(function)


def test_an_option_that_there_is_not_is_an_error_of_the_program() -> None:
    with pytest.raises(TypeError, match="a task has no option colour"):
        SyncCheckpointEmitter("deployer", "Deploy", colour="red")  # type: ignore[call-arg]  # it is what is tried
