"""A run that something asks for, before it is known whether it may start."""

from dataclasses import dataclass

from schemas.command import Trigger
from services.router.decisions.facts import Rule
from services.router.decisions.outcome import Evaluation


@dataclass(frozen=True, slots=True)
class Wanted:
    """What asks, of whom, and where."""

    trigger: Trigger
    cause: str
    agent_id: str | None
    """None where a rule must still say who answers."""
    channel: str | None
    sender: str
    thread_ts: str | None = None
    """The thread that is followed from now on."""
    rule: Rule | None = None
    evaluation: Evaluation | None = None
    asks: bool = True
    """Whether a person knows to have asked, and is told where it is refused."""
    message_ts: str | None = None
    """The message that asked."""
