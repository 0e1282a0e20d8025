"""What is said of a task in Slack: a message that is kept up to date, and a thread under it.

All of it follows from the task. Whoever compares it with what was said knows what is still to be said.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from schemas.agent import AgentStatus
from schemas.buttons import APPROVAL, PREFIX, TASK
from services.supervisor.decisions import blocks
from services.supervisor.decisions.blocks import Block, escaped, lasted, moment, person
from services.supervisor.decisions.deciding import APPROVE, CHOOSE
from services.supervisor.decisions.health import health_of
from services.supervisor.decisions.looks import ARTIFACTS, GREEN, GREY, LOOKS, ORANGE, RED, YELLOW
from services.supervisor.decisions.task import ALARM_AT, WARN_AT, Approval, Artifact, Judgement, Order, Task

MOST_ARTIFACTS, MOST_MOMENTS, MOST_FIELDS = 6, 6, 10
LONGEST_PLACE, LONGEST_INDENTED = 300, 40_000
WEB = re.compile(r"https?://[^\s<>|`]{1,1000}")
STATES = {
    "approved": ("✅", "Approved", GREEN),
    "rejected": ("❌", "Rejected", RED),
    "chosen": ("✅", "Chosen", GREEN),
    "answered": ("💬", "Answered", GREEN),
    "expired": ("⌛", "Nobody decided in time: neither approved nor rejected", GREY),
    "refused": ("↩️", "Nobody was asked: its task waits for too many answers already", GREY),
    "withdrawn": ("↩️", "Not needed any more: the task ended before anybody decided", GREY),
}
REPLACED = ("↩️", "Not needed any more: another request took its place", GREY)

NOTICED = {
    "silent": ("💤", ORANGE),
    "heard_again": ("👋", GREEN),
    "budget_80": ("💸", YELLOW),
    "budget_spent": ("💸", RED),
}


@dataclass(frozen=True)
class Post:
    """One message, by its name."""

    name: str
    """Begins as no program may name a message: nobody else changes it, or says something in its place."""
    text: str
    color: str
    blocks: list[Block]
    thread_of: str | None = None
    """The post in whose thread it stands."""
    status: AgentStatus | None = None
    """Of the task's own post."""
    standing: str | None = None
    """Likewise: it changes at once where this does, and now and then where it does not."""
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        said = json.dumps([self.text, self.color, self.blocks], sort_keys=True)
        object.__setattr__(self, "digest", hashlib.sha256(said.encode()).hexdigest()[:16])


def posts_of(task: Task) -> Iterator[Post]:
    """All of them, the task's own first."""
    head = head_name(task)
    if task.home.thread_ts is not None:  # a run, which tells of itself there
        yield from (_approval(task, each, None) for each in task.approvals)
        return
    yield _head(task, head)
    for approval in task.approvals:
        yield _approval(task, approval, head)
    for judgement in task.judgements:
        yield _judgement(task, judgement, head)
    for order in task.orders:
        yield _order(order, head)
    if task.is_over:
        yield _end(task, head)


def head_name(task: Task) -> str:
    """Of the task's own post. Another life of the task is another thread."""
    name = f"{PREFIX}task:{task.task_id}"
    return name if task.life == 0 else f"{name}#{task.life}"


def header(task: Task) -> str:
    """The line that says which agent it is, and how it is."""
    look = LOOKS[task.status]
    return f"{look.emoji} Agent {task.agent_id} – {look.words}"


def _head(task: Task, name: str) -> Post:
    look = LOOKS[task.status]
    facts = list(_facts(task))
    columns = [blocks.fields(facts[at : at + MOST_FIELDS]) for at in range(0, len(facts), MOST_FIELDS)]
    shown: list[Block] = [blocks.section(f"*{escaped(task.task_name)}*"), *columns]
    if task.artifacts:
        shown.append(blocks.section("\n".join(_artifact(each) for each in task.artifacts[-MOST_ARTIFACTS:])))
    if task.summary:
        shown.append(blocks.section(escaped(task.summary)))
    shown.append(blocks.context(_small_print(task)))
    if not task.is_over and task.cancelled_by is None:
        ask = f"Agent {task.agent_id} will be told to end {task.task_name}."
        shown.append(blocks.actions(blocks.button("Cancel", TASK, f"cancel:{task.task_id}", "danger", ask)))
    return Post(name, escaped(header(task)), look.color, shown, status=task.status, standing=_standing(task))


def _standing(task: Task) -> str:
    """Its status, whether it is to end, and for how many answers it waits."""
    ends = " to end" if task.cancelled_by is not None and not task.is_over else ""
    waits = sum(each.is_open for each in task.approvals)
    return f"{task.status}{ends}" + (f" {waits}" if waits > 1 else "")


def _facts(task: Task) -> Iterator[tuple[str, str]]:
    if task.progress is not None:
        yield "Progress", blocks.bar(task.progress)
    yield "Elapsed", lasted((task.at - task.started_at).total_seconds())
    if task.action is not None:
        yield "Last action", escaped(task.action)
    yield "Steps", f"{task.steps}" if task.step is None else f"{task.steps} ({escaped(task.step)})"
    if task.repo_scope is not None:
        yield "Repo", escaped(task.repo_scope)
    if task.context_used is not None and task.context_share is not None:
        sign = "🔴 " if task.context_share >= ALARM_AT else "🟡 " if task.context_share >= WARN_AT else ""
        yield "Context", f"{sign}{task.context_used:,} / {task.context_size:,} ({task.context_share:.0%})"
    if task.cost_usd:
        yield "Cost", f"${task.cost_usd:.4f}" if task.cost_usd < 1 else f"${task.cost_usd:.2f}"
    health = health_of(task, task.received_at)
    if not task.is_over and health.words:
        yield "Health", f"{health.sign} {health.score} of 100: {health.words}"
    if task.started_by is not None:
        yield "Wanted by", person(task.started_by)
    if task.is_offered:
        yield "Waits for", f"a worker of {escaped(task.agent_id)}"
    waiting = [each.action for each in task.approvals if each.is_open]
    if waiting:
        yield "Waits for", escaped(blocks.short(", ".join(waiting), 300))


def _small_print(task: Task) -> str:
    story = " → ".join(f"{LOOKS[each.status].emoji} {blocks.clock(each.at)}" for each in task.timeline[-MOST_MOMENTS:])
    ids = f"`{task.task_id}`" + (f" under `{task.parent_task_id}`" if task.parent_task_id else "")
    ordered = task.cancelled_by
    wanted = f" · {person(ordered.by_user)} wants it to end" if ordered is not None and not task.is_over else ""
    return f"{story} · {ids}{wanted}"


def _artifact(made: Artifact) -> str:
    title = escaped(made.title).replace("|", "/")
    if made.link is None:
        return f"{ARTIFACTS[made.artifact]} {title}"
    if WEB.fullmatch(made.link):
        return f"{ARTIFACTS[made.artifact]} <{escaped(made.link)}|{title}>"
    place = escaped(blocks.short(made.link, LONGEST_PLACE)).replace("`", "'")
    return f"{ARTIFACTS[made.artifact]} {title}: `{place}`"


def _approval(task: Task, approval: Approval, head: str | None) -> Post:
    """What is asked, in full. Its buttons go when it is decided."""
    name = f"{PREFIX}approval:{approval.approval_id}"
    asks = {"decision": "asks to be allowed", "choice": "asks for a choice", "question": "asks"}[approval.kind]
    shown: list[Block] = [blocks.as_it_is(approval.action)]
    if approval.arguments_json != "{}":
        shown += _arguments(approval.arguments_json)
    if approval.choices:
        shown.append(blocks.section("\n".join(f"• {escaped(each)}" for each in approval.choices)))
    if approval.is_open:
        shown += [
            blocks.context(f"until {moment(approval.expires_at)} · `{approval.arguments_hash[:16]}`"),
            blocks.actions(*_buttons(approval)),
        ]
        return Post(name, f"✋ {escaped(task.agent_id)} {asks}", ORANGE, shown, head)
    sign, words, color = REPLACED if _is_replaced(task, approval) else STATES[approval.state]
    who = f" by {person(approval.decided_by)}" if approval.decided_by else ""
    chosen = f": {escaped(approval.answer)}" if approval.answer and approval.kind == "choice" else ""
    said = f"{words}{who}{chosen}"
    written = approval.answer if approval.kind == "question" else None
    if in_their_words := written or approval.reason:
        shown.append(blocks.quoted(in_their_words))
    when = f" · {moment(approval.decided_at)}" if approval.decided_at else ""
    shown.append(blocks.context(f"{sign} {said}{when} · `{approval.arguments_hash[:16]}`"))
    text = f"{sign} {escaped(task.agent_id)} {asks}: {words.partition(':')[0].lower()}"
    return Post(name, text, color, shown, head)


def _is_replaced(task: Task, approval: Approval) -> bool:
    """Whether its task asks for something else under the same name since."""
    newest = next(each for each in reversed(task.approvals) if each.request_id == approval.request_id)
    return approval.state == "withdrawn" and newest.approval_id != approval.approval_id


def _buttons(approval: Approval) -> Iterator[Block]:
    bound = f"{approval.approval_id}:{approval.arguments_hash}"
    reject = blocks.button("Reject…", f"{TASK}:reject", f"reject:{approval.approval_id}", "danger")
    match approval.kind:
        case "decision":
            yield from (blocks.button("Approve", APPROVAL, f"{bound}:{APPROVE}", "primary"), reject)
        case "choice":
            options = [(each, f"{bound}:{CHOOSE} {number}") for number, each in enumerate(approval.choices)]
            yield from (blocks.select("Choose…", APPROVAL, options), reject)
        case "question":
            yield from (blocks.button("Answer…", TASK, f"answer:{approval.approval_id}", "primary"), reject)


def _judgement(task: Task, judgement: Judgement, head: str) -> Post:
    sign, color = NOTICED.get(judgement.judgement, ("⚠️", YELLOW))
    said = f"{sign} {escaped(task.agent_id)}: {escaped(judgement.text)}"
    name = f"noticed:{judgement.judgement}:{int(judgement.at.timestamp() * 1000)}"
    return Post(f"{head}/{name}", said, color, [blocks.context(moment(judgement.at))], head)


def _order(order: Order, head: str) -> Post:
    words = {"cancel": "wants the task to end", "pause": "wants it to pause", "resume": "wants it to go on"}
    said = words.get(order.action, "says")
    shown = [blocks.quoted(order.text)] if order.text else [blocks.context(moment(order.at))]
    return Post(f"{head}/order:{order.id}", f"🛎️ {person(order.by_user)} {said}", GREY, shown, head)


def _end(task: Task, head: str) -> Post:
    look = LOOKS[task.status]
    took = lasted((task.at - task.started_at).total_seconds())
    text = f"{look.emoji} {escaped(task.agent_id)}: {look.words.lower()} after {took}"
    shown = [blocks.section(escaped(task.summary))] if task.summary else []
    shown.append(blocks.context(moment(task.at)))
    return Post(f"{head}/end", text, look.color, shown, head)


def _arguments(arguments_json: str) -> list[Block]:
    """All of them, indented where that does not make too much of it."""
    indented = json.dumps(json.loads(arguments_json), indent=2, sort_keys=True, ensure_ascii=False)
    return blocks.verbatim(indented if len(indented) <= LONGEST_INDENTED else arguments_json)
