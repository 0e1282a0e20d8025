"""What a program is told of a run that it asked for: a fold of what the audit says of it."""

from typing import Any, Final

from schemas.base import Part
from schemas.cause import gateway_cause
from schemas.decision import DecisionMade, Dispatched
from schemas.ids import run_id
from schemas.run import RunState

Json = dict[str, Any]

GATEWAY: Final = "gateway"
_RANK: Final = {"start": 1, "cancel_requested": 2, "complete": 3, "cancelled": 3, "error": 3}
"""How far a run has come."""


def event_id_of(connection: str, request_key: str) -> str:
    """The name of a program's request: a repeat has the same."""
    return f"{GATEWAY}:{connection}:{request_key}"


def cancel_id_of(connection: str, run: str, request_key: str) -> str:
    """Likewise for a request to end a run."""
    return f"{GATEWAY}-cancel:{connection}:{run}:{request_key}"


def asked_for(event_id: str | None, connection: str | None) -> str | None:
    """The run that a request of a program asks for; none where the event is no such request."""
    beginning = f"{GATEWAY}:{connection}:"
    if event_id is None or connection is None or not event_id.startswith(beginning):
        return None
    return run_id(connection, gateway_cause(event_id.removeprefix(beginning)).name)


class RunView(Part):
    """A run as its program may see it."""

    run_id: str
    tenant_id: str
    state: str
    """`accepted`, then a state of `audit.runs`; `refused` where the router decided otherwise than to run it."""
    at: str
    decision: Json | None = None
    reason: str | None = None
    phases: Json | None = None
    usage: Json | None = None

    def shown(self) -> Json:
        """For the program."""
        return self.model_dump(exclude={"tenant_id"}, exclude_none=True)


def with_decision(before: RunView | None, decided: DecisionMade) -> RunView | None:
    """After the router has decided about the request."""
    run = asked_for(decided.event_id, decided.connection)
    tenant_id = decided.tenant_id or (before.tenant_id if before else None)
    if run is None or tenant_id is None or decided.decision.kind == "duplicate" or _is_anothers(before, tenant_id):
        return before
    decision = decided.decision.model_dump(mode="json")
    if before is not None and before.state not in {"accepted", "refused"}:
        return before.model_copy(update={"decision": decision})
    state = "accepted" if isinstance(decided.decision, Dispatched) else "refused"
    return RunView(run_id=run, tenant_id=tenant_id, state=state, at=decided.at.isoformat(), decision=decision)


def with_state(before: RunView | None, event: RunState) -> RunView | None:
    """After the run has entered a state. An end is an end, and nothing begins again, whatever else is heard of it."""
    if event.run_id is None or event.origin != GATEWAY or _is_anothers(before, event.tenant_id):
        return before
    if before is not None and _RANK.get(event.state, 0) <= _RANK.get(before.state, -1):
        return before
    return RunView(
        run_id=event.run_id,
        tenant_id=event.tenant_id,
        state=event.state,
        at=event.at.isoformat(),
        decision=before.decision if before else None,
        reason=event.reason,
        phases=event.phases.model_dump(mode="json", exclude_none=True) if event.phases else None,
        usage=event.usage.model_dump(mode="json", exclude_none=True) if event.usage else None,
    )


def _is_anothers(before: RunView | None, tenant_id: str) -> bool:
    return before is not None and before.tenant_id != tenant_id
