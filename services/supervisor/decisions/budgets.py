"""What agents may cost in a day: near the bound they are warned of, at the bound their tasks are told to end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.agent import Intervention, TaskJudged
from services.supervisor.decisions.following import Following, of_task
from services.supervisor.decisions.task import Task, about

NEAR: Final = 0.8
BUDGET: Final = "budget"
"""Stands where others name who wants a task to end."""


@dataclass(frozen=True)
class Budgets:
    """In US dollars a day, of a tenant; none where nothing is bounded."""

    each_agent: float | None = None
    all_agents: float | None = None

    @property
    def are_there(self) -> bool:
        """Whether anything is bounded."""
        return self.each_agent is not None or self.all_agents is not None


def judge(task: Task, budgets: Budgets, spent: Mapping[str, float], now: datetime) -> Iterator[Following]:
    """What follows for a task from what agents cost today. Said once a day."""
    bounds = (
        (f"the day's budget of agent {task.agent_id}", spent.get(task.agent_id, 0.0), budgets.each_agent),
        ("the day's budget of all agents", sum(spent.values()), budgets.all_agents),
    )
    common = about(task, now)
    for what, cost, bound in bounds:
        if bound is None or cost < NEAR * bound or task.is_over:
            continue
        said = f"${cost:.2f} of ${bound:.2f}"
        of_day = f"{what}, {now:%Y-%m-%d}"
        name = f"{of_day}:{task.life}"
        if cost < bound:
            if f"budget_80 {of_day}" not in task.warned:
                words = f"{cost / bound:.0%} of {what} is spent ({said})"
                yield of_task(
                    task,
                    TaskJudged(**common, judgement="budget_80", text=words, value=cost, about=of_day),
                    f"near {name}",
                )
            continue
        if f"budget_spent {of_day}" not in task.warned:
            words = f"{what} is spent ({said}): it is told to end"
            yield of_task(
                task,
                TaskJudged(**common, judgement="budget_spent", text=words, value=cost, about=of_day),
                f"spent {name}",
            )
        if task.cancelled_by is None:
            wants = Intervention(
                **common, action="cancel", by_user=BUDGET, text=f"{what} is spent ({said})", via="clock"
            )
            yield of_task(task, wants, f"stop {name}")
