"""What an acknowledgement carries: nothing, but where Slack shows it to somebody."""

from typing import Any, assert_never

from services.ingress.decisions.reading import Arrived, Challenge, Delivery, Farewell, Hello, Probe, Unreadable

Json = dict[str, Any]

COMMAND_TAKEN = "Got it. One moment…"


def answer_to(arrived: Arrived) -> Json | None:
    """The payload of an acknowledgement, or none."""
    match arrived:
        case Challenge(text):
            return {"challenge": text}
        case Delivery(kind="slash_commands"):
            return {"response_type": "ephemeral", "text": COMMAND_TAKEN}
        case Delivery(kind="interactive", payload={"type": "block_suggestion"}):
            return {"options": []}
        case Delivery() | Hello() | Farewell() | Probe() | Unreadable():
            return None
        case _:
            assert_never(arrived)
