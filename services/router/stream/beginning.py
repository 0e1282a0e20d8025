"""Where a partition is read on, and whether something is missing before it."""

from dataclasses import dataclass

from schemas.operation import LossAccepted, LossKind


@dataclass(frozen=True)
class Standing:
    """A partition as its group and its log have it."""

    commit: int | None
    first: int
    """The first offset that is still there."""
    end: int
    """The offset of the next record that comes."""


@dataclass(frozen=True)
class Beginning:
    """Where a partition is read on."""

    at: int
    halted: str | None = None
    """Why it is not read yet."""
    is_elsewhere: bool = False
    """Whether that is another place than where its group stood."""
    is_of_another_log: bool = False
    """Whether the journal's rows are about a log that is no more."""


@dataclass(frozen=True)
class Gap:
    """Something was not decided, and never can be, or nobody can tell what was."""

    kind: LossKind
    first_lost: int | None
    """Of a log that was replaced, where the old one stood: no other replacement is meant."""
    go_on_at: int


def gap_in(standing: Standing, highest: int | None) -> Gap | None:
    """What is missing. `highest` is the highest row of the journal."""
    commit = standing.commit
    if commit is None:
        if highest is None:
            return None
        if highest >= standing.end:
            return Gap("log_replaced", highest, standing.first)
        return Gap("commit_gone", None, max(standing.first, highest + 1))
    if commit < standing.first:
        return Gap("events_gone", commit, standing.first)
    if commit > standing.end:
        return Gap("log_replaced", commit, standing.first)
    return None


def is_accepted(gap: Gap, accepted: LossAccepted | None) -> bool:
    """Whether an operator has taken note of it: of this gap, and not of one before it."""
    if accepted is None or accepted.kind != gap.kind or accepted.first_lost != gap.first_lost:
        return False
    return accepted.go_on_at >= gap.go_on_at if gap.kind == "events_gone" else accepted.go_on_at == gap.go_on_at


def begins_at(standing: Standing) -> int:
    """Where reading goes on, where nothing is missing."""
    return standing.first if standing.commit is None else standing.commit
