"""slack.inbound: what Slack or a program handed in, as it was received, plus how and when."""

from typing import Literal

from pydantic import JsonValue

from schemas.base import Event, Instant, Name, Part

EnvelopeKind = Literal["events_api", "slash_commands", "interactive"]


class Received(Part):
    """How an envelope came in."""

    transport: Literal["socket", "http", "gateway"]
    received_at: Instant
    """When the first byte was in hand. Decisions take their time from it."""
    ingress: Name
    """Which ingress process took it."""
    slot: int | None = None
    """Which of an app's sockets it came by."""
    envelope_id: Name | None = None
    retry_attempt: int = 0
    retry_reason: str | None = None


class SlackEnvelope(Event):
    """One delivery of Slack's. Its payload is untouched, but `token` is dropped and `response_url` is encrypted."""

    type: Literal["slack.envelope"] = "slack.envelope"
    kind: EnvelopeKind
    connection: Name
    event_id: Name
    received: Received
    payload: dict[str, JsonValue]


class GatewayRun(Event):
    """A program asks for an answer, through the same gates as a person."""

    type: Literal["gateway.run"] = "gateway.run"
    connection: Name
    event_id: Name
    received: Received
    tenant_id: Name
    """The tenant of the bearer token it came with."""
    token_id: Name
    """Which token asked; never the token."""
    request_key: Name
    """The program's idempotency key."""
    text: str
    agent: Name | None = None
    channel_id: Name | None = None
    thread_ts: Name | None = None


class GatewayCancel(Event):
    """A program asks to end a run."""

    type: Literal["gateway.cancel"] = "gateway.cancel"
    connection: Name
    event_id: Name
    received: Received
    tenant_id: Name
    token_id: Name
    request_key: Name
    run_id: Name


Envelope = SlackEnvelope | GatewayRun | GatewayCancel
