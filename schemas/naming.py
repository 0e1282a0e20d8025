"""What was done, as an envelope tells it, whoever handed it in: Slack, or a program at the gateway."""

from typing import assert_never

from schemas import slack
from schemas.cause import Cause, gateway_cause
from schemas.envelope import Envelope, GatewayCancel, GatewayRun, SlackEnvelope


def cause_of(envelope: Envelope) -> Cause | None:
    """What was done, or none where nobody did anything that could start a run or a stop."""
    match envelope:
        case SlackEnvelope():
            return slack.cause_of_payload(envelope.kind, envelope.payload)
        case GatewayRun():
            return gateway_cause(envelope.request_key)
        case GatewayCancel():
            return Cause(f"gateway_cancel:{envelope.run_id}:{envelope.request_key}")
        case _:
            assert_never(envelope)
