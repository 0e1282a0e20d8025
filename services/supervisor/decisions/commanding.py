"""What people want of supervised agents, and what that leads to."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from schemas import ids
from schemas.agent import (
    ApprovalAnswered,
    ApprovalAttempted,
    ApprovalDecided,
    ApprovalRequested,
    Intervention,
    TaskCommanded,
    TaskHome,
    TaskWanted,
)
from schemas.command import Place, ViewRequested
from schemas.slack import is_channel_name
from schemas.topics import AGENTS_COMMANDS, AGENTS_EVENTS, RUNS_COMMANDS
from services.supervisor.decisions import blocks, deciding, wire
from services.supervisor.decisions.deciding import WORDS, Answer, Rights
from services.supervisor.decisions.following import Following, Whisper, home_of, of_task, whispered
from services.supervisor.decisions.forms import form
from services.supervisor.decisions.parsing import Meant
from services.supervisor.decisions.posts import header
from services.supervisor.decisions.task import Approval, OrderKind, Task, about

MOST_LISTED: Final = 20
START, SUPERVISOR = "start", "supervisor"
"""The approval that lets a task begin, and who asks for it."""
START_WITHIN: Final = timedelta(days=1)
LONGEST_WISH, LONGEST_NAME, LONGEST_TOLD = 3000, 120, 3500
AGENT: Final = re.compile(r"[A-Za-z0-9._:-]{1,60}")
HELP: Final = (
    "`/agent-task run AGENT what to do` asks an agent, if somebody approves; `/agent-task list` shows what agents do, "
    "`/agent-task show TASK` one task; `/agent-task cancel TASK` (`pause`, `resume`, `tell`) tells "
    "its agent; `/agent-task approve APPROVAL` allows what it asks for, `/agent-task reject APPROVAL` refuses it."
)
NO_SUCH_TASK: Final = "There is no such task here. `/agent-task list` shows those that there are."
NO_SUCH_APPROVAL: Final = "There is no such approval here any more. Nothing was decided."
WHICH_APPROVAL: Final = "Several approvals wait under that name. Nothing was decided; say which one:"
MORE: Final = "There are more: `/agent-task show TASK` shows each, and so does the supervisor's page."
NOTHING: Final = "No agent reports a task here yet."
NOT_YOURS: Final = "You may not tell this task what to do. Nothing was done. Who may is described in the directory."
NO_ORDERS: Final = "This is an answer that an agent writes: it can be stopped, and nothing else. Nothing was done."
NO_WORDS: Final = "Say what its agent is to be told: `/agent-task tell TASK words`."
OVER: Final = "This task is over already: "
ENDING: Final = "Its agent is told to end it."
ENDED_BEFORE: Final = "Its agent was told to end it already."
WHICH_AGENT: Final = "Say which agent, and what it is to do: `/agent-task run AGENT what is to be done`."
NOT_UNDERSTOOD: Final = "That is nothing that I understand. "


@dataclass(frozen=True)
class _Order:
    """One thing that people tell a task."""

    action: OrderKind
    told: str
    before: str
    """What is told where it is so already."""
    is_so: Callable[[Task], bool]


ORDERS: Final[dict[str, _Order]] = {
    "cancel": _Order("cancel", ENDING, ENDED_BEFORE, lambda task: task.cancelled_by is not None),
    "pause": _Order("pause", "Its agent is told to wait.", "It was told to wait already.", lambda task: task.is_paused),
    "resume": _Order(
        "resume", "Its agent is told to go on.", "Nobody told it to wait.", lambda task: not task.is_paused
    ),
    "tell": _Order("message", "Its agent is told.", "", lambda _: False),
}


@dataclass(frozen=True)
class Asking:
    """Who commands, where and when, and what they may."""

    command: ApprovalAnswered | TaskCommanded
    rights: Rights
    now: datetime
    understood: str | None = None
    """What a model took their words for: they are told it first."""

    @property
    def place(self) -> Place:
        """Where they said it."""
        command = self.command
        return Place(
            tenant_id=command.tenant_id,
            connection=command.connection,
            team_id=command.team_id,
            channel_id=command.channel_id,
            thread_ts=command.thread_ts,
        )

    def told(self, text: str, task: Task | None = None) -> Iterator[Following]:
        """They alone are told, where they said it; where that is nowhere, where the task is told of."""
        told = text if self.understood is None else f"{self.understood}\n{text}"
        said = Whisper(self.command.user_id, blocks.short(told, LONGEST_TOLD), self.command.command_id, self.now)
        if self.command.channel_id is not None:
            yield whispered(self.place, said)
        elif task is not None:
            yield whispered(home_of(task), replace(said, kind="approval_refused"))


def not_understood(asking: Asking, command: TaskCommanded) -> Iterator[Following]:
    """Who spoke to the agents is told what they can say; others are left alone."""
    return asking.told(f"{NOT_UNDERSTOOD}{HELP}") if command.addressed else iter(())


def handed_over(command: TaskCommanded) -> Following:
    """Words for a model: it takes its time, and whoever clicks must not wait for it.

    A record says so, since rules know agents by what was reported until then: two readers might see it differently.
    """
    name = ids.run_id(command.connection, f"words:{command.command_id}")
    return Following(AGENTS_COMMANDS, command.connection, command.model_copy(update={"for_model": True}), name)


def in_order(command: TaskCommanded, meant: Meant) -> TaskCommanded:
    """Plain words as the command that they mean."""
    text = f"{meant.name} {meant.text}" if meant.verb == "run" else meant.text
    return command.model_copy(update={"verb": meant.verb, "task_id": meant.name, "text": text})


def wanted(asking: Asking, agent_id: str, text: str, channel: str) -> Iterator[Following]:
    """A task that begins when it is approved, and when a worker of the agent takes it."""
    command = asking.command
    if AGENT.fullmatch(agent_id) is None or not text.strip():
        yield from asking.told(WHICH_AGENT)
        return
    said = blocks.short(wire.words(text.strip()) or "", LONGEST_WISH)
    task_id = f"{agent_id}-{command.command_id[:8]}"
    approval_id = ids.approval_id(command.tenant_id, task_id, START, command.command_id)
    arguments = {"agent": agent_id, "task": said}
    common: dict[str, Any] = {
        "at": command.at,
        "task_id": task_id,
        "tenant_id": command.tenant_id,
        "agent_id": agent_id,
    }
    home = TaskHome(connection=command.connection, team_id=command.team_id, channel=channel)
    name = blocks.short(" ".join(said.split()), LONGEST_NAME)
    wish = TaskWanted(
        **common, home=home, task_name=name, text=said, wanted_by=command.user_id, approval_id=approval_id
    )
    asked = ApprovalRequested(
        **common,
        home=home,
        token_id=SUPERVISOR,
        received_at=command.at,
        approval_id=approval_id,
        request_id=START,
        action=f"Begin: {name}",
        arguments_json=json.dumps(arguments, sort_keys=True, ensure_ascii=False, separators=(",", ":")),
        arguments_hash=ids.approval_hash(f"Begin: {name}", arguments),
        expires_at=command.at + START_WITHIN,
    )
    for event in (wish, asked):
        name = ids.task_record_id(command.tenant_id, task_id, f"{event.type}:{command.command_id}")
        yield Following(AGENTS_EVENTS, task_id, event, name)
    where = channel if is_channel_name(channel) else f"<#{channel}>"
    yield from asking.told(
        f"Task `{task_id}` is asked for in {where}. It begins when it is approved and a worker takes it."
    )


def answered(asking: Asking, command: ApprovalAnswered, task: Task, approval: Approval) -> Iterator[Following]:
    """A click or a form: a decision, or an attempt that is recorded and told to who made it."""
    if _stands(command, approval):
        return
    reason = wire.words(command.reason)
    given = Answer(command.user_id, command.arguments_hash, command.answer, reason, "slack", command.at)
    made = deciding.decide(task, approval, given, asking.rights)
    yield recorded(task, made, command.command_id)
    if isinstance(made, ApprovalAttempted):
        yield from asking.told(_why_not(made, approval), task)


def _stands(command: ApprovalAnswered, approval: Approval) -> bool:
    """Whether it is decided by this very click, which is read again, as after a kill."""
    return (approval.decided_by, approval.decided_at) == (command.user_id, command.at)


def recorded(task: Task, made: ApprovalDecided | ApprovalAttempted, cause: str) -> Following:
    """A decision or an attempt in the log. One click is one of them."""
    return of_task(task, made, f"answer:{cause}")


def decided_by_name(asking: Asking, command: TaskCommanded, task: Task, approval: Approval) -> Iterator[Following]:
    """`/agent-task approve`, or plain words: what stands there now is decided, as by its button."""
    click = ApprovalAnswered(
        **{name: getattr(command, name) for name in type(command).model_fields if name in _FROM_PERSON},
        approval_id=approval.approval_id,
        arguments_hash=approval.arguments_hash,
        answer=command.verb,
        reason=blocks.short(command.text.strip(), LONGEST_WISH) or None,
    )
    made = list(answered(asking, click, task, approval))
    yield from made
    outcomes: list[str] = [each.event.outcome for each in made if isinstance(each.event, ApprovalDecided)]
    if _stands(click, approval):
        outcomes = [approval.state]
    for outcome in outcomes:
        what = f"{blocks.escaped(approval.action)} (`{task.task_id}`, `{approval.arguments_hash[:16]}`)"
        yield from asking.told(f"You {DONE[outcome]}: {what}", task)


def which(asking: Asking, found: Sequence[tuple[Task, Approval]]) -> Iterator[Following]:
    """Several go by that name, and nothing is decided."""
    lines = [
        f"• `{approval.approval_id}`: {blocks.escaped(blocks.short(approval.action, LONGEST_NAME))} (`{task.task_id}`)"
        for task, approval in found[:MOST_LISTED]
    ]
    yield from asking.told("\n".join([WHICH_APPROVAL, *lines]))


def form_wanted(asking: Asking, command: TaskCommanded, task: Task, approval: Approval) -> Iterator[Following]:
    """Who wants to reject or to answer gets a form to write in, unless they could not decide anyway."""
    probe = Answer(command.user_id, approval.arguments_hash, command.verb, "…", "slack", command.at)
    made = deciding.decide(task, approval, probe, asking.rights)
    if isinstance(made, ApprovalAttempted):
        yield recorded(task, made, command.command_id)
        yield from asking.told(_why_not(made, approval), task)
    elif command.trigger_id is not None and command.channel_id is not None:
        opened = ViewRequested(
            at=command.at,
            cause=command.cause,
            place=asking.place,
            user_id=command.user_id,
            trigger_id=command.trigger_id,
            view_json=blocks.as_json(form(approval, command.verb, task.agent_id, command.text.strip())),
        )
        key = ids.thread_key(command.connection.partition(":")[2], command.channel_id, command.thread_ts)
        yield Following(RUNS_COMMANDS, key, opened, ids.run_id(command.connection, f"form:{command.command_id}"))


def ordered(asking: Asking, command: TaskCommanded, task: Task) -> Iterator[Following]:
    """Somebody wants a task to end, to wait, to go on, or to know something. Its agent hears of it."""
    order = ORDERS[command.verb]
    words = blocks.short(wire.words(command.text.strip()) or "", LONGEST_WISH)
    if task.is_over:
        yield from asking.told(f"{OVER}{header(task)}", task)
    elif not asking.rights.may_cancel(command.user_id, task):
        yield from asking.told(NOT_YOURS, task)
    elif task.run is not None and order.action != "cancel":
        yield from asking.told(NO_ORDERS, task)
    elif order.action == "message" and not words:
        yield from asking.told(NO_WORDS, task)
    elif order.is_so(task):
        yield from asking.told(order.before, task)
    else:
        wants = Intervention(
            **about(task, command.at),
            action=order.action,
            by_user=command.user_id,
            text=words or None,
            via="slack",
        )
        yield of_task(task, wants, f"order:{command.command_id}")
        yield from asking.told(order.told, task)


def listed(asking: Asking, tasks: Sequence[Task]) -> Iterator[Following]:
    """What agents do, a line each."""
    lines = [f"• {_line(each)}" for each in tasks[:MOST_LISTED]]
    if len(tasks) > MOST_LISTED:
        lines.append(MORE)
    yield from asking.told("\n".join(lines) or NOTHING)


def shown(asking: Asking, task: Task, children: Sequence[Task] = ()) -> Iterator[Following]:
    """One task, in some lines, and those that it began."""
    facts: list[str] = [_line(task)]
    if task.action is not None:
        facts.append(f"Last action: {blocks.escaped(task.action)}")
    if task.context_share is not None:
        facts.append(f"Context: {task.context_used:,} of {task.context_size:,} ({task.context_share:.0%})")
    if task.cost_usd:
        facts.append(f"Cost: ${task.cost_usd:.4f}")
    facts += [
        f"Waits for: {blocks.escaped(each.action)} (`{each.request_id}`)" for each in task.approvals if each.is_open
    ]
    facts += [f"  ↳ {_line(each)}" for each in children]
    yield from asking.told("\n".join(facts), task)


def _line(task: Task) -> str:
    progress = f", {task.progress:.0%}" if task.progress is not None and not task.is_over else ""
    return f"{blocks.escaped(header(task))}: {blocks.escaped(task.task_name)} (`{task.task_id}`{progress})"


def _why_not(made: ApprovalAttempted, approval: Approval) -> str:
    if made.fault == "already_decided" and approval.decided_by is not None and approval.state != "open":
        return f"{blocks.person(approval.decided_by)} has {DONE[approval.state]} this already. Nothing was changed."
    return WORDS[made.fault]


DONE: Final[dict[str, str]] = {
    "approved": "approved",
    "rejected": "rejected",
    "chosen": "decided",
    "answered": "answered",
}
"""What somebody has done with an approval that is in a state."""
_FROM_PERSON: Final = frozenset(TaskCommanded.model_fields) & frozenset(ApprovalAnswered.model_fields) - {"type"}
