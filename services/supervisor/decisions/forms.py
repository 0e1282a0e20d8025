"""The forms that people write in: a reason, or an answer."""

from schemas.buttons import APPROVAL
from services.supervisor.decisions.blocks import Block, as_it_is, plain, short
from services.supervisor.decisions.deciding import ANSWER, REJECT
from services.supervisor.decisions.task import Approval

LONGEST_ANSWER = 3000


def form(approval: Approval, verb: str, agent_id: str, said: str) -> Block:
    """What is opened where somebody wants to reject, or to answer: with what they said already."""
    rejects = verb == REJECT
    begun = {"initial_value": short(said, LONGEST_ANSWER)} if said else {}
    label, send = ("Why not?", "Reject") if rejects else ("Your answer", "Send")
    return {
        "type": "modal",
        "callback_id": APPROVAL,
        "private_metadata": f"{approval.approval_id}:{approval.arguments_hash}:{REJECT if rejects else ANSWER}",
        "title": plain(short(f"Agent {agent_id}", 24)),
        "submit": plain(send),
        "close": plain("Close"),
        "blocks": [
            as_it_is(approval.action),
            {
                "type": "input",
                "block_id": "said",
                "optional": rejects,
                "label": plain(label),
                "element": {
                    "type": "plain_text_input",
                    "action_id": "said",
                    "multiline": True,
                    "max_length": LONGEST_ANSWER,
                    **begun,
                },
            },
        ],
    }
