"""One thing that an app is to be told, and every attempt to tell it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from services.slack_sim.world.moments import Timer

Kind = Literal["events_api", "slash_commands", "interactive"]
State = Literal["waiting", "sent", "acknowledged", "given up", "lost"]
Answered = Callable[["Delivery", dict[str, Any] | None], None]
"""Told of a delivery's acknowledgement, with its payload; without one when there was none in time."""


@dataclass(slots=True)
class Attempt:
    """One try."""

    id: str
    number: int
    over: str
    """`socket 3`, or `http`."""
    sent_at: float
    reason: str = ""
    """Why it is tried again."""
    acknowledged_at: float | None = None
    failure: str | None = None


@dataclass(slots=True)
class Delivery:
    """What is told, to whom, and how far it has come."""

    number: int
    app_id: str
    team_id: str
    kind: Kind
    name: str
    """The event's type, the command, or the interaction's type."""
    body: str
    """The payload, as JSON."""
    made_at: float
    event_id: str | None = None
    form: dict[str, str] | None = None
    """A command's fields, which HTTP carries as a form."""
    url: str | None = None
    """Where HTTP takes it."""
    takes_answer: bool = False
    answered: Answered | None = None
    state: State = "waiting"
    attempts: list[Attempt] = field(default_factory=list)
    failures: int = 0
    timer: Timer | None = None
    late: bool = False
    """Whether it was acknowledged only after its deadline."""

    @property
    def acknowledged_at(self) -> float | None:
        """When it was first acknowledged."""
        return next((each.acknowledged_at for each in self.attempts if each.acknowledged_at is not None), None)
