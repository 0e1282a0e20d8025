"""A router to which nothing happens: decides a log again, one record after the other, and sends nothing."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from schemas.command import Trigger
from schemas.decision import (
    Control,
    DeadLettered,
    Decision,
    Dispatched,
    Duplicate,
    Ignored,
    Interaction,
    UnknownWorkspace,
)
from services.router.adapters.opening import Opened, opened
from services.router.decisions import idempotency, keys, rate_limit
from services.router.decisions.decide import decide
from services.router.decisions.dispatch import followed
from services.router.decisions.event import Event
from services.router.decisions.facts import Facts, Tenant
from services.router.decisions.outcome import Change, Outcome
from services.router.decisions.place import message_ts_of, where
from services.router.decisions.wanted import Wanted
from services.router.stream.deciding import Source
from services.router.stream.memory import Memory
from services.router.stream.row import Row

Whose = Callable[[str], Tenant | None]
"""The tenant who owns a workspace, as some directory has it."""

FORGETS_AFTER: Final = 64
"""Looking for what can be let go of costs the more the longer the log is: it is done after so many records."""
FORGETS: Final = 1000
"""So many rows are let go of then: more than came, so that memory stays flat."""
REVISION: Final = 0
"""No decision rests on which revision it was, and what is decided again is not written down."""


@dataclass(frozen=True, slots=True)
class Redecided:
    """One record, decided again."""

    opened: Opened
    outcome: Outcome
    tenant_id: str | None

    @property
    def decision(self) -> Decision:
        """What was decided."""
        return self.outcome.decision


class Redecider:
    """Remembers what its decisions changed, as a router does."""

    def __init__(self) -> None:
        self._memories: dict[int, Memory] = defaultdict(Memory)

    def decide(self, source: Source, whose: Whose) -> Redecided:
        """Decides a record, in the order of its partition."""
        found, memory, now, tenant = self._ready(source, whose)
        outcome = self._outcome(found, memory, now, tenant)
        self._keep(source, memory, now, outcome.changes)
        return Redecided(found, outcome, tenant.id if tenant is not None else None)

    def follow(self, source: Source, whose: Whose, recorded: Decision) -> bool:
        """Takes in what was decided back then. Gives whether it would be decided so today."""
        found, memory, now, tenant = self._ready(source, whose)
        outcome = self._outcome(found, memory, now, tenant)
        is_same = outcome.decision == recorded
        changes = outcome.changes if is_same else tuple(_marks(recorded, found, tenant, memory, now))
        self._keep(source, memory, now, changes)
        return is_same

    def _ready(self, source: Source, whose: Whose) -> tuple[Opened, Memory, float, Tenant | None]:
        found, memory = opened(source), self._memories[source.partition]
        tenant = whose(found.workspace) if found.workspace is not None else None
        return found, memory, max(memory.clock, found.at), tenant

    @staticmethod
    def _outcome(found: Opened, memory: Memory, now: float, tenant: Tenant | None) -> Outcome:
        if found.dead is not None:
            return Outcome(DeadLettered(reason=found.dead.reason))
        if found.event is None:
            return Outcome(Ignored(reason="unknown_event"))
        return decide(found.event, Facts(tenant, REVISION, memory), datetime.fromtimestamp(now, UTC))

    @staticmethod
    def _keep(source: Source, memory: Memory, now: float, changes: tuple[Change, ...]) -> None:
        memory.keep(source.offset, Row(now, memory.lasting(changes, now), changes, b""))
        memory.settle(source.offset)
        if source.offset % FORGETS_AFTER == 0:
            memory.forget(FORGETS)


def _marks(recorded: Decision, found: Opened, tenant: Tenant | None, memory: Memory, now: float) -> list[Change]:
    """What a decision left behind that today's code, or another directory, would not take."""
    event = found.event
    if event is None or tenant is None or isinstance(recorded, Duplicate | UnknownWorkspace | DeadLettered):
        return []
    marks = [idempotency.known(event, now)]
    match recorded:
        case Dispatched(trigger=trigger, agent_id=agent_id):
            wanted, facts = _wanted(event, trigger, agent_id), Facts(tenant, REVISION, memory)
            granted = rate_limit.gate(wanted, keys.of(event.connection, tenant.id), tenant, facts, now)
            marks += idempotency.claims(event, now)
            marks += granted.changes if isinstance(granted, rate_limit.Granted) else ()
            marks += followed(wanted, event, tenant, now)
        case Control():
            marks += idempotency.claims(event, now)
        case Interaction(interaction="retry"):
            marks += idempotency.claims(event, now)
        case _:
            pass  # that the delivery is known is all that it leaves
    return marks


def _wanted(event: Event, trigger: Trigger, agent_id: str) -> Wanted:
    channel, thread = where(event)
    sender = event.inbound.origin.sender or ""
    return Wanted(trigger, event.cause.name, agent_id, channel, sender, thread, message_ts=message_ts_of(event))
