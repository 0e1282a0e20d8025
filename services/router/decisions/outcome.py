"""What a gate comes to: a decision, what it changes, and what cannot be told from the envelope alone."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

from schemas.base import Name, Part
from schemas.decision import Decision
from schemas.reaction import SkipReason
from schemas.stop import StopTarget
from services.router.decisions.facts import Rule


class Change(NamedTuple):
    """Something to remember under a key, until its time is over."""

    key: str
    value: Any
    """Plain JSON."""
    until: float


class Matched(Part):
    """A rule met what happened."""

    kind: Literal["matched"] = "matched"
    rule_name: Name
    summary: str
    candidate_count: int


class Skipped(Part):
    """Rules were looked at, and none leads to a run."""

    kind: Literal["skipped"] = "skipped"
    reason: SkipReason
    candidate_count: int


Evaluation: TypeAlias = Matched | Skipped


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was decided. With the envelope it is enough to say everything that is to be said, word for word."""

    decision: Decision
    changes: tuple[Change, ...] = ()
    evaluation: Evaluation | None = None
    rule: Rule | None = None
    """The one that matched, whether or not its run may start. It is for whoever holds rules against a log."""
    prompt: str | None = None
    """The template of the rule that matched."""
    target: StopTarget | None = None
    may_stop_anyone: bool = False
