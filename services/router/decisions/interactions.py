"""The fifth gate's other half: clicks, forms and commands that are no stop."""

from dataclasses import replace
from typing import Final, get_args

from schemas.buttons import APPROVAL, ASK_COMMAND, FEEDBACK, PREFIX, RETRY, TASK, TASK_COMMAND, WHY, is_one
from schemas.command import Verdict
from schemas.decision import Ignored, Interaction, InteractionKind
from schemas.ids import run_id
from services.router.decisions.control import is_run
from services.router.decisions.event import Event
from services.router.decisions.facts import Tenant
from services.router.decisions.inbound import Clicked, Commanded, Inbound, Posted, Shortcut, Submitted
from services.router.decisions.outcome import Outcome

_VERDICTS: Final = frozenset(get_args(Verdict))


def gate(event: Event) -> Outcome | None:
    """Whether it is an interaction, and which. A wish to have an answer again is a run, and is gone on with."""
    kind = kind_of(event.inbound)
    if kind is None:
        strange = isinstance(event.inbound, Clicked | Submitted)
        return Outcome(Ignored(reason="unknown_event")) if strange else None
    return Outcome(Interaction(interaction=kind, cause=event.cause.name, run_id=run_of(event, kind)))


def for_agents(event: Event, tenant: Tenant, outcome: Outcome) -> Outcome:
    """What nobody else was meant to hear at the top of an agents' channel, they hear."""
    nobodys = isinstance(outcome.decision, Ignored) and outcome.decision.reason == "not_addressed"
    match event.inbound:
        case Posted(channel=channel, thread_ts=None) if nobodys and channel in tenant.agents_channels:
            return replace(outcome, decision=Interaction(interaction="agent_task", cause=event.cause.name))
        case _:
            return outcome


def kind_of(inbound: Inbound) -> InteractionKind | None:
    """Which interaction it is."""
    match inbound:
        case Shortcut(callback_id=callback_id, message=Posted()) if callback_id == TASK:
            return "agent_task"
        case Clicked(action_id=action_id) as clicked if action_id.startswith(PREFIX):
            return _clicked(clicked)
        case Submitted(callback_id=callback_id, metadata=metadata) if callback_id == APPROVAL:
            return "approval" if approval_in(metadata) is not None else "view"
        case Submitted(callback_id=callback_id) if callback_id.startswith(PREFIX):
            return "view"
        case Commanded(command=command, text=said):
            asks = command == ASK_COMMAND and said.strip()
            return None if asks else "agent_task" if command == TASK_COMMAND else "help"
        case _:
            return None


def _clicked(clicked: Clicked) -> InteractionKind:  # noqa: PLR0911 - one for each button
    """Which of our buttons it is: its name alone says so.

    That is enough: Slack tells a click to the app whose message it is and to no other, and what programs have our app
    say names nothing as our buttons are named (services/responder/decisions/reserved.py).
    """
    if is_one(clicked.action_id, APPROVAL) and approval_in(clicked.value) is not None:
        return "approval"
    if is_one(clicked.action_id, TASK):
        return "agent_task"
    if clicked.channel is None:
        return "view"
    if clicked.action_id == WHY and is_run(clicked.value):
        return "why"
    if clicked.action_id == RETRY and is_run(clicked.value):
        return "retry"
    if clicked.action_id == FEEDBACK and feedback_in(clicked.value) is not None:
        return "feedback"
    return "retired_button"


def run_of(event: Event, kind: InteractionKind) -> str | None:
    """The run that it is about, or that it starts."""
    if not isinstance(event.inbound, Clicked):
        return None
    match kind:
        case "retry":
            return run_id(event.connection, event.cause.name)
        case "why":
            return event.inbound.value
        case "feedback":
            found = feedback_in(event.inbound.value)
            return found[1] if found is not None else None
        case _:
            return None


def feedback_in(value: str) -> tuple[Verdict, str] | None:
    """A verdict, and the run that it is about."""
    verdict, _, about = value.partition(":")
    if verdict not in _VERDICTS or not is_run(about):
        return None
    return ("good" if verdict == "good" else "bad"), about


def approval_in(value: str) -> tuple[str, str, str] | None:
    """An approval, the hash of what it is for, and the answer. Only the approval's name may have colons in it."""
    named, _, answer = value.rpartition(":")
    approval_id, _, digest = named.rpartition(":")
    return (approval_id, digest, answer) if approval_id and digest and answer else None
