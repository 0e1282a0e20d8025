"""The names of an envelope, whoever handed it in: Slack, or a program at the gateway."""

from typing import assert_never

from schemas import slack
from schemas.cause import Cause
from schemas.envelope import Envelope, GatewayCancel, GatewayRun, SlackEnvelope


def cause_of(envelope: Envelope) -> Cause | None:
    """What was done, or none where nobody did anything that could start a run or a stop."""
    match envelope:
        case SlackEnvelope():
            return slack.cause_of_payload(envelope.kind, envelope.payload)
        case GatewayRun():
            return Cause(f"gateway:{envelope.tenant_id}:{envelope.request_key}")
        case GatewayCancel():
            return Cause(f"gateway_cancel:{envelope.tenant_id}:{envelope.request_key}")
        case _:
            assert_never(envelope)


def gateway_event_id(tenant_id: str, request_key: str) -> str:
    """The name of a program's delivery: its own key, within its tenant. The same key again is the same delivery."""
    return f"gateway:{tenant_id}:{request_key}"
