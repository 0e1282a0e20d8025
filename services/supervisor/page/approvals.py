"""An approval as people see it: what is asked, in full, and what they can answer."""

import json
from collections.abc import Iterator

from schemas.agent import ApprovalAttempted
from services.kit.markup import Child, Markup, el, together
from services.supervisor.decisions.deciding import ANSWER, APPROVE, CHOOSE, REJECT, Answer, decide
from services.supervisor.decisions.forms import LONGEST_ANSWER
from services.supervisor.decisions.posts import STATES
from services.supervisor.decisions.task import Approval, Task
from services.supervisor.page.parts import moment, said, to_task
from services.supervisor.page.viewer import Viewer

ASKS = {"decision": "asks to be allowed", "choice": "asks for a choice", "question": "asks"}
MAY_NOT = "You may look at this, and not decide it. Who may is described in the directory (people: may: approve)."
OWN_TASK = "You started this task, and may not allow what it wants to do yourself. You may reject it."


def card(viewer: Viewer, task: Task, approval: Approval, *, on_board: bool) -> Markup:
    """All of it."""
    head = el("p", el("b", said(task.agent_id)), f" {ASKS[approval.kind]}", class_="sub")
    where = together(" · ", to_task(task.task_id, said(task.task_name))) if on_board else None
    bound = el("code", approval.arguments_hash[:16], title="What an answer is bound to")
    return el(
        "article", head, el("h3", said(approval.action)), _arguments(approval),
        el("p", _times(viewer, approval), where, " · ", bound, class_="sub"),
        _answers(viewer, task, approval, on_board=on_board) if approval.is_open else _outcome(viewer, approval),
        class_="card approval", id=f"approval-{approval.approval_id}", data_task=task.task_id,
        data_state=approval.state,
    )  # fmt: skip


def _times(viewer: Viewer, approval: Approval) -> Markup:
    asked = together("Asked ", moment(approval.asked_at, viewer.now))
    return together(asked, ", open until ", moment(approval.expires_at, viewer.now)) if approval.is_open else asked


def _arguments(approval: Approval) -> Markup | None:
    shown: list[Child] = []
    if approval.arguments_json != "{}":
        text = json.dumps(json.loads(approval.arguments_json), indent=2, sort_keys=True, ensure_ascii=False)
        shown.append(el("pre", said(text), tabindex="0", aria_label="Arguments"))
    if approval.choices and not approval.is_open:
        shown.append(el("ul", [el("li", said(each)) for each in approval.choices], class_="choices"))
    return together(shown) if shown else None


def _outcome(viewer: Viewer, approval: Approval) -> Markup:
    sign, words, _ = STATES[approval.state]
    who = f" by {viewer.called(approval.decided_by)}" if approval.decided_by else ""
    when = together(" · ", moment(approval.decided_at, viewer.now)) if approval.decided_at else None
    answer = el("p", said(approval.answer), class_="quote") if approval.answer else None
    reason = el("p", said(approval.reason), class_="quote") if approval.reason else None
    return together(
        el("p", el("span", sign, aria_hidden="true"), f" {words}{who}", when, class_="outcome"), answer, reason
    )


def _answers(viewer: Viewer, task: Task, approval: Approval, *, on_board: bool) -> Markup:
    """What these eyes may answer: a probe is decided as a real answer would be, and left at that."""
    probe = Answer(viewer.user, approval.arguments_hash, APPROVE, None, "page", viewer.now)
    made = decide(task, approval, probe, viewer.rights)
    fault = made.fault if isinstance(made, ApprovalAttempted) else None
    if fault == "may_not":
        return el("p", MAY_NOT, class_="note")
    form = _Form(viewer, approval, "" if on_board else task.task_id)
    if fault == "own_task":
        return together(el("p", OWN_TASK, class_="note"), el("div", form.reject(), class_="answers"))
    return el("div", list(form.yes()), form.reject(), class_="answers")


class _Form:
    """Each answer is a form of its own, bound to what was asked and to whose page it is."""

    def __init__(self, viewer: Viewer, approval: Approval, back: str) -> None:
        self._viewer, self._approval, self._back = viewer, approval, back

    def yes(self) -> Iterator[Markup]:
        """Whatever is no rejection."""
        match self._approval.kind:
            case "decision":
                yield self._form(_button("Approve", APPROVE, "primary"))
            case "choice":
                choices = [
                    _button(said(each), f"{CHOOSE} {number}", "") for number, each in enumerate(self._approval.choices)
                ]
                yield self._form(el("div", choices, class_="choices", role="group", aria_label="Choices"))
            case "question":
                yield self._form(self._words("Your answer", needed=True), _button("Send", ANSWER, "primary"))

    def reject(self) -> Markup:
        """No, and why."""
        inside = self._form(
            self._words("Why not? (May stay empty.)", needed=False), _button("Reject", REJECT, "danger")
        )
        return el("details", el("summary", "Reject…", class_="button"), inside, id=f"no-{self._approval.approval_id}")

    def _form(self, *inside: Child) -> Markup:
        hidden = {"token": self._viewer.form_token, "hash": self._approval.arguments_hash, "back": self._back}
        fields = [el("input", type="hidden", name=name, value=value) for name, value in hidden.items()]
        return el("form", fields, inside, method="post", action=f"/approvals/{self._approval.approval_id}")

    def _words(self, label: str, *, needed: bool) -> Markup:
        field = el("textarea", name="reason", rows="3", maxlength=LONGEST_ANSWER, required=needed)
        return el("label", label, field)


def _button(words: str, answer: str, look: str) -> Markup:
    return el("button", words, type="submit", name="answer", value=answer, class_=f"button {look}".strip())
