"""What people want of supervised agents, and what that leads to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from schemas import ids
from schemas.agent import ApprovalAnswered, ApprovalAttempted, ApprovalDecided, Intervention, TaskCommanded
from schemas.command import Place, ViewRequested
from schemas.topics import RUNS_COMMANDS
from services.supervisor.decisions import blocks, deciding
from services.supervisor.decisions.deciding import APPROVE, WORDS, Answer, Rights
from services.supervisor.decisions.following import Following, Whisper, home_of, of_task, whispered
from services.supervisor.decisions.forms import form
from services.supervisor.decisions.posts import header
from services.supervisor.decisions.task import Approval, Task

MOST_LISTED: Final = 20
HELP: Final = (
    "`/agent-task list` shows what agents do, `/agent-task show TASK` one task, `/agent-task cancel TASK` tells its "
    "agent to end it, `/agent-task approve APPROVAL` allows what it asks for."
)
NO_SUCH_TASK: Final = "There is no such task here. `/agent-task list` shows those that there are."
NO_SUCH_APPROVAL: Final = "There is no such approval here any more. Nothing was decided."
NOTHING: Final = "No agent reports a task here yet."
NOT_YOURS: Final = "You may not end this task. Nothing was done. Who may is described in the directory."
OVER: Final = "This task is over already: "
ENDING: Final = "Its agent is told to end it."
ENDED_BEFORE: Final = "Its agent was told to end it already."
NO_WORKERS: Final = "Tasks cannot be started from Slack: start the agent's program, and it shows here."


@dataclass(frozen=True)
class Asking:
    """Who commands, where and when, and what they may."""

    command: ApprovalAnswered | TaskCommanded
    rights: Rights
    now: datetime

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
        said = Whisper(self.command.user_id, text, self.command.command_id, self.now)
        if self.command.channel_id is not None:
            yield whispered(self.place, said)
        elif task is not None:
            yield whispered(home_of(task), replace(said, kind="approval_refused"))


def answered(asking: Asking, command: ApprovalAnswered, task: Task, approval: Approval) -> Iterator[Following]:
    """A click or a form: a decision, or an attempt that is recorded and told to who made it."""
    given = Answer(command.user_id, command.arguments_hash, command.answer, command.reason, "slack", command.at)
    made = deciding.decide(task, approval, given, asking.rights)
    yield recorded(task, made, command.command_id)
    if isinstance(made, ApprovalAttempted):
        yield from asking.told(_why_not(made, approval), task)


def recorded(task: Task, made: ApprovalDecided | ApprovalAttempted, cause: str) -> Following:
    """A decision or an attempt in the log. One click is one of them."""
    return of_task(task, made, f"answer:{cause}")


def approved_by_name(asking: Asking, task: Task, approval: Approval) -> Iterator[Following]:
    """`/agent-task approve`: what stands there now is approved, as by its button."""
    command = asking.command
    click = ApprovalAnswered(
        **{name: getattr(command, name) for name in type(command).model_fields if name in _FROM_PERSON},
        approval_id=approval.approval_id,
        arguments_hash=approval.arguments_hash,
        answer=APPROVE,
    )
    yield from answered(asking, click, task, approval)


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
            view_json=blocks.as_json(form(approval, command.verb, task.agent_id)),
        )
        key = ids.thread_key(command.connection.partition(":")[2], command.channel_id, command.thread_ts)
        yield Following(RUNS_COMMANDS, key, opened, ids.run_id(command.connection, f"form:{command.command_id}"))


def cancelled(asking: Asking, task: Task) -> Iterator[Following]:
    """Somebody wants a task to end. Its agent hears of it, and ends it."""
    command = asking.command
    if task.is_over:
        yield from asking.told(f"{OVER}{header(task)}", task)
    elif not asking.rights.may_cancel(command.user_id, task):
        yield from asking.told(NOT_YOURS, task)
    elif task.cancelled_by is not None:
        yield from asking.told(ENDED_BEFORE, task)
    else:
        wants = Intervention(
            at=command.at,
            task_id=task.task_id,
            tenant_id=task.tenant_id,
            agent_id=task.agent_id,
            action="cancel",
            by_user=command.user_id,
            via="slack",
        )
        yield of_task(task, wants, f"order:{command.command_id}")
        yield from asking.told(ENDING, task)


def listed(asking: Asking, tasks: Sequence[Task]) -> Iterator[Following]:
    """What agents do, a line each."""
    lines = [f"• {_line(each)}" for each in tasks[:MOST_LISTED]]
    yield from asking.told("\n".join(lines) or NOTHING)


def shown(asking: Asking, task: Task) -> Iterator[Following]:
    """One task, in some lines."""
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
    yield from asking.told("\n".join(facts), task)


def _line(task: Task) -> str:
    progress = f", {task.progress:.0%}" if task.progress is not None and not task.is_over else ""
    return f"{blocks.escaped(header(task))}: {blocks.escaped(task.task_name)} (`{task.task_id}`{progress})"


def _why_not(made: ApprovalAttempted, approval: Approval) -> str:
    if made.fault == "already_decided" and approval.decided_by is not None and approval.state != "open":
        return f"<@{approval.decided_by}> has {_DONE[approval.state]} this already. Nothing was changed."
    return WORDS[made.fault]


_DONE: Final[dict[str, str]] = {
    "approved": "approved",
    "rejected": "rejected",
    "chosen": "decided",
    "answered": "answered",
}
_FROM_PERSON: Final = frozenset(TaskCommanded.model_fields) & frozenset(ApprovalAnswered.model_fields) - {"type"}
