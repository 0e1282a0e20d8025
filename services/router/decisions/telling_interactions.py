"""What clicks, forms and commands tell the responder and the supervisor."""

from collections.abc import Iterator
from typing import Any, Final

from schemas import ids
from schemas.agent import ApprovalAnswered, TaskCommanded
from schemas.command import FeedbackGiven, RetryAsked, Trigger, WhyAsked
from schemas.decision import Interaction
from schemas.run import RunState
from schemas.topics import AGENTS_COMMANDS, AUDIT_RUNS, RUNS_COMMANDS
from services.router.decisions import agent_commands
from services.router.decisions import text as text_of
from services.router.decisions.inbound import Clicked, Commanded, Posted, Shortcut, Submitted
from services.router.decisions.interactions import approval_in, feedback_in
from services.router.decisions.occasion import Occasion, Telling

HELP: Final = (
    "I know `/ask` and a question, `/stop`, and `/agent-task`. Or mention me in a channel, or write to me directly: I "
    "answer in the thread."
)
RETIRED: Final = "This button is of an older version, or was changed on its way. Nothing was done; ask again, please."


def of_interaction(decision: Interaction, occasion: Occasion) -> Iterator[Telling]:
    """What is wanted, of whom."""
    inbound = occasion.event.inbound
    match decision.interaction:
        case "why" | "retry" | "feedback":
            if isinstance(inbound, Clicked):
                yield from _of_click(decision, inbound, occasion)
        case "help":
            yield occasion.notice("command_help", HELP)
        case "retired_button":
            yield occasion.notice("retired_button", RETIRED)
        case "approval" | "agent_task":
            yield from _for_agents(decision, occasion)
        case "view":
            pass


def _of_click(decision: Interaction, clicked: Clicked, occasion: Occasion) -> Iterator[Telling]:
    common: dict[str, Any] = {"at": occasion.at, "cause": occasion.cause, "place": occasion.place}
    common["user_id"] = occasion.sender
    feedback = feedback_in(clicked.value)
    if decision.interaction == "feedback" and feedback is not None:
        opinion, about = feedback
        yield Telling(RUNS_COMMANDS, occasion.key(), FeedbackGiven(run_id=about, verdict=opinion, **common))
    elif decision.interaction == "why":
        why = WhyAsked(run_id=clicked.value, trigger_id=clicked.trigger_id, **common)
        yield Telling(RUNS_COMMANDS, occasion.key(), why)
    elif decision.run_id is not None:
        retry = RetryAsked(
            run_id=decision.run_id,
            retry_of=clicked.value,
            directory_revision=occasion.revision,
            received_at=occasion.event.received_at,
            **common,
        )
        yield Telling(RUNS_COMMANDS, occasion.key(), retry)
        yield started(occasion, decision.run_id, "retry", None)


def started(occasion: Occasion, run_id: str, trigger: Trigger, agent_id: str | None) -> Telling:
    """The audit of a run begins."""
    state = RunState(
        at=occasion.at,
        run_id=run_id,
        tenant_id=occasion.place.tenant_id,
        connection=occasion.event.connection,
        session=occasion.session(),
        channel=occasion.place.channel_id,
        origin=occasion.origin,
        state="start",
        trigger=trigger,
        agent_id=agent_id,
        event_id=occasion.event.event_id,
        received_at=occasion.event.received_at,
    )
    return Telling(AUDIT_RUNS, occasion.key(run_id), state)


def _for_agents(decision: Interaction, occasion: Occasion) -> Iterator[Telling]:
    inbound, connection = occasion.event.inbound, occasion.event.connection
    place = occasion.place
    common: dict[str, Any] = {
        "at": occasion.at,
        "command_id": ids.run_id(connection, occasion.cause),
        "cause": occasion.cause,
        "tenant_id": place.tenant_id,
        "connection": connection,
        "team_id": place.team_id,
        "channel_id": place.channel_id,
        "thread_ts": place.thread_ts,
        "user_id": occasion.sender,
        "directory_revision": occasion.revision,
    }
    match inbound:
        case Clicked() | Submitted() if decision.interaction == "approval":
            carried = inbound.value if isinstance(inbound, Clicked) else inbound.metadata
            reason = inbound.reason if isinstance(inbound, Submitted) else None
            answered = approval_in(carried)
            if answered is not None:
                approval_id, digest, answer = answered
                approval = ApprovalAnswered(
                    approval_id=approval_id, arguments_hash=digest, answer=answer, reason=reason, **common
                )
                yield Telling(AGENTS_COMMANDS, connection, approval)
        case Commanded(text=typed, trigger_id=trigger_id):
            verb, task, text = agent_commands.command_in(typed)
            commanded = TaskCommanded(verb=verb, task_id=task, text=text, trigger_id=trigger_id, **common)
            yield Telling(AGENTS_COMMANDS, connection, commanded)
        case Posted() as posted:
            said = text_of.read(posted.text, occasion.verdict.self_id)
            words = TaskCommanded(verb="text", text=said.content, addressed=False, **common)
            yield Telling(AGENTS_COMMANDS, connection, words)
        case Shortcut(message=Posted() as posted):
            said = text_of.read(posted.text, occasion.verdict.self_id)
            yield Telling(
                AGENTS_COMMANDS, connection, TaskCommanded(verb="text", text=said.content, quoted=True, **common)
            )
        case Clicked(value=value, trigger_id=trigger_id):
            verb, task = agent_commands.button_in(value)
            commanded = TaskCommanded(verb=verb, task_id=task, trigger_id=trigger_id, **common)
            yield Telling(AGENTS_COMMANDS, connection, commanded)
        case _:
            pass
