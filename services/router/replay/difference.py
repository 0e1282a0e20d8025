"""Where a decision that is taken again is another."""

from schemas.base import Instant, Name, Part
from schemas.decision import Decision


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
