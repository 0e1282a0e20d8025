"""How a task fares, in some figures: what it cost, how full its context is, whether it is heard of, what went wrong."""

from collections.abc import Iterator
from datetime import datetime

from services.kit.markup import Child, Markup, el
from services.supervisor.decisions.blocks import lasted
from services.supervisor.decisions.judging import silent_after_s
from services.supervisor.decisions.task import ALARM_AT, WARN_AT, Task
from services.supervisor.page.parts import facts, money

HALF = 0.5


def condition(task: Task, heard_at: datetime | None, now: datetime) -> Markup:
    """The figures."""
    return facts(_figures(task, heard_at, now))


def _figures(task: Task, heard_at: datetime | None, now: datetime) -> Iterator[tuple[str, Child]]:
    began = now if not task.is_over else task.at
    yield "Elapsed", lasted((began - task.started_at).total_seconds())
    yield "Steps", f"{task.steps:,}"
    yield "Cost", money(task.cost_usd)
    yield "Context", _context(task)
    if not task.is_over:
        yield "Heard", _heard(task, heard_at, now)
    trouble = len(task.judgements)
    if trouble:
        yield "Noticed", el("span", f"{trouble}×", data_level="warning")


def _context(task: Task) -> Child:
    share = task.context_share
    if share is None:
        return "–"
    level = "error" if share >= ALARM_AT else "warning" if share >= WARN_AT else None
    return el("span", f"{share:.0%}", data_level=level, title=f"{task.context_used:,} of {task.context_size:,} tokens")


def _heard(task: Task, heard_at: datetime | None, now: datetime) -> Child:
    last = max(task.received_at, heard_at) if heard_at is not None else task.received_at
    silent_s = max(0.0, (now - last).total_seconds())
    bound = silent_after_s(task)
    level = "error" if task.silent_since is not None else "warning" if silent_s > bound * HALF else None
    return el("span", f"{lasted(silent_s)} ago", data_level=level)
