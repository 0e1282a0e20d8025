"""Opens a record of slack.inbound: an event with its names, or why it is none."""

from dataclasses import dataclass

from opentelemetry.trace import Span

from schemas.attributes import Attributes
from schemas.cause import Cause
from schemas.decision import DeadReason
from schemas.envelope import GatewayCancel, GatewayRun, SlackEnvelope
from schemas.naming import cause_of
from schemas.record import CannotRead, decode
from schemas.topics import SLACK_INBOUND
from services.directory.holding import Known, Unknown
from services.router.decisions.event import Event
from services.router.decisions.normalize import Malformed, normalize
from services.router.decisions.saying import Names
from services.router.stream.deciding import Source


@dataclass(frozen=True, slots=True)
class Dead:
    """It cannot be understood."""

    reason: DeadReason
    detail: str
    """In words, without quoting it."""


AHEAD_S = 5.0
"""How far a clock of ingress's may be ahead of the broker's. What is more would hold up all time in its partition."""


@dataclass(eq=False, slots=True)
class Opened:
    """A record that was opened. Of a type that is newer than this version there is neither event nor fault."""

    turn: str
    at: float
    event: Event | None = None
    dead: Dead | None = None
    attributes: Attributes | None = None
    names: Names | None = None
    """Of an envelope that could be decoded, even where it makes no sense."""
    known: Known | Unknown | None = None
    """Whose it is, as soon as that is found out."""
    span: Span | None = None
    """What its trace says of it, from the decision until everything that follows is written."""

    @property
    def workspace(self) -> str | None:
        """Whose workspace must be known."""
        return self.event.connection.partition(":")[2] if self.event is not None else None


def opened(source: Source) -> Opened:
    """Never fails."""
    alone = f"offset {source.offset}"
    try:
        attributes, envelope = decode(SLACK_INBOUND, source.headers, source.value)
    except CannotRead as error:
        return Opened(alone, source.appended_s, dead=Dead("not_an_envelope", str(error)))
    if not isinstance(envelope, SlackEnvelope | GatewayRun | GatewayCancel):
        return Opened(alone, source.appended_s, attributes=attributes)
    names = Names(envelope.connection, envelope.event_id, envelope.received.received_at)
    try:
        inbound = normalize(envelope)
        cause = cause_of(envelope) or Cause(f"delivery:{envelope.event_id}")
    except Malformed as error:
        return Opened(
            alone, source.appended_s, dead=Dead("malformed_payload", str(error)), attributes=attributes, names=names
        )
    except Exception as error:  # noqa: BLE001 - a mistake of ours is a dead letter, and never stops a partition
        dead = Dead("decision_failed", f"reading it failed with {type(error).__name__}")
        return Opened(alone, source.appended_s, dead=dead, attributes=attributes, names=names)
    event = Event(inbound, envelope.event_id, cause, envelope.received.received_at)
    at = max(0.0, min(event.received_at.timestamp(), source.appended_s + AHEAD_S))
    return Opened(event.connection, at, event=event, attributes=attributes, names=names)
