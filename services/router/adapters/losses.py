"""Where each partition is read on, and the words for it where something is missing."""

from services.router.adapters.operations import Operations
from services.router.stream.beginning import Beginning, Gap, Standing, begins_at, gap_in, is_accepted

_MISSING = {
    "events_gone": "retention deleted what follows the commit (offsets {first} to {last}) before it was decided",
    "commit_gone": "the group has no commit, and the journal has rows: where it stood nobody can tell",
    "log_replaced": "the log ends before the commit: the topic was made anew",
}
PAUSED = "it was paused for the number of its dead letters; `threadline dlq resume` goes on"


def place_to_begin(partition: int, standing: Standing, highest: int | None, operations: Operations) -> Beginning:
    """The offset, and why it is not to be read yet. `highest` is the highest row of the journal."""
    halted = PAUSED if partition in operations.paused else None
    gap = gap_in(standing, highest)
    if gap is None:
        return Beginning(begins_at(standing), halted)
    accepted = operations.accepted.get(partition)
    if accepted is not None and is_accepted(gap, accepted):
        return Beginning(accepted.go_on_at, halted, is_elsewhere=True, is_of_another_log=gap.kind == "log_replaced")
    return Beginning(gap.go_on_at, told(gap))


def told(gap: Gap) -> str:
    """What is missing, and what to do."""
    what = _MISSING[gap.kind].format(first=gap.first_lost, last=gap.go_on_at - 1)
    return f"{what}. Nothing is read there until `threadline offsets accept-loss` takes note of it"
