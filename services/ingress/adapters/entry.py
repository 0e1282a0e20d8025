"""A record on its way to where it is durable, and whoever waits for that."""

import asyncio
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from services.ingress.adapters.outgoing import Outgoing
from services.kit.fault import Fault

Kept: TypeAlias = Literal["broker", "spool"]
"""Where a record is durable."""


class NotKept(Fault):
    """It is nowhere durable, and must not be acknowledged."""


def has_succeeded(task: asyncio.Task[Any]) -> bool:
    """Whether it has ended, and well."""
    return task.done() and not task.cancelled() and task.exception() is None


@dataclass(eq=False)
class Entry:
    """One record."""

    record: Outgoing
    kept: asyncio.Future[Kept]
    at: float
    """When it was handed in, by the monotonic clock."""
    writing: asyncio.Task[Any] | None = None
    """Under way to the broker."""
    timer: asyncio.TimerHandle | None = None

    @property
    def is_written(self) -> bool:
        """Whether the broker has it."""
        return self.writing is not None and has_succeeded(self.writing)

    def settle(self, outcome: Kept | NotKept) -> None:
        """Says it to whoever waits, if somebody still does."""
        if self.kept.done():
            return
        if isinstance(outcome, NotKept):
            self.kept.set_exception(outcome)
        else:
            self.kept.set_result(outcome)

    def stop_timer(self) -> None:
        """It is no longer waited for."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
