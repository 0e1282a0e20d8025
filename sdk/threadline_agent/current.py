"""The task that runs around the code that asks."""

from contextvars import ContextVar

from threadline_agent.reporting import Reporter
from threadline_agent.settings import TASK, variable

_current: ContextVar[Reporter | None] = ContextVar("threadline_agent_task", default=None)


def current_task() -> Reporter | None:
    """The innermost task around this call, in this thread or coroutine; nothing outside of any."""
    return _current.get()


def enter(task: Reporter) -> Reporter | None:
    """Makes it the current one; gives the one before."""
    before = _current.get()
    _current.set(task)
    return before


def leave(before: Reporter | None) -> None:
    """The one before is the current one again. Nothing is reset: a block may be left elsewhere than it was entered."""
    _current.set(before)


def parent_of_new() -> str | None:
    """The task that a new one is a part of: the one around it, or the one that this process was started for."""
    around = _current.get()
    return around.task_id if around is not None else variable(TASK)
