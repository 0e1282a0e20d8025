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


class Orders:
    """Set by one thread, read by any. Whoever listens is called in the thread that hears of a change."""

    def __init__(self, task_id: str, heartbeat: float) -> None:
        self.task_id = task_id
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
        if version == self.version:
            return
        if (cancel := wanted.get("cancel")) is not None and self.cancel is None:
            self.cancel = Cancel(cancel.get("by"), cancel.get("reason"))
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

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls it after each change, until what this gives back is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)
