"""Whether somebody's answer decides an approval, and what it decides."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from schemas.agent import ApprovalAttempted, ApprovalDecided, AttemptFault, DecidedVia, Outcome
from services.supervisor.decisions.task import Approval, Task, about

APPROVE, REJECT, ANSWER, CHOOSE = "approve", "reject", "answer", "choose"
"""What buttons and forms carry. Behind `choose` stands the number of the choice, from 0."""

NOT_ASKED: Final[dict[str, AttemptFault]] = {"withdrawn": "other_arguments", "refused": "too_many"}
"""States of what nobody is asked (any more)."""

WORDS: Final[dict[AttemptFault, str]] = {
    "may_not": "You may not decide this. Who may is described in the directory (`people: may: approve`). Nothing was "
    "decided.",
    "own_task": "You started this task, and may not approve what it wants to do yourself. Nothing was decided.",
    "other_arguments": "This is not what was asked any more. Nothing was decided.",
    "already_decided": "This was decided already. Nothing was changed.",
    "expired": "The time to decide this is over. Nothing was decided.",
    "task_over": "Its task is over. Nothing was decided.",
    "too_many": "This task asks for too much at once. Nothing was asked.",
    "not_a_choice": "That does not answer what was asked: its message says what does. Nothing was decided.",
}


@dataclass(frozen=True)
class Rights:
    """What a tenant lets people do, as of a revision of the directory."""

    approvers: frozenset[str]
    stoppers: frozenset[str]
    anyone_may_approve: bool
    anyone_may_stop: bool
    self_approval: bool
    revision: int

    def may_cancel(self, user: str, task: Task) -> bool:
        """Who may end anybody's run, or approve, may end a task; so may whoever wanted it."""
        anyone = self.anyone_may_stop or self.anyone_may_approve
        return anyone or user in self.stoppers | self.approvers or user == task.started_by


@dataclass(frozen=True)
class Answer:
    """What somebody answered."""

    by: str
    arguments_hash: str
    answer: str
    reason: str | None
    via: DecidedVia
    at: datetime


def decide(task: Task, approval: Approval, answer: Answer, rights: Rights) -> ApprovalDecided | ApprovalAttempted:
    """The decision, or why it is none."""
    outcome = _outcome(approval, answer)
    fault = _fault(task, approval, answer, rights)
    if fault is None and outcome is None:
        fault = "not_a_choice"
    common: dict[str, Any] = {
        **about(task, answer.at),
        "approval_id": approval.approval_id,
        "arguments_hash": answer.arguments_hash,
        "via": answer.via,
    }
    if fault is not None or outcome is None:
        return ApprovalAttempted(**common, fault=fault or "not_a_choice", attempted_by=answer.by)
    return ApprovalDecided(
        **common,
        outcome=outcome,
        answer=_words(approval, answer, outcome),
        reason=answer.reason if outcome in {"approved", "rejected"} else None,
        decided_by=answer.by,
        directory_revision=rights.revision,
    )


def expired(task: Task, approval: Approval, now: datetime) -> ApprovalDecided:
    """What the clock says of one that nobody answered."""
    return ApprovalDecided(
        **about(task, now),
        approval_id=approval.approval_id,
        arguments_hash=approval.arguments_hash,
        outcome="expired",
        via="clock",
    )


def _fault(task: Task, approval: Approval, answer: Answer, rights: Rights) -> AttemptFault | None:
    if answer.arguments_hash != approval.arguments_hash:
        return "other_arguments"
    if not rights.anyone_may_approve and answer.by not in rights.approvers:
        return "may_not"
    grants = approval.kind == "decision" and answer.answer == APPROVE
    if grants and answer.by == task.started_by and not rights.self_approval:
        return "own_task"
    if approval.state == "expired" or (approval.is_open and answer.at >= approval.expires_at):
        return "expired"
    if approval.state in NOT_ASKED or task.is_over:
        return "task_over" if task.is_over else NOT_ASKED[approval.state]
    return None if approval.is_open else "already_decided"


def _outcome(approval: Approval, answer: Answer) -> Outcome | None:
    """A choice and a question can be turned down, too."""
    if answer.answer == REJECT:
        return "rejected"
    match approval.kind:
        case "decision":
            return "approved" if answer.answer == APPROVE else None
        case "choice":
            return "chosen" if _choice(approval, answer) is not None else None
        case "question":
            return "answered" if answer.answer == ANSWER and (answer.reason or "").strip() else None


def _choice(approval: Approval, answer: Answer) -> str | None:
    verb, _, number = answer.answer.partition(" ")
    if verb != CHOOSE or not number.isdecimal() or int(number) >= len(approval.choices):
        return None
    return approval.choices[int(number)]


def _words(approval: Approval, answer: Answer, outcome: Outcome) -> str | None:
    match outcome:
        case "chosen":
            return _choice(approval, answer)
        case "answered":
            return (answer.reason or "").strip()
        case _:
            return None
