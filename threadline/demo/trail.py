"""What the topics say of a conversation: decisions, states of runs, and the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from schemas.base import Event
from schemas.decision import DecisionMade, Dispatched
from schemas.effect import EffectConfirmed, EffectIntended
from schemas.record import CannotRead
from schemas.run import RunCancel, RunState
from schemas.topics import AUDIT_DECISIONS, AUDIT_RUNS, SLACK_EFFECTS
from services.kit.groups import KafkaSettings
from services.kit.kafka.consumer import reader, record_of, to_end


@dataclass
class Trail:
    """Everything since a moment."""

    decisions: list[DecisionMade] = field(default_factory=list)
    states: list[RunState] = field(default_factory=list)
    cancels: list[RunCancel] = field(default_factory=list)
    effects: list[EffectIntended | EffectConfirmed] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """One record."""
        match event:
            case DecisionMade():
                self.decisions.append(event)
            case RunState():
                self.states.append(event)
            case RunCancel():
                self.cancels.append(event)
            case EffectIntended() | EffectConfirmed():
                self.effects.append(event)
            case _:
                pass

    def run_of(self, ts: str) -> str | None:
        """The run that a message led to."""
        for made in self.decisions:
            if isinstance(made.decision, Dispatched) and made.decision.cause.endswith(ts):
                return made.decision.run_id
        return None

    def ended(self, run_id: str | None) -> RunState | None:
        """How a run ended; none while it goes on."""
        last = [
            each for each in self.states if each.run_id == run_id and each.state in {"complete", "cancelled", "error"}
        ]
        return last[0] if last else None

    def methods(self, run_id: str | None) -> list[str]:
        """What was meant for a run, in its order."""
        mine = [each for each in self.effects if each.effect.run_id == run_id and isinstance(each, EffectIntended)]
        return [each.effect.method for each in mine]

    def told(self, run_id: str | None) -> Iterable[str]:
        """The story of a run, in lines."""
        mine = [each for each in self.states if each.run_id == run_id]
        if run_id is None or not mine:
            yield "nothing is known of a run"
            return
        yield f"run {run_id[:8]}: {' → '.join(each.state for each in mine)}"
        phases = mine[-1].phases
        if phases is not None:
            times = [(name, value) for name, value in phases.model_dump().items() if value is not None]
            yield "after Slack's receipt: " + ", ".join(
                f"{name.replace('_', ' ')} {value:.2f} s" for name, value in times
            )
        yield f"ledger: {', '.join(self.methods(run_id))}"


async def read_trail(settings: KafkaSettings, since: datetime) -> Trail:
    """Reads the three topics to their ends."""
    trail = Trail()
    for topic in (AUDIT_DECISIONS, AUDIT_RUNS, SLACK_EFFECTS):
        async with reader(settings, topic, since) as consumer:
            async for raw in to_end(consumer):
                try:
                    _, event = record_of(raw, settings.topic_prefix).decode()
                except CannotRead:
                    continue  # a claim that needs it does not hold then
                if isinstance(event, Event):
                    trail.take(event)
    return trail
