"""One task: how it fares, what it asks, what it made, and everything that happened to it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.kit.markup import Child, Markup, el, together
from services.supervisor.adapters.queries import Story
from services.supervisor.decisions.commanding import DONE
from services.supervisor.decisions.deciding import WORDS
from services.supervisor.decisions.looks import ARTIFACTS, LOOKS
from services.supervisor.decisions.posts import NOTICED
from services.supervisor.decisions.task import Task
from services.supervisor.page import approvals
from services.supervisor.page.condition import condition, health_parts
from services.supervisor.page.parts import bar, moment, money, out, pill, said, to_task
from services.supervisor.page.viewer import Viewer

MOST_MOMENTS = 150
ORDERED = {"cancel": "wants the task to end", "pause": "wants it to pause", "resume": "wants it to go on"}
APPROVALS = ("decision", "choice", "question")


@dataclass(frozen=True)
class Shown:
    """What there is to show of it."""

    story: Story
    heard_at: datetime | None
    family: list[Task]


def story(viewer: Viewer, shown: Shown) -> Markup:
    """Everything between the page's head and its foot."""
    task = shown.story.task
    asked = [approvals.card(viewer, task, each, on_board=False) for each in reversed(task.approvals)]
    return together(
        _head(viewer, shown),
        _section("approvals", "What it asked", asked) if asked else None,
        _section("artifacts", "What it made", [_artifacts(viewer, shown.story)]) if shown.story.artifacts else None,
        _section("family", "The whole, and its parts", [_tree(task, shown.family)]) if len(shown.family) > 1 else None,
        _section("moments", "What happened, the newest first", [_moments(viewer, shown.story)]),
    )


def _section(name: str, title: str, inside: list[Markup]) -> Markup:
    return el("section", el("h2", title, id=f"{name}-title"), inside, id=name, aria_labelledby=f"{name}-title")


def _head(viewer: Viewer, shown: Shown) -> Markup:
    task = shown.story.task
    names = [
        task.agent_id,
        task.repo_scope,
        task.step,
        task.worker and f"on {task.worker}",
        task.started_by and f"wanted by {viewer.called(task.started_by)}",
    ]
    cancelled = task.cancelled_by
    wanted = f"{_capital(viewer.called(cancelled.by_user))} wanted it to end" if cancelled is not None else None
    return el(
        "article",
        el("header", el("h1", said(task.task_name)), pill(task.status)),
        el("p", " · ".join(said(each) for each in names if each), " · ", el("code", task.task_id), class_="sub"),
        bar(task.progress, "Progress"),
        el("p", said(task.action or "No checkpoint yet."), class_="action",
           data_level=task.level if task.level != "info" else None),
        condition(task, shown.heard_at, viewer.now),
        health_parts(task, viewer.now),
        el("p", said(task.wanted), class_="quote") if task.wanted else None,
        el("p", said(task.summary), class_="quote") if task.summary else None,
        el("p", wanted, class_="note") if wanted else None,
        _cancel(viewer, task),
        class_="card task whole", id=f"task-{task.task_id}", data_task=task.task_id, data_status=task.status,
    )  # fmt: skip


def _cancel(viewer: Viewer, task: Task) -> Markup | None:
    if task.is_over or task.cancelled_by is not None or not viewer.rights.may_cancel(viewer.user, task):
        return None
    form = el(
        "form", el("p", f"Agent {said(task.agent_id)} will be told to end it."),
        el("input", type="hidden", name="token", value=viewer.form_token),
        el("button", "Yes, cancel it", type="submit", class_="button danger"),
        method="post", action=f"/show/{task.task_id}/cancel",
    )  # fmt: skip
    return el("div", el("details", el("summary", "Cancel…", class_="button"), form, id="cancel"), class_="answers")


def _artifacts(viewer: Viewer, found: Story) -> Markup:
    rows = [
        el("li", el("span", ARTIFACTS[each["artifact"]], aria_hidden="true"), out(each["link"], each["title"]),
           el("span", moment(each["at"], viewer.now), class_="sub"))
        for each in found.artifacts
    ]  # fmt: skip
    return el("ul", rows, class_="rows card")


def _tree(task: Task, family: list[Task]) -> Markup:
    known = {each.task_id for each in family}
    under: dict[str | None, list[Task]] = {}
    for each in family:
        parent = each.parent_task_id
        under.setdefault(parent if parent in known and parent != each.task_id else None, []).append(each)
    placed: set[str] = set()

    def branch(one: Task) -> Markup:
        placed.add(one.task_id)
        inside = [branch(each) for each in under.get(one.task_id, []) if each.task_id not in placed]
        name = (
            el("b", said(one.task_name)) if one.task_id == task.task_id else to_task(one.task_id, said(one.task_name))
        )
        line = el("div", pill(one.status), name, el("span", said(one.agent_id), class_="sub"), data_task=one.task_id)
        return el("li", line, el("ul", inside) if inside else None)

    tops = [branch(each) for each in under.get(None, [])]
    tops += [branch(each) for each in family if each.task_id not in placed]
    return el("ul", tops, class_="tree rows card")


@dataclass(frozen=True)
class _Moment:
    """Something that happened."""

    at: datetime
    order: int
    """Among what happened at one time."""
    sign: str
    words: Child
    more: Child = None
    level: str | None = None


def _moments(viewer: Viewer, found: Story) -> Markup:
    task = found.task
    every = [
        *_of_statuses(task),
        *_of_checkpoints(found),
        *_of_people(viewer, found),
        *_of_judgements(task),
        *_of_artifacts(found),
    ]
    newest = sorted(every, key=lambda each: (each.at, each.order), reverse=True)
    rows = [
        el(
            "li", moment(each.at, viewer.now, is_precise=True),
            el("span", each.sign, class_="sign", aria_hidden="true"),
            el("div", el("div", each.words, data_level=each.level), each.more),
        )
        for each in newest[:MOST_MOMENTS]
    ]  # fmt: skip
    left = len(newest) - len(rows)
    more = el("p", f"{left:,} moments before these are left out.", class_="empty") if left else None
    return together(el("ol", rows, class_="moments card"), more)


def _of_statuses(task: Task) -> Iterator[_Moment]:
    for each in task.timeline:
        look = LOOKS[each.status]
        yield _Moment(each.at, 9, look.emoji, el("b", look.words.capitalize()))


def _of_checkpoints(found: Story) -> Iterator[_Moment]:
    for each in found.checkpoints:
        level = each["level"] if each["level"] != "info" else None
        told = [
            f"{each['progress']:.0%}" if each["progress"] is not None else None,
            said(each["step"]) if each["step"] else None,
            f"{each['context_used']:,} tokens" if each["context_used"] is not None else None,
            money(each["cost_usd"]) if each["cost_usd"] else None,
        ]
        sub = " · ".join(one for one in told if one)
        more: list[Child] = [el("div", sub, class_="sub")] if sub else []
        if each["details"]:
            text = json.dumps(each["details"], indent=2, sort_keys=True, ensure_ascii=False)
            more.append(el("details", el("summary", "Details"), el("pre", said(text), tabindex="0")))
        yield _Moment(each["at"], 1, "•", said(each["action"]), more, level)


def _of_people(viewer: Viewer, found: Story) -> Iterator[_Moment]:
    for each in found.interventions:
        by = viewer.called(each["by_user"]) if each["by_user"] else ""
        if each["kind"] in APPROVALS:
            yield _Moment(each["at"], 2, "✋", together("It asked: ", el("b", said(each["action"]))))
            if each["decided_at"] is not None:
                yield _decided(by, each)
        elif each["kind"] == "attempt":
            fault = WORDS[each["state"]]
            yield _Moment(each["at"], 4, "🚫", f"{_capital(by)} tried to decide: {fault}", None, "warning")
        else:
            text = f": {said(each['answer'])}" if each["answer"] else ""
            words = f"{_capital(by)} {ORDERED.get(each['kind'], 'says')}{text}"
            yield _Moment(each["at"], 4, "🛎️", words)


def _decided(by: str, row: dict[str, Any]) -> _Moment:
    done = DONE.get(row["state"])
    action = el("b", said(row["action"]))
    words = together(f"{_capital(by)} {done}: ", action) if done else together("Nobody decided in time: ", action)
    quotes = [el("div", said(row[name]), class_="quote") for name in ("answer", "reason") if row[name]]
    signs = {"approved": "✅", "rejected": "❌", "expired": "⌛"}
    via = el("div", "on this page" if row["via"] == "page" else "in Slack", class_="sub") if done else None
    return _Moment(row["decided_at"], 3, signs.get(row["state"], "💬"), words, [*quotes, via])


def _of_judgements(task: Task) -> Iterator[_Moment]:
    for each in task.judgements:
        sign, _ = NOTICED.get(each.judgement, ("⚠️", ""))
        yield _Moment(each.at, 5, sign, said(each.text), None, "warning" if each.judgement != "heard_again" else None)


def _of_artifacts(found: Story) -> Iterator[_Moment]:
    for each in found.artifacts:
        yield _Moment(each["at"], 2, ARTIFACTS[each["artifact"]], together("It made ", said(each["title"])))


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
