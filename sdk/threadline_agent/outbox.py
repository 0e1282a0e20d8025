"""What waits to be sent: in its order, within bounds, and what is given up first where it becomes too much."""

import threading
from collections import deque
from dataclasses import dataclass, replace

from threadline_agent import fit
from threadline_agent.checkpoint import AgentCheckpoint, Said
from threadline_agent.events import NAMES, Event, Task
from threadline_agent.notices import warn_once

MOST_WEIGHT = 3 * 2**20
"""Of events that wait or are on their way, in bytes."""
FOR_ENDS = 2**18
"""Only ends of tasks may take up this much more: a task that is over should never seem to go on."""
MOST_EVENTS = 100
"""In one request."""
REQUEST_WEIGHT = 400 * 1024


@dataclass(slots=True)
class Debt:
    """What a task's next checkpoint tells beside its own: of those that were left out before it."""

    checkpoints: int = 0
    cost: float = 0.0


class Outbox:
    """Two lines, of plain checkpoints and of everything else, which leave in the order in which all of them came.

    Plain checkpoints are given up first, the oldest of them before. What they cost goes to the next one of their task.
    The lock can be taken again by whoever holds it: a signal's handler may report something, too.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._plain: deque[Event] = deque()
        self._important: deque[Event] = deque()
        self._debts: dict[Task, Debt] = {}
        self.weight = 0
        self.left_out = 0

    def __len__(self) -> int:
        return len(self._plain) + len(self._important)

    def put(self, event: Event) -> bool:
        """Takes an event; says whether there was room for it."""
        bound = MOST_WEIGHT + (FOR_ENDS if event.kind == "task.ended" else 0)
        with self._lock:
            while self.weight + event.weight > bound and self._plain:
                self._give_up(self._plain.popleft())
            if self.weight + event.weight > bound:
                self._give_up(event, was_in=False)
                return False
            event.number = next(NAMES.numbers)
            self.weight += event.weight
            (self._important if event.important else self._plain).append(event)
        return True

    def take(self) -> list[Event]:
        """The next ones, for one request. They count until they are `done`."""
        taken: list[Event] = []
        weight = 0
        while len(taken) < MOST_EVENTS - 1:  # an end may bring what is owed before it
            with self._lock:  # anew for each, so that an agent never waits for all of them
                line = self._next()
                if not line or (taken and weight + line[0].weight > REQUEST_WEIGHT):
                    break
                event = line.popleft()
                taken += self._with_debts(event)
            weight += event.weight
        return taken

    def done(self, event: Event) -> None:
        """It is with the supervisor, or will never be."""
        with self._lock:
            self.weight -= event.weight

    def told_of_left_out(self) -> int:
        """How many were left out since this was asked last."""
        with self._lock:
            left_out, self.left_out = self.left_out, 0
        return left_out

    def _next(self) -> deque[Event]:
        if not self._plain or not self._important:
            return self._plain or self._important
        return self._plain if self._plain[0].number < self._important[0].number else self._important

    def _give_up(self, event: Event, *, was_in: bool = True) -> None:
        warn_once("full", "too much waits to be sent to the supervisor: the oldest checkpoints are left out")
        self.left_out += 1
        if was_in:
            self.weight -= event.weight
        if event.kind == "task.ended":
            self._debts.pop(event.task, None)
        elif isinstance(event.says, Said | AgentCheckpoint):
            debt = self._debts.setdefault(event.task, Debt())
            debt.checkpoints += 1
            debt.cost += fit.cost(event.says.cost) or 0.0
        if event.lost is not None:
            event.lost("too much waits to be sent")

    def _with_debts(self, event: Event) -> list[Event]:
        """The event; where its task owes something, that is told by its next checkpoint, or by one before its end."""
        if not self._debts or event.task not in self._debts:
            return [event]
        if (checkpoint := event.checkpoint()) is not None:
            event.says = _owing(checkpoint, self._debts.pop(event.task))
            return [event]
        if event.kind != "task.ended":
            return [event]
        last = Event("task.checkpoint", event.task, _owing(AgentCheckpoint("Ending"), self._debts.pop(event.task)))
        last.at = event.at
        last.number = next(NAMES.numbers)
        self.weight += last.weight
        return [last, event]


def _owing(checkpoint: AgentCheckpoint, debt: Debt) -> AgentCheckpoint:
    cost = (checkpoint.cost or 0.0) + debt.cost
    details = {**(checkpoint.details or {}), "checkpoints_left_out": debt.checkpoints}
    return replace(checkpoint, cost=cost if debt.cost else checkpoint.cost, details=details)
