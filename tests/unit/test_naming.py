from pathlib import Path

import pytest

from schemas.cause import Cause
from schemas.envelope import Envelope, GatewayCancel, GatewayRun, SlackEnvelope
from schemas.naming import cause_of, gateway_event_id
from schemas.record import read

EXAMPLES = Path(__file__).parents[2] / "schemas/examples/slack.inbound/v1"


@pytest.mark.parametrize(
    ("model", "example", "cause"),
    [
        (SlackEnvelope, "slack.envelope.mention", "message:C0HELP:1772442900.000100"),
        (SlackEnvelope, "slack.envelope.stop_command", "command:11.22.abc"),
        (SlackEnvelope, "slack.envelope.click", "click:1772442901.000200:why:U0ANNA:1772442990.654321"),
        (GatewayRun, "gateway.run", "gateway:acme:nightly-7"),
        (GatewayCancel, "gateway.cancel", "gateway_cancel:acme:nightly-7-cancel"),
    ],
)
def test_every_kind_of_envelope_has_a_cause(model: type[Envelope], example: str, cause: str) -> None:
    envelope: Envelope = read(model, (EXAMPLES / f"{example}.json").read_bytes())
    found = cause_of(envelope)
    assert isinstance(found, Cause)
    assert found.name == cause


def test_a_programs_delivery_is_named_by_its_own_key() -> None:
    envelope = read(GatewayRun, (EXAMPLES / "gateway.run.json").read_bytes())
    assert envelope.event_id == gateway_event_id(envelope.tenant_id, envelope.request_key)
