"""`supervised_agent`: every call of a function is a supervised task."""

import inspect
from collections.abc import Awaitable, Callable
from functools import wraps
from types import UnionType
from typing import Any, TypeVar, Union, Unpack, get_args, get_origin, overload

from threadline_agent.context import AgentContext
from threadline_agent.emitter import SyncCheckpointEmitter
from threadline_agent.reporting import Reporter, TaskOptions
from threadline_agent.task import agent_task

Result = TypeVar("Result")
KINDS: tuple[type[Reporter], ...] = (AgentContext, SyncCheckpointEmitter)


@overload
def supervised_agent(agent_id: Callable[..., Result], /) -> Callable[..., Result]: ...
@overload
def supervised_agent(
    agent_id: str | None = None, task_name: str | None = None, **options: Unpack[TaskOptions]
) -> Callable[[Callable[..., Result]], Callable[..., Result]]: ...
def supervised_agent(
    agent_id: str | Callable[..., Any] | None = None, task_name: str | None = None, **options: Unpack[TaskOptions]
) -> Any:
    """Makes every call of a function, plain or async, a supervised task.

    Without an agent_id it is the function's name, without a task_name that in words. A parameter that is annotated
    AgentContext (or SyncCheckpointEmitter in a plain function) gets the task, and callers do not see it;
    `current_task()` gives it anywhere.
    """
    if callable(agent_id):
        return _supervised(agent_id, None, None, options)
    return lambda function: _supervised(function, agent_id, task_name, options)


def _supervised(
    function: Callable[..., Any], agent_id: str | None, task_name: str | None, options: TaskOptions
) -> Callable[..., Any]:
    if not callable(function):
        raise TypeError("supervised_agent is for functions; put it below @classmethod or @staticmethod")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError("a generator has no call that is a task; use `with agent_task(...)` within it")
    called = getattr(function, "__name__", type(function).__name__)
    agent, name = agent_id or called, task_name or called.replace("_", " ").strip()
    handing = _Handing(function)

    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            async with agent_task(agent, name, **options) as task:
                return await _awaitable(handing, task, args, kwargs)

        return handing.hide(awaited)

    @wraps(function)
    def returned(*args: Any, **kwargs: Any) -> Any:
        with agent_task(agent, name, **options) as task:
            return handing.call(task, args, kwargs)

    return handing.hide(returned)


def _awaitable(handing: "_Handing", task: Reporter, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Awaitable[Any]:
    coroutine: Awaitable[Any] = handing.call(task, args, kwargs)
    return coroutine


class _Handing:
    """How a function is handed its task: at the place of the parameter that is annotated so."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._signature = inspect.signature(function)
        parameters = list(self._signature.parameters.values())
        self._place = next((n for n, each in enumerate(parameters) if _wants_a_task(each.annotation)), None)
        if self._place is None:
            return
        self._parameter = parameters[self._place]
        if self._parameter.kind in {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
            raise TypeError(f"*{self._parameter.name} cannot be a task")
        waits = _wanted(self._parameter.annotation)
        should = AgentContext if inspect.iscoroutinefunction(function) else SyncCheckpointEmitter
        if waits != should.__name__:
            raise TypeError(f"{self._parameter.name} of this function must be annotated {should.__name__}, not {waits}")

    def call(self, task: Reporter, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Calls it as its caller did, and with the task unless the caller gave one."""
        if self._place is None or self._parameter.name in kwargs:
            return self._function(*args, **kwargs)
        if self._parameter.kind is inspect.Parameter.KEYWORD_ONLY or len(args) < self._place:
            return self._function(*args, **kwargs, **{self._parameter.name: task})
        return self._function(*args[: self._place], task, *args[self._place :], **kwargs)

    def hide(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Callers, and frameworks that look at the signature, see the other parameters."""
        if self._place is not None:
            others = [each for each in self._signature.parameters.values() if each is not self._parameter]
            function.__signature__ = self._signature.replace(parameters=others)  # type: ignore[attr-defined]  # any function has one
            function.__annotations__ = {k: v for k, v in function.__annotations__.items() if k != self._parameter.name}
        return function


def _wants_a_task(annotation: Any) -> bool:
    return _wanted(annotation) in {kind.__name__ for kind in KINDS}


def _wanted(annotation: Any) -> str:
    """The name of a class, also where it is written as a text or may be None."""
    if isinstance(annotation, UnionType) or get_origin(annotation) is Union:
        annotation = next((each for each in get_args(annotation) if each is not type(None)), None)
    named = getattr(annotation, "__forward_arg__", getattr(annotation, "__name__", ""))
    text: str = annotation if isinstance(annotation, str) else named
    parts = [each.strip() for each in text.strip("\"' ").split("|")]
    alone = next((each for each in parts if each != "None"), "")
    return alone.removesuffix("]").rpartition("Optional[")[2].rpartition(".")[2]
