"""The receipt: every fact, decision, call and effect of one thing that happened, in its order, each in a line."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from schemas.base import Event
from schemas.command import EmojiRequested, Notice, OutboundMessage, RetryAsked, RunRequested, RunResumed
from schemas.decision import DecisionMade
from schemas.effect import EffectConfirmed, EffectFailed, EffectIntended, EffectUnknown, RunSuspended
from schemas.envelope import GatewayCancel, GatewayRun, SlackEnvelope
from schemas.letter import DeadLetter
from schemas.reaction import ReactionMatch, ReactionSkip
from schemas.run import RunCancel, RunFeedback, RunState
from schemas.stop import StopRequested

SILENCES: Final = {
    "not_addressed": "nobody was addressed: no mention, no direct message, no followed thread, no rule that matched",
    "own_message": "the agent said it itself",
    "bot_message": "another bot said it",
    "edited": "it tells that a message was changed; what was asked stands as it was first said",
    "deleted": "it tells that a message was deleted",
    "hidden": "Slack hides it from people",
    "unknown_event": "this version knows no event of that type",
    "lifecycle": "it is about the app itself",
    "no_agent": "no agent is switched on there",
    "connection_closed": "the app was removed from the workspace, or its token was revoked",
    "tenant_disabled": "the tenant is switched off",
    "stranger": "who said it belongs to an organisation that is not answered here",
}
"""Why nothing came of an envelope, in words."""


@dataclass(frozen=True)
class Fact:
    """One record, opened."""

    topic: str
    partition: int
    offset: int
    id: str
    appended_at: datetime
    event: Event


@dataclass(frozen=True)
class Line:
    """One line of the receipt."""

    at: datetime
    where: str
    """topic/partition/offset."""
    said: str

    def as_json(self) -> dict[str, str]:
        """For machines."""
        return {"at": self.at.isoformat(), "record": self.where, "what": self.said}


def receipt(facts: Iterable[Fact]) -> list[Line]:
    """In the order in which it stands on record. What was written twice is told once."""
    first: dict[tuple[str, str], Fact] = {}
    for fact in facts:
        first.setdefault((fact.topic, fact.id), fact)
    told = sorted(first.values(), key=lambda fact: (fact.appended_at, fact.topic, fact.partition, fact.offset))
    return [Line(fact.appended_at, f"{fact.topic}/{fact.partition}/{fact.offset}", _said(fact.event)) for fact in told]


def _said(event: Event) -> str:  # noqa: PLR0911 - one for each kind of event
    match event:
        case SlackEnvelope() | GatewayRun() | GatewayCancel():
            return _of_envelope(event)
        case DecisionMade():
            return _of_decision(event)
        case RunState() | RunCancel() | RunFeedback():
            return _of_run(event)
        case EffectIntended() | EffectConfirmed() | EffectFailed() | EffectUnknown():
            return _of_effect(event)
        case RunSuspended() | RunResumed():
            return _of_waiting(event)
        case RunRequested() | RetryAsked() | Notice() | EmojiRequested() | OutboundMessage():
            return _of_command(event)
        case _:
            return _of_the_rest(event)


def _of_envelope(event: SlackEnvelope | GatewayRun | GatewayCancel) -> str:
    received = event.received
    again = f", delivery {received.retry_attempt + 1} ({received.retry_reason})" if received.retry_attempt else ""
    by = f"by {received.transport} at {received.ingress}, received {_clock(received.received_at)}{again}"
    match event:
        case SlackEnvelope(kind=kind, payload=payload):
            inner = payload.get("event")
            named = str(inner.get("type", kind)) if isinstance(inner, dict) else kind
            return f"{named} {event.event_id}, {by}"
        case GatewayRun():
            return f"a program asks for an answer, {by}"
        case GatewayCancel():
            return f"a program asks to end run {event.run_id}, {by}"


def _of_decision(made: DecisionMade) -> str:  # noqa: PLR0911 - one for each kind
    decision, by = made.decision, f"revision {made.directory_revision} of the directory, tenant {made.tenant_id}"
    match decision.kind:
        case "dispatched":
            rule = f" by the rule {decision.rule_name}" if decision.rule_name else ""
            return f"decided: run {decision.run_id} for {decision.agent_id}, since {decision.trigger}{rule} ({by})"
        case "duplicate":
            where = f", first met at offset {decision.first_offset}" if decision.first_offset is not None else ""
            return f"decided: nothing, this {decision.of} was there before{where} ({by})"
        case "throttled":
            told = f"again in {decision.retry_after_s:.1f} s, told by {decision.told_by}"
            return f"decided: too many requests of this {decision.bucket}, {told} ({by})"
        case "ignored":
            return f"decided: nothing, {SILENCES.get(decision.reason, decision.reason)} ({by})"
        case "control":
            allowed = "" if decision.permitted else ", by somebody who may not"
            return f"decided: a stop by {decision.source}{allowed} ({by})"
        case "interaction":
            return f"decided: {decision.interaction.replace('_', ' ')} ({by})"
        case "dead_letter":
            return f"decided: it cannot be understood ({decision.reason}) and is kept; `threadline dlq list`"
        case _:
            return f"decided: nothing, no tenant owns the workspace of {made.connection}"


def _of_command(command: RunRequested | RetryAsked | Notice | EmojiRequested | OutboundMessage) -> str:
    match command:
        case RunRequested():
            return f"asked for: run {command.run_id} of {command.agent_id}"
        case RetryAsked():
            return f"asked for: run {command.run_id}, since {command.user_id} wants run {command.retry_of} again"
        case Notice():
            return f"asked for: a word to {command.user_id} ({command.notice})"
        case EmojiRequested():
            return f"asked for: :{command.emoji}: on {command.message_ts}"
        case OutboundMessage():
            return f"asked for: a message of the program {command.token_id}"


def _of_waiting(event: RunSuspended | RunResumed) -> str:
    if isinstance(event, RunSuspended):
        return f"run {event.effect.run_id} waits for people, for time {event.round}; all that it needs is kept"
    if event.cancelled_by is not None:
        return f"run {event.run_id} is not waited for any more: {event.cancelled_by} ended it"
    told = ", ".join(
        f"{each.call_id} {each.outcome}{f' by {each.decided_by}' if each.decided_by else ''}" for each in event.answers
    )
    return f"run {event.run_id} goes on: {told}"


def _of_run(event: RunState | RunCancel | RunFeedback) -> str:
    match event:
        case RunState():
            why = f" ({event.reason})" if event.reason else ""
            return f"run {event.run_id}: {event.state}{why}{_phases(event)}{_usage(event)}"
        case RunCancel():
            took = f" after {event.latency_ms:.0f} ms" if event.latency_ms is not None else ""
            return f"run {event.run_id}: a stop by {event.source}, {'held' if event.acknowledged else 'not held'}{took}"
        case RunFeedback():
            return f"run {event.run_id}: {event.given_by} finds it {event.verdict}"


def _phases(state: RunState) -> str:
    if state.phases is None:
        return ""
    times = [(name, value) for name, value in state.phases.model_dump().items() if value is not None]
    return "; after Slack's receipt " + ", ".join(f"{name.replace('_', ' ')} {value:.3f} s" for name, value in times)


def _usage(state: RunState) -> str:
    usage = state.usage
    if usage is None:
        return ""
    cost = f", ${usage.cost_usd:.4f}" if usage.cost_usd is not None else ""
    return f"; {usage.model}: {usage.input_tokens} tokens in, {usage.output_tokens} out{cost}"


def _of_effect(entry: EffectIntended | EffectConfirmed | EffectFailed | EffectUnknown) -> str:
    effect = entry.effect
    call = f"{effect.method} for {effect.purpose}"
    match entry:
        case EffectIntended():
            return f"means {call}; if nobody hears what came of it: {entry.settlement.replace('_', ' ')}"
        case EffectConfirmed():
            ts = f", message {entry.message_ts}" if entry.message_ts else ""
            return f"did {call}{ts}, known by {entry.settled_by.replace('_', ' ')}"
        case EffectFailed():
            return f"{call} was refused: {entry.error}"
        case EffectUnknown():
            return f"nobody knows whether {call} was done: {entry.error}"


def _of_the_rest(event: Any) -> str:
    match event:
        case StopRequested():
            return f"{event.asked_by} wants {_target(event)} to end, by {event.source}"
        case ReactionMatch():
            return f"the rule {event.rule_name} matched ({event.filter_summary}), of {event.candidate_count}"
        case ReactionSkip():
            return f"no rule led to a run: {event.reason}, of {event.candidate_count}"
        case DeadLetter():
            return f"kept as a dead letter by {event.service}: {event.reason}, {event.detail}"
        case _:
            return str(event.type)


def _target(stop: StopRequested) -> str:
    match stop.target.by:
        case "run":
            return f"run {stop.target.run_id}"
        case "message":
            return f"what message {stop.target.message_ts} is about"
        case "thread":
            return f"the runs of thread {stop.target.thread_ts}"
        case _:
            return f"the runs of {stop.target.user_id}"


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S.%f}"[:-3]
