"""audit.operations: where a service stopped or went on behind a gap, and what an operator decided about it."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from schemas.base import Event, Name

LossKind = Literal["events_gone", "commit_gone", "log_replaced"]
"""Why a partition cannot be read on without a gap: what follows the commit was deleted by retention, the group has no
commit beside a journal that has rows, or the log ends before the commit and was made anew."""


HowSettled = Literal["replayed", "dropped"]
"""Put back where it came from, or to be forgotten."""


class LettersPaused(Event):
    """So much could not be understood that a router reads no further in a partition until somebody has looked."""

    type: Literal["letters.paused"] = "letters.paused"
    pause_id: Name
    partition: int
    offset: int
    """The first record that was left where it is."""
    consecutive: int
    of_the_last: int
    """How many of the last records that were looked at were given up on."""


class LettersResumed(Event):
    """An operator has looked, and lets a router read on."""

    type: Literal["letters.resumed"] = "letters.resumed"
    partition: int
    offset: int


class LetterSettled(Event):
    """An operator has dealt with a dead letter: it was put back where it came from, or is to be forgotten."""

    type: Literal["letter.settled"] = "letter.settled"
    letter_id: Name
    how: HowSettled
    partition: int = 0
    """Of dead.letters."""


class LossAccepted(Event):
    """An operator has taken note that a stretch of the log was never decided, and lets a router go on behind it."""

    type: Literal["loss.accepted"] = "loss.accepted"
    kind: LossKind
    partition: int
    first_lost: int | None
    """None where nobody can tell where the loss begins."""
    go_on_at: int


class CommandsGone(Event):
    """Retention deleted commands before they were done with. The responder goes on: what is newer is not to wait."""

    type: Literal["commands.gone"] = "commands.gone"
    partition: int
    """Of runs.commands."""
    first_lost: int
    go_on_at: int
    begun: tuple[Name, ...] = ()
    """Runs among them that had been begun in Slack: they end with a word on that."""


Operation: TypeAlias = Annotated[
    LettersPaused | LettersResumed | LetterSettled | LossAccepted | CommandsGone, Field(discriminator="type")
]
