"""How long a task that is over is known.

Whoever folds the log forgets it by the log's own moments, so that the same events make the same tables whenever they
are folded. Its rows go a day later, when nothing that is folded now can still be from before.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schemas.agent import AgentEvent
from services.supervisor.decisions.task import Task

KEPT: Final = timedelta(days=90)
MORE: Final = timedelta(days=1)


@dataclass(frozen=True)
class Keeping:
    """For how long, as of a moment."""

    kept: timedelta
    now: datetime

    @property
    def before(self) -> datetime:
        """Rows of tasks that were over by then, and not heard of since, go."""
        return self.now - self.kept - MORE


def is_forgotten(task: Task, event: AgentEvent, kept: timedelta) -> bool:
    """Whether a task is over for so long that what comes now is about another."""
    at: datetime = getattr(event, "received_at", event.at)
    return task.is_over and at - task.received_at > kept
