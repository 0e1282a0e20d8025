"""Records for the spool and the intake."""

from datetime import UTC, datetime

from schemas.attributes import Attributes
from schemas.envelope import Received, SlackEnvelope
from schemas.record import encode
from schemas.topics import SLACK_INBOUND
from services.ingress.adapters.outgoing import Outgoing

AT = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


def record(number: int, *, once_only: bool = False, padding: int = 0, connection: str = "A1:T1") -> Outgoing:
    """The `number`-th of them."""
    name = f"{connection}:Ev{number}"
    envelope = SlackEnvelope(
        at=AT,
        kind="interactive" if once_only else "events_api",
        connection=connection,
        event_id=name,
        received=Received(transport="socket", received_at=AT, ingress="test"),
        payload={"number": number, "padding": "x" * padding},
    )
    encoded = encode(SLACK_INBOUND, envelope, Attributes(name, "slack.envelope", "/threadline/ingress", AT))
    return Outgoing(SLACK_INBOUND, connection, name, encoded, AT, once_only)
