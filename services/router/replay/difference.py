"""Where a decision that is taken again is another: every difference, and how often each kind of it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas.base import Instant, Name, Part
from schemas.decision import Decision, DecisionMade
from services.router.replay.redeciding import Redecided
from services.router.stream.deciding import Source


class Difference(Part):
    """One record that would be decided otherwise."""

    partition: int
    offset: int
    event_id: Name | None
    connection: Name | None
    received_at: Instant | None
    before: Decision
    after: Decision

    @property
    def kind(self) -> str:
        """In a few words: from what to what."""
        before, after = in_words(self.before), in_words(self.after)
        return f"{before} → {after if after != before else 'the same, with other particulars'}"


@dataclass
class Replayed:
    """A stretch of the log, decided again."""

    since: datetime
    until: datetime
    against: str
    """Which directory it was decided under."""
    warmed_up: int = 0
    """Records before the stretch whose decisions it rests on."""
    warmed_up_otherwise: int = 0
    """Of these, how many would be decided otherwise today; what was recorded counts."""
    decided: int = 0
    undecided: int = 0
    """Records of the stretch of which no decision stands: there is nothing to compare with."""
    kinds: Counter[str] = field(default_factory=Counter)
    differences: list[Difference] = field(default_factory=list)

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
            self.differences.append(found)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "from": self.since.isoformat(),
            "to": self.until.isoformat(),
            "against": self.against,
            "warmed_up": self.warmed_up,
            "warmed_up_otherwise": self.warmed_up_otherwise,
            "decided": self.decided,
            "undecided": self.undecided,
            "kinds": dict(sorted(self.kinds.items())),
            "differences": [each.model_dump(mode="json") for each in self.differences],
        }

    def as_markdown(self) -> str:
        """For people."""
        otherwise = f", {self.warmed_up_otherwise} of which would be others today" if self.warmed_up_otherwise else ""
        stretch = f"From {self.since:%Y-%m-%d %H:%M:%S} to {self.until:%Y-%m-%d %H:%M:%S} UTC, {self.against}."
        again = f"{self.decided} decisions were taken again, {len(self.differences)} of them otherwise."
        rest = f"What they rest on comes from {self.warmed_up} recorded decisions before them{otherwise}."
        lines = ["# Decisions taken again", "", stretch, "", f"{again} {rest}"]
        if self.undecided:
            lines += ["", f"{self.undecided} records have no decision that could be compared."]
        if self.differences:
            lines += ["", "| from | to | how often |", "|---|---|---|"]
            lines += [f"| {' | '.join(kind.split(' → '))} | {count} |" for kind, count in sorted(self.kinds.items())]
            lines += ["", "| record | event | received | before | after |", "|---|---|---|---|---|"]
            lines += [_row(each) for each in self.differences]
        return "\n".join(lines) + "\n"


def _row(found: Difference) -> str:
    at = f"{found.received_at:%Y-%m-%d %H:%M:%S}" if found.received_at else ""
    where = f"{found.partition}/{found.offset}"
    return f"| {where} | {found.event_id or ''} | {at} | {in_words(found.before)} | {in_words(found.after)} |"


def in_words(decision: Decision) -> str:  # noqa: PLR0911 - one for each kind
    """What a decision comes to, without the ids in it."""
    match decision.kind:
        case "dispatched":
            rule = f" by the rule {decision.rule_name}" if decision.rule_name else ""
            return f"dispatched to {decision.agent_id}{rule}"
        case "duplicate":
            return f"duplicate of the {decision.of}"
        case "throttled":
            return f"throttled by the {decision.bucket}'s limit"
        case "ignored":
            return f"ignored: {decision.reason}"
        case "control":
            return f"stop by {decision.source}" + ("" if decision.permitted else ", not permitted")
        case "interaction":
            return f"interaction: {decision.interaction}"
        case "dead_letter":
            return f"dead letter: {decision.reason}"
        case _:
            return "unknown workspace"
