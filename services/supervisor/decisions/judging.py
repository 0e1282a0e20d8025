"""What is worth noticing of a task: a context that fills up, silence, and what is unusual for its agent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.agent import JudgementKind, TaskJudged
from services.supervisor.decisions.task import ALARM_AT, WARN_AT, ContextSeen, Task, about

SOON_S: Final = 120.0
"""How far ahead it is worth saying that a context will be nearly full."""
LEAST_POINTS, LEAST_S = 3, 1.0
QUIET_S: Final = 900.0
"""How long a program that never says that it lives may say nothing at all."""
LEAST_STEPS: Final = 20
"""Steps of the past below which nothing is usual."""
UNUSUAL: Final = 3.0
LEAST_STEP_S, LEAST_GROWN, LEAST_ERRORS, MANY_ERRORS = 10.0, 0.02, 5, 0.4
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
            yield _judged(task, task.received_at, "context_85", f"{share:.0%} of its context is used ({size})", share)
        return
    if share >= WARN_AT and "context_70" not in task.warned:
        yield _judged(task, task.received_at, "context_70", f"{share:.0%} of its context is used ({size})", share)
    if "context_soon" in task.warned:
        return
    seconds = seconds_until(task.contexts, ALARM_AT * task.context_size)
    if seconds is not None and seconds <= SOON_S:
        words = f"its context will reach {ALARM_AT:.0%} in about {_rounded(seconds)} s, if it goes on like this"
        yield _judged(task, task.received_at, "context_soon", words, seconds)


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


@dataclass(frozen=True)
class Past:
    """How an agent's tasks went that are over."""

    steps: int
    step_s: float | None
    """How long nineteen of twenty steps took at most."""
    grown: float | None
    """By how many tokens the context grew at most in nineteen of twenty steps."""
    errors: float
    """Which share of steps were errors."""


def of_past(task: Task, past: Past, now: datetime) -> Iterator[TaskJudged]:
    """What is unusual of a task, for its agent. Where little is known of the agent, nothing is."""
    if past.steps < LEAST_STEPS or task.status not in {"working", "context_warning", "error"}:
        return
    took_s = (now - task.received_at).total_seconds()
    if past.step_s is not None and "slow_step" not in task.warned:
        usual_s = max(past.step_s, LEAST_STEP_S)
        if took_s > UNUSUAL * usual_s:
            words = (
                f"this step takes {_rounded(took_s)} s so far; 95% of its agent's steps took at most {usual_s:.0f} s"
            )
            yield _judged(task, now, "slow_step", words, took_s)
    if past.grown is not None and len(task.contexts) > 1 and "token_jump" not in task.warned:
        before, last = task.contexts[-2:]
        grew = last.used - before.used
        usual = max(past.grown, LEAST_GROWN * task.context_size)
        if grew > UNUSUAL * usual:
            words = (
                f"its context grew by {grew:,} tokens in one step; 95% of its agent's steps add at most {usual:,.0f}"
            )
            yield _judged(task, now, "token_jump", words, grew)
    if len(task.errors) >= LEAST_ERRORS and "many_errors" not in task.warned:
        share = sum(task.errors) / len(task.errors)
        if share >= max(MANY_ERRORS, UNUSUAL * past.errors):
            words = f"{share:.0%} of its last {len(task.errors)} steps are errors; usually {past.errors:.0%} are"
            yield _judged(task, now, "many_errors", words, share)


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
    if not is_silent:
        return heard_again(task, now)
    where = f" of {task.worker}" if task.worker else ""
    if task.heartbeat_s is None and (task.is_paused or task.status in {"waiting_for_approval", "paused"}):
        return None
    words = "no sign of life" if task.heartbeat_s is not None else "nothing was heard"
    if task.is_offered:
        words, where = f"no worker of {task.agent_id} has taken it", ""
    elif task.lease is not None:
        where += ", who had taken it and loses it,"
    return _judged(task, now, "silent", f"{words}{where} for {_rounded(silent_s)} s", silent_s)


def heard_again(task: Task, now: datetime) -> TaskJudged:
    """The end of a silence that was told of."""
    where = f" of {task.worker}" if task.worker else ""
    return _judged(task, now, "heard_again", f"there is a sign of life{where} again", 0)


def _judged(task: Task, at: datetime, kind: JudgementKind, text: str, value: float) -> TaskJudged:
    return TaskJudged(**about(task, at), judgement=kind, text=text, value=round(value, 4))


def _rounded(seconds: float) -> int:
    """To a number that people say."""
    return round(seconds) if seconds < 20 else round(seconds / 5) * 5  # noqa: PLR2004 - by seconds, then by fives
