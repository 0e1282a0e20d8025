"""What is worth noticing of a task: a context that fills up, and silence."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from schemas.agent import JudgementKind, TaskJudged
from services.supervisor.decisions.task import ALARM_AT, WARN_AT, ContextSeen, Task

SOON_S: Final = 120.0
"""How far ahead it is worth saying that a context will be nearly full."""
LEAST_POINTS, LEAST_S = 3, 1.0
QUIET_S: Final = 900.0
"""How long a program that never says that it lives may say nothing at all."""
MISSED: Final = 3.0
"""So many signs of life in a row are missing."""
LEAST_SILENCE_S: Final = 10.0


def of_context(task: Task) -> Iterator[TaskJudged]:
    """What its last checkpoint is worth saying about its context. Each is said once, until it is calm again."""
    share = task.context_share
    if share is None or task.is_over:
        return
    size = f"{task.context_used:,} of {task.context_size:,} tokens"
    if share >= ALARM_AT:
        if "context_85" not in task.warned:
            yield _judged(task, task.at, "context_85", f"{share:.0%} of its context is used ({size})", share)
        return
    if share >= WARN_AT and "context_70" not in task.warned:
        yield _judged(task, task.at, "context_70", f"{share:.0%} of its context is used ({size})", share)
    seconds = seconds_until(task.contexts, ALARM_AT * task.context_size)
    if seconds is not None and seconds <= SOON_S and "context_soon" not in task.warned:
        words = f"its context will reach {ALARM_AT:.0%} in about {_rounded(seconds)} s, if it goes on like this"
        yield _judged(task, task.at, "context_soon", words, seconds)


def seconds_until(seen: Sequence[ContextSeen], bound: float) -> float | None:
    """How long it takes from the newest point to a bound, by the line that fits best; none where it does not rise."""
    if len(seen) < LEAST_POINTS:
        return None
    newest = seen[-1]
    times = [(each.at - newest.at).total_seconds() for each in seen]
    if times[-1] - times[0] < LEAST_S:
        return None
    middle, mean = sum(times) / len(times), sum(each.used for each in seen) / len(seen)
    spread = sum((time - middle) ** 2 for time in times)
    slope = sum((time - middle) * (each.used - mean) for time, each in zip(times, seen, strict=True)) / spread
    return max(0.0, (bound - newest.used) / slope) if slope > 0 else None


def silent_after_s(task: Task) -> float:
    """How long nothing may be heard of it."""
    if task.heartbeat_s is None:
        return QUIET_S
    return max(LEAST_SILENCE_S, MISSED * task.heartbeat_s)


def of_silence(task: Task, heard_at: datetime, now: datetime) -> TaskJudged | None:
    """Whether it is silent for too long, or is heard again.

    Who waits for a person may be silent, unless its program says now and then that it lives.
    """
    silent_s = (now - heard_at).total_seconds()
    is_silent = silent_s >= silent_after_s(task)
    if task.is_over or is_silent == (task.silent_since is not None):
        return None
    where = f" of {task.worker}" if task.worker else ""
    if not is_silent:
        return _judged(task, now, "heard_again", f"there is a sign of life{where} again", 0)
    if task.heartbeat_s is None and (task.is_paused or task.status in {"waiting_for_approval", "paused"}):
        return None
    words = "no sign of life" if task.heartbeat_s is not None else "nothing was heard"
    if task.is_offered:
        words, where = f"no worker of {task.agent_id} has taken it", ""
    elif task.lease is not None:
        where += ", who had taken it and loses it,"
    return _judged(task, now, "silent", f"{words}{where} for {_rounded(silent_s)} s", silent_s)


def _judged(task: Task, at: datetime, kind: JudgementKind, text: str, value: float) -> TaskJudged:
    return TaskJudged(
        at=at,
        task_id=task.task_id,
        tenant_id=task.tenant_id,
        agent_id=task.agent_id,
        judgement=kind,
        text=text,
        value=round(value, 4),
    )


def _rounded(seconds: float) -> int:
    """To a number that people say."""
    return round(seconds) if seconds < 20 else round(seconds / 5) * 5  # noqa: PLR2004 - by seconds, then by fives
