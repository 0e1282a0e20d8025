"""`agent_task`: a block of a program that is a supervised task."""

from types import TracebackType
from typing import Unpack

from threadline_agent import current
from threadline_agent.context import AgentContext
from threadline_agent.emitter import SyncCheckpointEmitter
from threadline_agent.reporting import Reporter, TaskOptions


class AgentTask:
    """A task that begins when its block is entered: with `async with` in an event loop, with `with` elsewhere.

    Each block has one of its own.
    """

    def __init__(self, agent_id: str, task_name: str, options: TaskOptions) -> None:
        self._agent_id = agent_id
        self._task_name = task_name
        self._options = options
        self._context: AgentContext | None = None
        self._emitter: SyncCheckpointEmitter | None = None
        self._before: Reporter | None = None

    async def __aenter__(self) -> AgentContext:
        self._context = AgentContext(self._agent_id, self._task_name, **self._options)
        self._context._start(current.parent_of_new())  # noqa: SLF001 - its block begins it
        self._before = current.enter(self._context)
        return self._context

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        current.leave(self._before)
        if self._context is not None:
            self._context._leave(error)  # noqa: SLF001 - likewise

    def __enter__(self) -> SyncCheckpointEmitter:
        self._emitter = SyncCheckpointEmitter(self._agent_id, self._task_name, **self._options)
        return self._emitter.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._emitter is not None:
            self._emitter.__exit__(kind, error, traceback)


def agent_task(agent_id: str, task_name: str, **options: Unpack[TaskOptions]) -> AgentTask:
    """A block that is a supervised task. `async with` gives an AgentContext, `with` a SyncCheckpointEmitter.

    It is complete where nothing is raised; an exception ends it as an error and goes on as it is; Ctrl-C and a
    cancelled coroutine end it as cancelled.
    """
    return AgentTask(agent_id, task_name, options)
