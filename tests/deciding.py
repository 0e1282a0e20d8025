"""A tenant, and a router without a broker: envelopes in, decisions and what they lead to out."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from schemas.base import Event as Fact
from schemas.cause import Cause
from schemas.decision import Decision
from schemas.envelope import Envelope, EnvelopeKind, GatewayCancel, GatewayRun, Received, SlackEnvelope
from schemas.naming import cause_of
from schemas.slack import connection_of, event_id_of
from services.router.decisions import saying
from services.router.decisions.decide import decide
from services.router.decisions.event import Event
from services.router.decisions.facts import Agent, Facts, Limit, Tenant
from services.router.decisions.normalize import normalize
from services.router.decisions.verdict import Verdict, verdict_of
from services.router.stream.memory import Memory
from services.router.stream.row import Row
from tests.samples import event_callback

START_S = 1_772_442_900.0
MARA = Agent("mara", "Mara", default=True)
ACME = Tenant(
    "acme",
    agents=(MARA,),
    limits=(Limit("connection", 30, 30),),
    homes=frozenset({"T1"}),
    stoppers=frozenset({"UBOSS"}),
)


@dataclass
class Told:
    """What became of one envelope."""

    decision: Decision
    sent: tuple[saying.Outgoing, ...]
    verdict: Verdict

    @property
    def kind(self) -> str:
        return self.decision.kind

    @property
    def facts(self) -> list[Fact]:
        """Everything but the decision itself."""
        return [each.fact for each in self.sent[:-1]]

    def only(self, kind: type[Any]) -> Any:
        """The one fact of a kind."""
        [found] = [fact for fact in self.facts if isinstance(fact, kind)]
        return found

    def types(self) -> list[str]:
        return [type(fact).__name__ for fact in self.facts]


@dataclass
class Deciding:
    """Decides as the router does: each record once, with the memory of those before it."""

    tenant: Tenant | None = ACME
    memory: Memory = field(default_factory=Memory)
    at_s: float = START_S
    offset: int = 0
    number: int = 0

    def wait(self, seconds: float) -> None:
        self.at_s += seconds

    def has(self, **changes: Any) -> None:
        """The directory says something else from now on."""
        assert self.tenant is not None
        self.tenant = replace(self.tenant, **changes)

    def envelope(self, kind: EnvelopeKind, payload: dict[str, Any], envelope_id: str | None = None) -> SlackEnvelope:
        self.number += 1
        received = Received(transport="socket", received_at=self.now, ingress="i", envelope_id=envelope_id)
        return SlackEnvelope(
            at=self.now,
            kind=kind,
            connection=connection_of(payload, "A1"),
            event_id=event_id_of(kind, payload, envelope_id or f"e{self.number}", "A1"),
            received=received,
            payload=payload,
        )

    @property
    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at_s, UTC)

    def take(self, envelope: Envelope) -> Told:
        """Decides one envelope."""
        cause = cause_of(envelope) or Cause(f"delivery:{envelope.event_id}")
        event = Event(normalize(envelope), envelope.event_id, cause, envelope.received.received_at)
        now = max(self.memory.clock, event.received_at.timestamp())
        facts, at = Facts(self.tenant, 7, self.memory), datetime.fromtimestamp(now, UTC)
        outcome = decide(event, facts, at)
        verdict = verdict_of(outcome, event, facts, at)
        self.memory.keep(self.offset, Row(now, self.memory.lasting(outcome.changes, now), outcome.changes, b""))
        sent = saying.say(event, verdict, saying.Source(0, self.offset))
        self.offset += 1
        return Told(outcome.decision, sent, verdict)

    def event(self, event: dict[str, Any], **outer: Any) -> Told:
        """A delivery of the Events API."""
        self.number += 1
        payload = event_callback(event, **{"event_id": f"Ev{self.number}", **outer})
        return self.take(self.envelope("events_api", payload))

    def message(self, text: str = "hello", ts: str | None = None, **changes: Any) -> Told:
        outer = changes.pop("outer", {})
        return self.event(message(text, ts or self.ts(), **changes), **outer)

    def mention(self, text: str = "<@UBOT> hello", ts: str | None = None, **changes: Any) -> Told:
        outer = changes.pop("outer", {})
        return self.event(mention(text, ts or self.ts(), **changes), **outer)

    def click(self, action_id: str, value: str = "", **changes: Any) -> Told:
        self.number += 1
        payload = {
            "type": "block_actions",
            "api_app_id": "A1",
            "team": {"id": "T1"},
            "user": {"id": "UANNA"},
            "channel": {"id": "C1"},
            "container": {"type": "message", "message_ts": "5.5", "channel_id": "C1", "thread_ts": "1.1"},
            "actions": [{"action_id": action_id, "value": value, "action_ts": f"{self.number}.5"}],
            "trigger_id": "t.1",
            **changes,
        }
        return self.take(self.envelope("interactive", payload, f"click-{self.number}"))

    def command(self, command: str, text: str = "", **changes: Any) -> Told:
        self.number += 1
        payload = {
            "command": command,
            "text": text,
            "api_app_id": "A1",
            "team_id": "T1",
            "user_id": "UANNA",
            "user_name": "anna",
            "channel_id": "C1",
            "channel_name": "help",
            "trigger_id": f"trigger.{self.number}",
            **changes,
        }
        return self.take(self.envelope("slash_commands", payload, f"command-{self.number}"))

    def program(self, text: str = "hello", key: str | None = None, **changes: Any) -> Told:
        self.number += 1
        key = key or f"key-{self.number}"
        facts = {
            "at": self.now,
            "connection": "A1:T1",
            "event_id": f"gateway:A1:T1:{key}",
            "received": Received(transport="gateway", received_at=self.now, ingress="i"),
            "tenant_id": "acme",
            "token_id": "token-1",
            "request_key": key,
            "text": text,
            **changes,
        }
        return self.take(GatewayRun(**facts))

    def cancel(self, run_id: str) -> Told:
        self.number += 1
        key = f"cancel-{self.number}"
        received = Received(transport="gateway", received_at=self.now, ingress="i")
        return self.take(
            GatewayCancel(
                at=self.now,
                connection="A1:T1",
                event_id=f"gateway-cancel:A1:T1:{run_id}:{key}",
                received=received,
                tenant_id="acme",
                token_id="token-1",
                request_key=key,
                run_id=run_id,
            )
        )

    def ts(self) -> str:
        """A message's name that was not there before."""
        return f"{int(self.at_s)}.{self.number + 1:06d}"


def message(text: str, ts: str, **changes: Any) -> dict[str, Any]:
    """What Slack says of a message."""
    said = {"type": "message", "user": "UANNA", "text": text, "ts": ts, "channel": "C1", "channel_type": "channel"}
    return {**said, "event_ts": ts, **changes}


def mention(text: str, ts: str, **changes: Any) -> dict[str, Any]:
    """What Slack says of a message that mentions the app."""
    said = {"type": "app_mention", "user": "UANNA", "text": text, "ts": ts, "channel": "C1", "event_ts": ts}
    return {**said, **changes}
