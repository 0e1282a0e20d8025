"""A run that waits for people: all that it needs to go on, and where they are asked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from schemas.agent import TaskHome
from schemas.base import Instant
from schemas.command import Place, RunRequested, ToolAnswer
from schemas.run import Usage
from services.responder.decisions.prompting import Asked
from services.responder.decisions.tools import ToolCall, Turn, arguments_of, hash_of

LARGEST: Final = 900_000
"""Bytes of it, as they stand in a record, which holds them with room to spare."""


@dataclass(frozen=True)
class Waiting:
    """A run in the middle of its turn."""

    round: int
    request: RunRequested
    asked: Asked
    """With every turn that is over."""
    turn: Turn
    """The one that waits."""
    wanted: tuple[ToolCall, ...]
    """Those of its calls that people must allow."""
    said: str
    """What people saw of the answer so far."""
    usage: Usage | None
    expires_at: Instant
    reply_ts: str | None = None
    """The message in which it goes on: the ledger is not read so far back that it surely tells."""
    posted: tuple[str, ...] = ()
    """Every message of it, as a stop may name them."""


@dataclass(frozen=True)
class Whose:
    """What of a tenant says where people are asked."""

    agents_channel: str
    may_decide_oneself: bool
    """Whether who asked the agent may allow what it wants to do."""


def home_of(place: Place, reply_ts: str | None, whose: Whose) -> TaskHome:
    """In the thread of the run, for all there to see; elsewhere where nobody there could decide, or there is none."""
    thread = place.thread_ts or reply_ts
    is_alone = place.channel_id is not None and place.channel_id.startswith("D") and not whose.may_decide_oneself
    if place.channel_id is None or thread is None or is_alone:
        return TaskHome(connection=place.connection, team_id=place.team_id, channel=whose.agents_channel)
    return TaskHome(connection=place.connection, team_id=place.team_id, channel=place.channel_id, thread_ts=thread)


def outcomes(wanted: Sequence[ToolCall], answers: Sequence[ToolAnswer]) -> tuple[ToolAnswer, ...]:
    """What became of each tool that it wanted. What nobody was asked, or what is lost of that, nobody decided."""
    given = {each.call_id: each for each in answers}
    return tuple(given.get(each.call_id) or _by_nobody(each) for each in wanted)


def _by_nobody(call: ToolCall) -> ToolAnswer:
    of_what = hash_of(call.tool, arguments_of(call) or {})
    return ToolAnswer(call_id=call.call_id, arguments_hash=of_what, outcome="expired")


def fitting(waiting: Waiting, size: int) -> Waiting | None:
    """The same with less of what was said in the thread before; none where nothing is left that could go."""
    if size <= LARGEST:
        return waiting
    history = waiting.asked.history
    if not history:
        return None
    return replace(waiting, asked=replace(waiting.asked, history=history[len(history) // 2 + 1 :]))
