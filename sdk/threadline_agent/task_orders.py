"""What people want of one task that runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MOST_MESSAGES = 100
"""Of a task; the newest."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Somebody wants the task to end."""

    by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AgentMessage:
    """What somebody wrote to a running task."""

    id: str
    by: str
    text: str


LOST = Cancel(None, "this worker was not heard of for too long, and the task is another's to take")


class Orders:
    """Set by one thread, read by any. Whoever listens is called in the thread that hears of a change."""

    def __init__(self, task_id: str, heartbeat: float, lease_id: str | None = None) -> None:
        self.task_id = task_id
        self.lease_id = lease_id
        """By which a worker has the task."""
        self.is_lost = False
        """Whether another may have it by now."""
        self.heartbeat = heartbeat
        """So often it is said to live, in seconds."""
        self.version = 0
        self.cancel: Cancel | None = None
        self.paused = False
        self.messages: tuple[AgentMessage, ...] = ()
        self._listeners: list[Callable[[], None]] = []

    def hear(self, wanted: Mapping[str, Any]) -> None:
        """What the supervisor says, whole. A cancel is not taken back."""
        version = int(wanted["version"])
        self.is_lost = self._is_anothers(wanted)
        if version == self.version and not self.is_lost:
            return
        if self.cancel is None:
            self.cancel = LOST if self.is_lost else _cancel_in(wanted)
        self.paused = wanted.get("paused") is True
        known = {each.id for each in self.messages}
        fresh = [
            AgentMessage(str(each["id"]), str(each.get("by")), str(each.get("text")))
            for each in wanted.get("messages") or ()
            if str(each["id"]) not in known
        ]
        self.messages = (*self.messages, *fresh)[-MOST_MESSAGES:]
        self.version = version
        for listener in tuple(self._listeners):
            listener()

    def _is_anothers(self, wanted: Mapping[str, Any]) -> bool:
        """Whether this worker has lost it: another of this process may have taken it since."""
        has_it = wanted.get("lease_id")
        is_lost = wanted.get("lease_lost") is True or has_it is not None
        return self.lease_id is not None and has_it != self.lease_id and is_lost

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls it after each change, until what this gives back is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)


def _cancel_in(wanted: Mapping[str, Any]) -> Cancel | None:
    said = wanted.get("cancel")
    return Cancel(said.get("by"), said.get("reason")) if said is not None else None
