"""What Slack's answer says, where a call did not succeed."""

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_slack_response import AsyncSlackResponse

LONGEST_WAIT_S = 300.0


def code_of(error: SlackApiError) -> str:
    """Slack's code for what went wrong. Behind a proxy the answer may be anything."""
    data = error.response.data if isinstance(error.response, AsyncSlackResponse) else None
    code = data.get("error") if isinstance(data, dict) else None
    return code if isinstance(code, str) else "an answer that is not Slack's"


def retry_after(error: SlackApiError) -> float:
    """How long Slack wants us to wait, where it says so."""
    response = error.response
    given = response.headers.get("Retry-After", "") if isinstance(response, AsyncSlackResponse) else ""
    return min(float(given), LONGEST_WAIT_S) if str(given).isdecimal() else 0.0
