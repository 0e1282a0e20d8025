"""The fifth gate: somebody wants runs to end, in whichever of the ways there are to say so."""

from typing import Final
from uuid import UUID

from schemas.buttons import STOP, STOP_COMMAND
from schemas.decision import Control
from schemas.ids import run_id
from schemas.stop import StopMessage, StopRun, StopSource, StopTarget, StopThread, StopUser
from services.router.decisions import bots, keys, tenancy, text
from services.router.decisions.event import Event
from services.router.decisions.facts import Facts, Tenant
from services.router.decisions.idempotency import claims, seen_cause
from services.router.decisions.inbound import Clicked, Commanded, Posted, Reacted, Revoked, SessionStopped
from services.router.decisions.outcome import Outcome

WORDS: Final = frozenset({"stop", "!stop"})
LONGEST_STOP: Final = 200
"""With mentions before it. A longer text is not even looked at."""
STOP_EMOJI: Final = "octagonal_sign"


def gate(event: Event, tenant: Tenant, facts: Facts, now: float) -> Outcome | None:
    """Whether it is a stop, and of what."""
    found = _wanted(event, tenant, facts, now)
    if found is None:
        return None
    seen = seen_cause(event, facts, now)
    if seen is not None:
        return Outcome(seen)
    source, target = found
    origin = event.inbound.origin
    by_program = isinstance(event.inbound, Revoked)
    standing = tenancy.standing(origin, tenant)
    decision = Control(
        stop_id=run_id(event.connection, event.cause.name), source=source, permitted=standing != "may_not"
    )
    anyone = by_program or (tenant.anyone_may_stop and standing == "may") or origin.sender in tenant.stoppers
    return Outcome(decision, claims(event, now), target=target, may_stop_anyone=anyone)


def _wanted(  # noqa: PLR0911 - one for each way to say it
    event: Event, tenant: Tenant, facts: Facts, now: float
) -> tuple[StopSource, StopTarget] | None:
    match event.inbound:
        case Posted() as posted:
            target = _said(posted, tenant, facts, now)
            return ("word", target) if target is not None else None
        case Commanded(command=command, channel=channel, origin=origin) if command == STOP_COMMAND and origin.sender:
            return "command", StopUser(channel_id=channel, user_id=origin.sender)
        case Reacted(emoji=emoji, channel=channel, message_ts=ts) as reacted if emoji == STOP_EMOJI:
            return ("emoji", StopMessage(channel_id=channel, message_ts=ts)) if _on_ours(reacted, tenant) else None
        case Clicked(action_id=action_id) as clicked if action_id == STOP:
            target = _clicked(clicked)
            return ("button", target) if target is not None else None
        case SessionStopped(channel=channel, thread_ts=thread_ts):
            return "native", StopThread(channel_id=channel, thread_ts=thread_ts)
        case Revoked(cancel=cancel):
            return "gateway", StopRun(run_id=cancel.run_id)
        case _:
            return None


def _said(posted: Posted, tenant: Tenant, facts: Facts, now: float) -> StopTarget | None:
    """The bare word, in a thread that is followed, in a DM, or said to the agent."""
    if len(posted.text) > LONGEST_STOP or "stop" not in posted.text.lower():
        return None
    self_id = bots.self_in(posted, tenant)
    said = text.read(posted.text, self_id)
    if said.content.casefold().rstrip(".!") not in WORDS:
        return None
    sender = posted.origin.sender
    spoken_to = posted.channel_kind == "im" or posted.event_type == "app_mention" or self_id in said.mentions
    if posted.thread_ts is not None:
        whose = keys.of(posted.origin.connection, tenant.id)
        key = keys.thread(whose, posted.channel, posted.thread_ts)
        followed = spoken_to or facts.memory.get(key, now) is not None
        return StopThread(channel_id=posted.channel, thread_ts=posted.thread_ts) if followed else None
    return StopUser(channel_id=posted.channel, user_id=sender) if spoken_to and sender is not None else None


def _on_ours(reacted: Reacted, tenant: Tenant) -> bool:
    """Whether the message is the agent's. Slack does not always say whose it is."""
    return reacted.item_user is None or reacted.item_user == bots.self_of(reacted.origin, tenant)


def _clicked(clicked: Clicked) -> StopTarget | None:
    """An old button, or one that was tampered with, carries no run: the message that it stands under does."""
    if is_run(clicked.value):
        return StopRun(run_id=clicked.value)
    if clicked.channel is not None and clicked.message_ts is not None:
        return StopMessage(channel_id=clicked.channel, message_ts=clicked.message_ts)
    return None


def is_run(value: str) -> bool:
    """Whether it could be a run's id."""
    try:
        return str(UUID(value)) == value
    except ValueError:
        return False
