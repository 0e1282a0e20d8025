"""How a task fares, in some figures: what it cost, how full its context is, whether it is heard of, what went wrong."""

from collections.abc import Iterator
from datetime import datetime

from services.kit.markup import Child, Markup, el
from services.supervisor.decisions.blocks import lasted
from services.supervisor.decisions.health import UNWELL, health_of
from services.supervisor.decisions.judging import silent_after_s
from services.supervisor.decisions.task import ALARM_AT, WARN_AT, Task
from services.supervisor.page.parts import facts, money

HALF = 0.5


def condition(task: Task, heard_at: datetime | None, now: datetime) -> Markup:
    """The figures."""
    return facts(_figures(task, heard_at, now))


def health_parts(task: Task, now: datetime) -> Markup | None:
    """What its health is made of, while it goes on."""
    if task.is_over:
        return None
    health = health_of(task, now)
    parts: list[tuple[str, Child]] = [
        (each.name.capitalize(), el("span", f"{each.points} of {each.of}", data_level=_short_of(each.points, each.of)))
        for each in health.parts
    ]
    words = health.words
    why = el("p", f"{words[:1].upper()}{words[1:]}.", class_="note") if words else None
    return el("details", el("summary", "What its health is made of"), facts(parts), why, id="health", class_="health")


def _short_of(points: int, of: int) -> str | None:
    return None if points == of else "warning"


def _figures(task: Task, heard_at: datetime | None, now: datetime) -> Iterator[tuple[str, Child]]:
    if not task.is_over:
        health = health_of(task, now)
        level = "warning" if health.score < UNWELL else None
        yield "Health", el("span", f"{health.sign} {health.score}", data_level=level, title=health.words or None)
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
