"""Names that only Threadline gives: what a program may name, the router takes for none of ours."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import buttons
from schemas.buttons import PREFIX
from services.responder.decisions.reserved import IN_BLOCKS, reserved_in
from services.router.decisions.inbound import Clicked, Origin
from services.router.decisions.interactions import kind_of

ACTIONS = {name: each for name, each in vars(buttons).items() if isinstance(each, str) and each.startswith(PREFIX)}
NAMES = st.sampled_from(
    [*ACTIONS.values(), "threadline", "Threadline:stop", " threadline:stop", "mine:threadline:stop"]
)


def button(action_id: str) -> dict[str, Any]:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": "Open log"}}


def test_it_holds_for_every_button_that_there_is() -> None:
    assert {"APPROVAL", "TASK", "STOP", "ASK"} <= set(ACTIONS)
    for each in ACTIONS.values():
        for name in (each, f"{each}:second"):
            assert reserved_in({}, [{"type": "actions", "elements": [button("mine"), button(name)]}]) is not None


@pytest.mark.parametrize(
    ("blocks", "found"),
    [
        ([{"type": "section", "accessory": button("threadline:approval")}], "action_id in blocks"),
        ([{"type": "input", "element": {"type": "plain_text_input", "action_id": PREFIX}}], "action_id in blocks"),
        ([{"type": "divider", "block_id": "threadline:b"}], "block_id in blocks"),
        ([{"type": "x", "a": [[{"b": {"callback_id": "threadline:ask"}}]]}], "callback_id in blocks"),
        ([button("mine"), {"type": "section", "text": {"type": "mrkdwn", "text": "threadline:stop"}}], None),
        ([{"type": "actions", "elements": [button("x") | {"value": "threadline:stop"}], "block_id": None}], None),
        ([{"action_id": ["threadline:stop"]}], None),
        ([], None),
        (None, None),
    ],
)
def test_it_is_found_wherever_it_stands_and_nothing_else_is(blocks: Any, found: str | None) -> None:
    assert reserved_in({"post_id": "mine", "key": None}, blocks) == found


def test_a_name_of_the_messages_own_is_told_by_its_field() -> None:
    assert reserved_in({"post_id": None, "thread_of": "threadline:task:t1"}, None) == "thread_of"
    assert reserved_in({"post_id": "task:t1", "key": "threadlines"}, None) is None


@given(NAMES | st.text(max_size=20), st.sampled_from(IN_BLOCKS), st.integers(0, 30))
def test_what_passes_the_router_takes_for_somebody_elses(name: str, field: str, depth: int) -> None:
    blocks: Any = {field: name}
    for level in range(depth):
        blocks = [blocks] if level % 2 else {"part": blocks}
    passes = reserved_in({}, blocks) is None
    clicked = Clicked(Origin("A1:T1", "T1", sender="U1"), "block_actions", name, "ap1:abcd:approve", "C1")
    assert passes == (kind_of(clicked) is None) == (not name.startswith(PREFIX))
