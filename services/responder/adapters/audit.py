"""Writes what became of runs on audit.runs: once for each run and state, however often it is said."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from schemas import ids
from schemas.base import Instant
from schemas.command import FeedbackGiven, Place, Trigger
from schemas.run import Origin, PhaseTimes, RunCancel, RunFeedback, RunState, RunStateName, Usage
from schemas.stop import StopRequested
from services.kit.clock import Clock
from services.responder.adapters.audit_topic import AuditTopic


@dataclass(frozen=True)
class Audited:
    """A run, as its records name it."""

    run_id: str
    place: Place
    key: str
    trigger: Trigger
    agent_id: str | None
    event_id: str | None
    received_at: datetime


@dataclass
class Story:
    """How a run went, as far as it has."""

    phases: dict[str, float] = field(default_factory=dict)
    """Seconds since Slack's receipt."""
    usage: Usage | None = None
    reason: str | None = None


def origin_of(place: Place, trigger: Trigger | None) -> Origin:
    """Where a run came from, as reports count it."""
    if trigger == "gateway":
        return "gateway"
    return "dm" if (place.channel_id or "").startswith("D") else "channel"


class Audit:
    """What is written goes out behind everything else: no reply waits for it."""

    def __init__(self, topic: AuditTopic, clock: Clock) -> None:
        self._topic, self._clock = topic, clock

    async def ended(self, run: Audited, state: RunStateName, story: Story) -> None:
        """A run is over."""
        record = RunState(
            at=self._clock.now(),
            state=state,
            trigger=run.trigger,
            agent_id=run.agent_id,
            event_id=run.event_id,
            received_at=run.received_at,
            reason=story.reason,
            phases=PhaseTimes(**story.phases),
            usage=story.usage,
            **self._of(run),
        )
        await self._topic.write(run.key, record, ids.run_record_id(run.run_id, f"state:{state}"))

    async def cancelled(self, run: Audited, stop: StopRequested, acknowledged_at: Instant | None) -> float | None:
        """How a stop went. Gives the seconds that it took."""
        took = (acknowledged_at - stop.at).total_seconds() if acknowledged_at is not None else None
        record = RunCancel(
            at=self._clock.now(),
            source=stop.source,
            requested=True,
            acknowledged=acknowledged_at is not None,
            latency_ms=max(0.0, took) * 1000 if took is not None else None,
            requested_at=stop.at,
            acknowledged_at=acknowledged_at,
            stop_id=stop.stop_id,
            **self._of(run),
        )
        await self._topic.write(run.key, record, ids.run_record_id(run.run_id, f"cancel:{stop.stop_id}"))
        return took

    async def feedback(self, given: FeedbackGiven, key: str) -> None:
        """A person said whether a reply was good."""
        place = given.place
        record = RunFeedback(
            at=given.at,
            run_id=given.run_id,
            tenant_id=place.tenant_id,
            connection=place.connection,
            session=key if place.channel_id else None,
            channel=place.channel_id,
            origin=origin_of(place, None),
            verdict=given.verdict,
            given_by=given.user_id,
        )
        await self._topic.write(key, record, ids.run_record_id(given.run_id, f"feedback:{given.cause}"))

    def _of(self, run: Audited) -> dict[str, Any]:
        return {
            "run_id": run.run_id,
            "tenant_id": run.place.tenant_id,
            "connection": run.place.connection,
            "session": run.key if run.place.channel_id else None,
            "channel": run.place.channel_id,
            "origin": origin_of(run.place, run.trigger),
        }
