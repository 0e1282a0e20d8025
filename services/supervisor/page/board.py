"""The first page: what waits for somebody, what goes on, what it cost, and what ended lately."""

from collections.abc import Iterable, Iterator

from services.kit.markup import Child, Markup, el, together
from services.supervisor.adapters.overview import AgentFigures, Overview
from services.supervisor.adapters.queries import Listed
from services.supervisor.page import approvals
from services.supervisor.page.condition import condition
from services.supervisor.page.parts import bar, moment, money, pill, said, to_task
from services.supervisor.page.viewer import Viewer

TROUBLED = ("error", "stalled", "context_warning")


def board(viewer: Viewer, seen: Overview) -> Markup:
    """Everything between the page's head and its foot."""
    return together(
        _figures(seen),
        _section("waiting", "Waiting for somebody", seen.open_approvals, list(_waiting(viewer, seen))),
        _section("going", "Going on", sum(seen.counts.values()), list(_going(viewer, seen))),
        _section("agents", "Agents, in seven days", len(seen.costs.agents), [_agents(seen.costs.agents)]),
        _section("ended", "Ended lately", None, [_ended(viewer, seen)]),
    )


def _section(name: str, title: str, count: int | None, inside: Iterable[Child]) -> Markup:
    counted = el("span", f"{count:,}", class_="count") if count is not None else None
    return el(
        "section", el("h2", title, " ", counted, id=f"{name}-title"), inside, id=name, aria_labelledby=f"{name}-title"
    )


def _figures(seen: Overview) -> Markup:
    troubled = sum(seen.counts.get(each, 0) for each in TROUBLED)
    tiles = (
        ("Going on", f"{sum(seen.counts.values()):,}", None),
        ("Waiting", f"{seen.open_approvals:,}", "warning" if seen.open_approvals else None),
        ("In trouble", f"{troubled:,}", "error" if troubled else None),
        ("Cost, 24 h", money(seen.costs.day), None),
        ("Cost, 7 days", money(seen.costs.week), None),
    )
    shown = [el("div", el("dt", name), el("dd", value, data_level=level)) for name, value, level in tiles]
    return el("dl", shown, class_="tiles", id="figures")


def _waiting(viewer: Viewer, seen: Overview) -> Iterator[Markup]:
    for each in seen.waiting:
        yield approvals.card(viewer, each.task, each.approval, on_board=True)
    if not seen.waiting:
        yield el("p", "Nobody is waited for.", class_="empty")
    if (left := seen.open_approvals - len(seen.waiting)) > 0:
        yield el("p", f"{left:,} more wait: they show here as these are answered.", class_="empty")


def _going(viewer: Viewer, seen: Overview) -> Iterator[Markup]:
    """Tasks under those that they are a part of."""
    shown = {each.task.task_id: each for each in seen.going}
    under: dict[str | None, list[Listed]] = {}
    for each in seen.going:
        parent = each.task.parent_task_id
        under.setdefault(parent if parent in shown and parent != each.task.task_id else None, []).append(each)
    placed: set[str] = set()
    tree = [_branch(viewer, each, under, placed) for each in under.get(None, [])]
    # Where programs name each other as parents in a ring, nobody is at its top.
    tree += [_branch(viewer, each, under, placed) for each in seen.going if each.task.task_id not in placed]
    yield el("ul", tree, class_="tree") if tree else el("p", "No agent is at work.", class_="empty")
    if (left := sum(seen.counts.values()) - len(seen.going)) > 0:
        yield el("p", f"{left:,} older tasks go on, too.", class_="empty")


def _branch(viewer: Viewer, listed: Listed, under: dict[str | None, list[Listed]], placed: set[str]) -> Markup:
    placed.add(listed.task.task_id)
    children = [each for each in under.get(listed.task.task_id, []) if each.task.task_id not in placed]
    inside = [_branch(viewer, each, under, placed) for each in children if each.task.task_id not in placed]
    return el("li", task_card(viewer, listed), el("ul", inside) if inside else None, id=f"branch-{listed.task.task_id}")


def task_card(viewer: Viewer, listed: Listed) -> Markup:
    """A task that goes on."""
    task = listed.task
    action = said(task.action) if task.action is not None else "No checkpoint yet."
    sub = " · ".join(said(each) for each in (task.agent_id, task.repo_scope, task.step) if each)
    return el(
        "article",
        el("header", el("h3", to_task(task.task_id, said(task.task_name))), pill(task.status)),
        el("p", sub, class_="sub"),
        bar(task.progress, f"Progress of {said(task.task_name)}"),
        el("p", action, class_="action", data_level=task.level if task.level != "info" else None),
        condition(task, listed.heard_at, viewer.now),
        class_="card task", id=f"task-{task.task_id}", data_task=task.task_id, data_status=task.status,
    )  # fmt: skip


def _agents(agents: list[AgentFigures]) -> Markup:
    if not agents:
        return el("p", "No agent has reported yet.", class_="empty")
    names = ("Agent", "Going on", "Complete", "Failed", "24 h", "7 days")
    rows = [
        el(
            "tr", el("th", said(each.agent_id), scope="row"), el("td", f"{each.going:,}"),
            el("td", f"{each.complete:,}"), el("td", f"{each.failed:,}", data_level="error" if each.failed else None),
            el("td", money(each.cost_day)), el("td", money(each.cost_week)),
        )
        for each in agents
    ]  # fmt: skip
    head = el("thead", el("tr", [el("th", name, scope="col") for name in names]))
    return el(
        "div", el("table", head, el("tbody", rows)), class_="scroll", tabindex="0", role="region", aria_label="Agents"
    )


def _ended(viewer: Viewer, seen: Overview) -> Markup:
    if not seen.ended:
        return el("p", "None has ended yet.", class_="empty")
    rows = [
        el(
            "li", pill(each.task.status), to_task(each.task.task_id, said(each.task.task_name)),
            el("span", f"{said(each.task.agent_id)} · {money(each.task.cost_usd)} · ",
               moment(each.task.at, viewer.now), class_="sub"),
            data_task=each.task.task_id, id=f"ended-{each.task.task_id}",
        )
        for each in seen.ended
    ]  # fmt: skip
    return el("ul", rows, class_="rows card")
