"""An agent's plan and its tasks, and cards: what is drawn in boxes."""

from typing import Any

from services.kit.markup import Markup, el, link
from services.slack_sim.page.elements import element, image
from services.slack_sim.page.markdown import markdown
from services.slack_sim.page.rich_text import rich_text
from services.slack_sim.page.sheet import Sheet, words
from services.slack_sim.telling.shapes import Json

STATES = {
    "pending": ("○", "to do"),
    "in_progress": ("◔", "in progress"),
    "complete": ("✓", "done"),
    "error": ("!", "failed"),
}
"""A sign, and what it says."""


def task(sheet: Sheet, given: Json) -> Markup:
    """One task: of a stream, or of a block."""
    status = str(given.get("status") or "pending")
    sign, said = STATES.get(status, STATES["pending"])
    details, output = _body(sheet, given.get("details")), _body(sheet, given.get("output"))
    listed = given.get("sources")
    sources = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    links = [link(str(each.get("url", "")), words(each) or str(each.get("url", ""))) for each in sources]
    state = el("span", sign, class_=f"state {status if status in STATES else 'pending'}", role="img", aria_label=said)
    return el(
        "div", state, el("div", el("b", words(given.get("title"))), details, output,
                         el("div", links, class_="sources") if links else None), class_="task",
    )  # fmt: skip


def plan(sheet: Sheet, title: str, tasks: list[Any]) -> Markup:
    """Several tasks under a title."""
    drawn = [task(sheet, each) for each in tasks if isinstance(each, dict)]
    return el("div", el("h4", title) if title else None, drawn, class_="plan")


def card(sheet: Sheet, block: Json) -> Markup:
    """A card with a title, a body and buttons."""
    hero = block.get("hero_image")
    actions = [element(sheet, block, each) for each in block.get("actions") or []]
    return el(
        "div", image(sheet, hero) if isinstance(hero, dict) else None,
        el("h4", sheet.text(block["title"])) if block.get("title") else None,
        el("div", sheet.text(block["body"])) if block.get("body") else None,
        el("div", actions, class_="actions") if actions else None, class_="card",
    )  # fmt: skip


def _body(sheet: Sheet, given: Any) -> Markup | None:
    if isinstance(given, dict):
        return el("div", rich_text(sheet.viewer, given), class_="text")
    return el("div", markdown(sheet.viewer, given), class_="text") if isinstance(given, str) and given else None
