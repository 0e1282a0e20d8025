"""What each decision tells the responder, the supervisor and the audit."""

from collections.abc import Iterator
from math import ceil
from typing import Final, assert_never

from schemas import ids
from schemas.command import EmojiRequested, RunRequested
from schemas.decision import (
    Control,
    DeadLettered,
    Dispatched,
    Duplicate,
    Ignored,
    Interaction,
    Throttled,
    UnknownWorkspace,
)
from schemas.reaction import ReactionMatch, ReactionSkip
from schemas.run import RunState
from schemas.stop import StopRequested, StopRun, StopThread
from schemas.topics import AUDIT_REACTIONS, AUDIT_RUNS, RUNS_COMMANDS, RUNS_STOPS
from services.router.decisions.event import Event
from services.router.decisions.inbound import Reacted
from services.router.decisions.messages import GATEWAY, message_of
from services.router.decisions.occasion import Occasion, Telling
from services.router.decisions.outcome import Matched
from services.router.decisions.place import message_ts_of, place_of
from services.router.decisions.telling_interactions import of_interaction, started
from services.router.decisions.verdict import Verdict

WAIT_EMOJI: Final = "hourglass_flowing_sand"
LONGEST_PROMPT: Final = 100_000
"""Of a rule, filled in: a template may name the text many times."""
MAY_NOT_STOP: Final = "People of your organisation may not stop an answer here. Nothing was stopped."


def tell(event: Event, verdict: Verdict) -> Iterator[Telling]:
    """The facts that follow from a decision, in the order in which they are written."""
    if verdict.tenant_id is None:
        return
    occasion = Occasion(event, verdict, place_of(event, verdict.tenant_id))
    match verdict.decision:
        case Dispatched() as decision:
            yield from _of_run(decision, occasion)
        case Throttled() as decision:
            yield from _of_refusal(decision, occasion)
        case Control() as decision:
            yield from _of_stop(decision, occasion)
        case Interaction() as decision:
            yield from of_interaction(decision, occasion)
        case Duplicate() | Ignored() | UnknownWorkspace() | DeadLettered():
            pass
        case _:
            assert_never(verdict.decision)
    yield from _of_rules(occasion)


def _of_run(decision: Dispatched, occasion: Occasion) -> Iterator[Telling]:
    message = message_of(occasion.event, occasion.place.tenant_id, occasion.verdict.self_id)
    prompt = occasion.verdict.prompt
    if prompt is not None:
        inbound = occasion.event.inbound
        emoji = inbound.emoji if isinstance(inbound, Reacted) else ""
        sender, channel = f"<@{message.sender.id}>", f"<#{message.channel.id}>"
        filled = prompt.format(text=message.content, sender=sender, channel=channel, emoji=emoji)
        prompt = filled[:LONGEST_PROMPT]
    command = RunRequested(
        at=occasion.at,
        run_id=decision.run_id,
        cause=decision.cause,
        event_id=occasion.event.event_id,
        place=occasion.place,
        trigger=decision.trigger,
        agent_id=decision.agent_id,
        rule_name=decision.rule_name,
        prompt=prompt,
        message=message,
        directory_revision=occasion.revision,
        received_at=occasion.event.received_at,
    )
    yield Telling(RUNS_COMMANDS, occasion.key(decision.run_id), command)
    yield started(occasion, decision.run_id, decision.trigger, decision.agent_id)


def _of_refusal(decision: Throttled, occasion: Occasion) -> Iterator[Telling]:
    if decision.told_by == "notice":
        seconds = max(1, ceil(decision.retry_after_s))
        text = f"Too many requests, try again in {seconds} s."
        yield occasion.notice("throttled", text, decision.retry_after_s)
    ts = message_ts_of(occasion.event)
    if decision.told_by == "emoji" and ts is not None:
        shown = EmojiRequested(
            at=occasion.at, cause=occasion.cause, place=occasion.place, message_ts=ts, emoji=WAIT_EMOJI
        )
        yield Telling(RUNS_COMMANDS, occasion.key(), shown)


def _of_stop(decision: Control, occasion: Occasion) -> Iterator[Telling]:
    target, place, connection = occasion.verdict.target, occasion.place, occasion.event.connection
    if target is None or not decision.permitted:
        yield occasion.notice("stop_refused", MAY_NOT_STOP)
        return
    stop = StopRequested(
        at=occasion.at,
        stop_id=decision.stop_id,
        cause=occasion.cause,
        tenant_id=place.tenant_id,
        connection=connection,
        target=target,
        source=decision.source,
        asked_by=occasion.sender,
        may_stop_anyone=occasion.verdict.may_stop_anyone,
        directory_revision=occasion.revision,
    )
    yield Telling(RUNS_STOPS, connection, stop)
    run_id = target.run_id if isinstance(target, StopRun) else None
    thread = target.thread_ts if isinstance(target, StopThread) else None
    owner = connection.partition(":")[2]
    session = ids.thread_key(owner, place.channel_id, thread) if place.channel_id and thread else None
    requested = RunState(
        at=occasion.at,
        run_id=run_id,
        tenant_id=place.tenant_id,
        connection=connection,
        session=session,
        channel=place.channel_id,
        stop_id=decision.stop_id,
        origin=occasion.origin,
        state="cancel_requested",
        event_id=occasion.event.event_id,
        received_at=occasion.event.received_at,
    )
    yield Telling(AUDIT_RUNS, session or occasion.key(run_id), requested)


def _of_rules(occasion: Occasion) -> Iterator[Telling]:
    found, event = occasion.verdict.evaluation, occasion.event
    if found is None:
        return
    decision, channel = occasion.verdict.decision, occasion.place.channel_id
    if isinstance(found, Matched):
        match = ReactionMatch(
            at=occasion.at,
            rule_name=found.rule_name,
            channel=channel or GATEWAY,
            sender=occasion.sender,
            filter_summary=found.summary,
            tenant_id=occasion.place.tenant_id,
            connection=event.connection,
            event_id=event.event_id,
            run_id=decision.run_id if isinstance(decision, Dispatched) else None,
            candidate_count=found.candidate_count,
            directory_revision=occasion.revision,
        )
        yield Telling(AUDIT_REACTIONS, event.connection, match)
        return
    skip = ReactionSkip(
        at=occasion.at,
        reason=found.reason,
        candidate_count=found.candidate_count,
        channel=channel,
        tenant_id=occasion.place.tenant_id,
        connection=event.connection,
        event_id=event.event_id,
        directory_revision=occasion.revision,
    )
    yield Telling(AUDIT_REACTIONS, event.connection, skip)
