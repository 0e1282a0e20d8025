from pathlib import Path

import pytest

from schemas.cause import Cause
from schemas.envelope import Envelope, GatewayCancel, GatewayRun, SlackEnvelope
from schemas.naming import cause_of
from schemas.record import read

EXAMPLES = Path(__file__).parents[2] / "schemas/examples/slack.inbound/v1"


@pytest.mark.parametrize(
    ("model", "example", "cause"),
    [
        (SlackEnvelope, "slack.envelope.mention", "message:C0HELP:1772442900.000100"),
        (SlackEnvelope, "slack.envelope.stop_command", "command:11.22.abc"),
        (SlackEnvelope, "slack.envelope.click", "click:1772442901.000200:threadline:why:U0ANNA:1772442990.654321"),
        (GatewayRun, "gateway.run", "gateway:nightly-7"),
        (GatewayCancel, "gateway.cancel", "gateway_cancel:0a4e3b56-58c5-5d0e-9f1b-6f2a4f0b7c11:nightly-7-cancel"),
    ],
)
def test_every_kind_of_envelope_has_a_cause(model: type[Envelope], example: str, cause: str) -> None:
    envelope: Envelope = read(model, (EXAMPLES / f"{example}.json").read_bytes())
    found = cause_of(envelope)
    assert isinstance(found, Cause)
    assert found.name == cause
