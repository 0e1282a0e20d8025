"""What came of taking decisions again: how many, every difference, and how often each kind of it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from schemas.decision import DecisionMade
from services.router.replay.code import Code, code_here
from services.router.replay.difference import Difference
from services.router.replay.differences import Differences
from services.router.replay.redeciding import Redecided
from services.router.stream.deciding import Source


@dataclass
class Replayed:
    """A stretch of the log, decided again."""

    since: datetime
    until: datetime
    against: str
    """Which directory it was decided under."""
    code: Code = field(default_factory=code_here)
    """What decided."""
    warmed_up: int = 0
    """Records before the stretch whose decisions it rests on."""
    warmed_up_otherwise: int = 0
    """Of these, how many would be decided otherwise today; what was recorded counts."""
    is_cut: bool = False
    """Whether what it rests on may have been deleted in part."""
    decided: int = 0
    undecided: int = 0
    """Records of the stretch of which no decision stands: there is nothing to compare with."""
    forgotten: int = 0
    """Records whose tenant the directory has forgotten: nobody knows what they were decided with."""
    kinds: Counter[str] = field(default_factory=Counter)
    differences: Differences = field(default_factory=Differences)

    def take(self, source: Source, recorded: DecisionMade | None, again: Redecided) -> None:
        """One record more."""
        if recorded is None:
            self.undecided += 1
            return
        self.decided += 1
        if recorded.decision != again.decision:
            found = Difference(
                partition=source.partition,
                offset=source.offset,
                event_id=recorded.event_id,
                connection=recorded.connection,
                received_at=recorded.received_at,
                before=recorded.decision,
                after=again.decision,
            )
            self.kinds[found.kind] += 1
            self.differences.add(found)
