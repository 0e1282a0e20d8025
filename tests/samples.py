"""Events and payloads that many tests begin with."""

from datetime import UTC, datetime
from typing import Any

from schemas.run import RunState

AT = datetime(2026, 3, 2, 9, 15, 0, 250000, UTC)


def run_state(**changes: Any) -> RunState:
    facts: dict[str, Any] = {
        "at": AT,
        "state": "start",
        "run_id": "run-1",
        "tenant_id": "acme",
        "connection": "A1:T1",
        "session": "T1:C1:1.0",
        "channel": "C1",
        "origin": "channel",
    }
    return RunState(**{**facts, **changes})


def event_callback(event: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A delivery of the Events API, as Slack makes it."""
    authorization = {
        "enterprise_id": None,
        "team_id": "T1",
        "user_id": "UBOT",
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "type": "event_callback",
        "team_id": "T1",
        "api_app_id": "A1",
        "event_id": "Ev1",
        "event_time": 1772442900,
        "authorizations": [authorization],
        "event": event,
        **changes,
    }
