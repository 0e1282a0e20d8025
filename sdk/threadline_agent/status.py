"""How a task does, as people see it."""

from enum import StrEnum


class AgentStatus(StrEnum):
    """The nine statuses, each with its emoji and the name of its colour.

    A program says of itself that it is starting, working, paused or in error, and how it ends. The supervisor finds out
    about the others.
    """

    STARTING = "starting"
    WORKING = "working"
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    CONTEXT_WARNING = "context_warning"
    PAUSED = "paused"
    STALLED = "stalled"
    ERROR = "error"
    CANCELLED = "cancelled"
    COMPLETE = "complete"

    @property
    def emoji(self) -> str:
        """What stands before it."""
        return _SIGNS[self][0]

    @property
    def color(self) -> str:
        """The name of its colour."""
        return _SIGNS[self][1]


_SIGNS = {
    AgentStatus.STARTING: ("🚀", "blue"),
    AgentStatus.WORKING: ("⚙️", "green"),
    AgentStatus.WAITING_FOR_APPROVAL: ("✋", "orange"),
    AgentStatus.CONTEXT_WARNING: ("⚠️", "yellow"),
    AgentStatus.PAUSED: ("⏸️", "grey"),
    AgentStatus.STALLED: ("💤", "orange"),
    AgentStatus.ERROR: ("❌", "red"),
    AgentStatus.CANCELLED: ("🛑", "grey"),
    AgentStatus.COMPLETE: ("✅", "green"),
}
REPORTED = frozenset({AgentStatus.STARTING, AgentStatus.WORKING, AgentStatus.PAUSED, AgentStatus.ERROR})
"""What a program may say of itself while it goes on."""
