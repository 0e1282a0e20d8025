"""What must hold of supervised tasks, whatever died meanwhile; a violation comes with its task's story."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bench.beds.answered import Entry
from bench.supervising.clicking import Click
from bench.supervising.programs import Program
from schemas import ids
from schemas.agent import ApprovalAttempted, ApprovalDecided, ApprovalRequested
from services.supervisor.decisions.looks import LOOKS
from services.supervisor.decisions.task import Task

FINAL_OF: Final = {"approve": {"approved"}, "approve twice": {"approved"}, "reject": {"rejected"}}


@dataclass(frozen=True)
class Facts:
    """Everything that is there afterwards."""

    programs: list[Program]
    clicks: list[Click]
    events: list[Entry]
    """Of agents.events, each partition in its order; a repeat is another."""
    tasks: dict[str, Task]
    """As the projection has them."""
    approvals: Sequence[Mapping[str, Any]]
    """Rows of human_interventions that are approvals."""
    checkpoints: frozenset[str]
    """Names of rows."""
    messages: dict[str, list[Mapping[str, Any]]]
    """Heads in Slack, by task."""
    threads: dict[str, list[Mapping[str, Any]]]
    """What stands under them."""
    differ: list[str]
    """Tables that are otherwise when they are made anew."""
    tenant_of: dict[str, str]

    def decided(self, program: Program, question: str) -> list[ApprovalDecided]:
        """Decisions in the log about a question, in their order. What stands there again under one name is a repeat."""
        asked = [each.event for each in self.events if isinstance(each.event, ApprovalRequested)]
        names = {
            each.approval_id for each in asked if (each.task_id, each.request_id) == (program.plan.task_id, question)
        }
        found: dict[str, Any] = {}
        for each in self.events:
            if getattr(each.event, "approval_id", None) in names:
                found.setdefault(each.id, each.event)
        return [each for each in found.values() if isinstance(each, ApprovalDecided)]


def lost(facts: Facts) -> Iterator[str]:
    """Events that a program was told stand, and do not; in the log, or of checkpoints in the table."""
    there = {each.id for each in facts.events}
    for program in facts.programs:
        task_id, tenant_id = program.plan.task_id, facts.tenant_of[program.plan.task_id]
        for name in dict.fromkeys(program.accepted):
            if ids.task_record_id(tenant_id, task_id, name) not in there:
                yield task_id
    in_log = {each.id for each in facts.events if getattr(each.event, "type", "") == "task.checkpoint"}
    yield from (f"checkpoint {each}" for each in in_log - facts.checkpoints)


def statuses_lost(facts: Facts) -> Iterator[str]:
    """Changes of a status that do not stand in the task's time line, in their order."""
    for program in facts.programs:
        task = facts.tasks.get(program.plan.task_id)
        line: Iterator[str] = iter([each.status for each in task.timeline] if task is not None else ())
        reported = ["starting", *program.statuses, program.plan.end]
        changes = [each for at, each in enumerate(reported) if at == 0 or each != reported[at - 1]]
        if not all(change in line for change in changes):
            yield program.plan.task_id


def otherwise_decided(facts: Facts) -> Iterator[str]:
    """Approvals whose first decision in the log is not what stands in the table, or not what the program heard."""
    rows = {(row["task_id"], row["request_id"]): row for row in facts.approvals}
    for program in facts.programs:
        for question in program.plan.questions:
            decided = facts.decided(program, question.name)
            row = rows.get((program.plan.task_id, question.name))
            heard = program.heard.get(question.name, {})
            first = (decided[0].outcome, decided[0].decided_by) if decided else None
            if (
                row is None
                or first != (row["state"], row["by_user"])
                or first
                != (
                    heard.get("state"),
                    heard.get("decided_by"),
                )
            ):
                yield program.plan.task_id


def granted_twice(facts: Facts) -> Iterator[str]:
    """Rows of one approval that stand more than once as decided."""
    counts = Counter((row["task_id"], row["request_id"]) for row in facts.approvals)
    yield from (task_id for (task_id, _), count in counts.items() if count > 1)


def not_clicked(facts: Facts) -> Iterator[str]:
    """Decisions that no click of somebody who may led to."""
    clicked = {(each.task_id, each.question, each.user, each.answer) for each in facts.clicks if each.may}
    answers = {"approved": "approve", "rejected": "reject"}
    for program in facts.programs:
        for question in program.plan.questions:
            for each in facts.decided(program, question.name):
                answer = answers.get(each.outcome)
                wanted = (program.plan.task_id, question.name, each.decided_by, answer)
                if answer is not None and wanted not in clicked:
                    yield program.plan.task_id


def otherwise_than_wanted(facts: Facts) -> Iterator[str]:
    """Questions that ended otherwise than people decided: also by silence, which is neither yes nor no."""
    for program in facts.programs:
        for question in program.plan.questions:
            expected = {"reject": "rejected", "nobody": "expired"}.get(question.wanted, "approved")
            if program.heard.get(question.name, {}).get("state") != expected:
                yield program.plan.task_id


def attempts_not_recorded(facts: Facts) -> Iterator[str]:
    """Clicks of who may not that stand nowhere."""
    tried = Counter(
        (each.task_id, each.attempted_by)
        for each in {entry.id: entry.event for entry in facts.events}.values()
        if isinstance(each, ApprovalAttempted) and each.fault == "may_not"
    )
    wanted = Counter((each.task_id, each.user) for each in facts.clicks if not each.may and each.arrived)
    yield from (task_id for (task_id, user), count in wanted.items() if tried[task_id, user] < count)


def not_ended(facts: Facts) -> Iterator[str]:
    """Tasks whose row does not say how they ended."""
    for program in facts.programs:
        task = facts.tasks.get(program.plan.task_id)
        if task is None or task.status != program.plan.end:
            yield program.plan.task_id


def not_shown(facts: Facts) -> Iterator[str]:
    """Tasks whose message does not say how they ended."""
    for program in facts.programs:
        found = facts.messages.get(program.plan.task_id, [])
        words = LOOKS[program.plan.end].words
        if not any(each["text"].endswith(f"– {words}") for each in found):
            yield program.plan.task_id


def shown_twice(facts: Facts) -> Iterator[str]:
    """Tasks that have more than one message, or whose question or end stands twice in the thread."""
    for program in facts.programs:
        if len(facts.messages.get(program.plan.task_id, ())) > 1:
            yield program.plan.task_id
        under = [str(each) for each in facts.threads.get(program.plan.task_id, ())]
        for question in program.plan.questions:
            if sum(f"do what {question.name} says" in each for each in under) != 1:
                yield program.plan.task_id


def buttons_left(facts: Facts) -> Iterator[str]:
    """Tasks that are over, and whose messages still have buttons."""
    for program in facts.programs:
        task_id = program.plan.task_id
        shown = [*facts.messages.get(task_id, ()), *facts.threads.get(task_id, ())]
        if any("'type': 'actions'" in str(each) for each in shown):
            yield task_id


def differing(facts: Facts) -> Iterable[str]:
    """Tables that are otherwise when they are made anew."""
    return facts.differ


CHECKS: Final[Mapping[str, Callable[[Facts], Iterable[str]]]] = {
    "reported events lost": lost,
    "changes of a status lost": statuses_lost,
    "approvals decided twice, or told otherwise": otherwise_decided,
    "approvals that stand twice": granted_twice,
    "decisions that nobody clicked who may": not_clicked,
    "questions that ended otherwise than people wanted": otherwise_than_wanted,
    "attempts of who may not that are not recorded": attempts_not_recorded,
    "tasks not in their true state in Postgres": not_ended,
    "tasks not in their true state in Slack": not_shown,
    "messages that stand twice": shown_twice,
    "buttons left at what is over": buttons_left,
    "tables otherwise when made anew": differing,
}


def wrong(facts: Facts) -> dict[str, list[str]]:
    """What is not as it must be, by check."""
    return {name: sorted(set(check(facts))) for name, check in CHECKS.items()}


def story(facts: Facts, task_id: str) -> Iterator[str]:
    """All that is known of a task, for who wants to know what went wrong."""
    for program in (each for each in facts.programs if each.plan.task_id == task_id):
        yield f"planned: {program.plan.steps} then {program.plan.end}"
        yield f"accepted: {program.accepted}; done: {program.is_done}"
        yield from (f"heard of {name}: {each}" for name, each in program.heard.items())
    yield from (f"clicked: {each}" for each in facts.clicks if each.task_id == task_id)
    for entry in facts.events:
        if getattr(entry.event, "task_id", None) == task_id:
            yield f"log {entry.partition}/{entry.offset} {entry.id}: {entry.event!r}"
    yield f"task: {facts.tasks.get(task_id)!r}"
    shown = [*facts.messages.get(task_id, ()), *facts.threads.get(task_id, ())]
    yield from (f"in Slack {each['ts']}: {each['text']} {each.get('metadata')}" for each in shown)
