"""The last runs, folded from audit.runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from schemas.command import Trigger
from schemas.run import RunState, RunStateName

MOST = 100


@dataclass(frozen=True)
class RunSeen:
    """One run, as far as it is known."""

    run_id: str
    begun: datetime
    """When Slack's event was received, or else when the first was heard of it."""
    state: RunStateName
    trigger: Trigger | None = None
    channel: str | None = None
    reason: str | None = None
    first_token_s: float | None = None
    finished_s: float | None = None
    tokens: tuple[int, int] | None = None
    model: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more follows."""
        return self.state in {"complete", "cancelled", "error"}


Runs = Mapping[str, RunSeen]
"""By run id, the longest known first."""
NONE: Runs = MappingProxyType({})


def fold(runs: Runs, record: RunState) -> Runs:
    """What is known once a record was read. Records come in their order for each run; more than the last is let go."""
    if record.run_id is None:
        return runs
    begun = record.received_at or record.at
    before = runs.get(record.run_id) or RunSeen(record.run_id, begun, record.state)
    if before.is_over:
        return runs
    known = {**runs, record.run_id: _after(before, record)}
    for run_id in list(known)[: max(0, len(known) - MOST)]:
        del known[run_id]
    return known


def newest(runs: Runs) -> tuple[RunSeen, ...]:
    """The newest first."""
    return tuple(sorted(runs.values(), key=lambda each: each.begun, reverse=True))


def _after(before: RunSeen, record: RunState) -> RunSeen:
    after = replace(
        before,
        state=record.state,
        trigger=record.trigger or before.trigger,
        channel=record.channel or before.channel,
        reason=record.reason,
    )
    if record.phases is not None:
        after = replace(after, first_token_s=record.phases.first_token, finished_s=_end(record))
    if record.usage is not None:
        tokens = record.usage.input_tokens, record.usage.output_tokens
        after = replace(after, tokens=tokens, model=record.usage.model)
    return after


def _end(record: RunState) -> float | None:
    phases = record.phases
    return None if phases is None else phases.finished or phases.last_token
