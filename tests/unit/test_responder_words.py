"""What people are told of an answer that did not come, and of one that did."""

import pytest

from schemas.command import Place, RunRequested
from schemas.message import Channel, Message, Sender
from services.responder.decisions.receipt import receipt
from services.responder.decisions.standing import Standing
from services.responder.decisions.words import Trouble, failed
from tests.samples import AT, run_state

LOOK = "Somebody who operates this app must look. Then you can try again: nothing was lost."


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        ("timeout", "The language model took too long. Nothing was lost: you can try again."),
        ("not_set_up", f"No language model is set up for this agent. {LOOK}"),
        ("too_long", "This conversation is longer than the language model can read. Begin a new thread, please."),
    ],
)
def test_who_is_told_to_try_again_is_told_when_it_can_help(trouble: Trouble, told: str) -> None:
    assert failed(trouble, "0123456789", has_begun=False) == f"⚠️ {told} (run `01234567`)"


def test_a_receipt_says_when_it_was_asked_also_where_slack_shows_no_date() -> None:
    message = Message(
        id="5.5",
        tenant_id="acme",
        channel=Channel(id="C1", kind="channel"),
        sender=Sender(id="UANNA"),
        content="hello",
        timestamp=AT,
    )
    asked = RunRequested(
        at=AT,
        run_id="run-1",
        cause="message:C1:5.5",
        event_id="A1:Ev1",
        place=Place(tenant_id="acme", connection="A1:T1", team_id="T1", channel_id="C1", thread_ts="5.5"),
        trigger="mention",
        agent_id="mara",
        message=message,
        directory_revision=7,
        received_at=AT,
    )
    told = receipt(asked, asked, [run_state(state="error", reason="timeout")], Standing())
    assert "<!date^1772442900^{date_short_pretty} {time_secs}|2026-03-02 09:15:00 UTC>" in told
    assert "• It failed (`timeout`)." in told
