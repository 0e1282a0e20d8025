"""Block Kit, as HTML: every kind of block that the simulator takes."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from services.kit.markup import Markup, el, link, together
from services.slack_sim.page.cards import card, plan, task
from services.slack_sim.page.elements import element, element_id, image, is_group
from services.slack_sim.page.markdown import markdown
from services.slack_sim.page.rich_text import rich_text
from services.slack_sim.page.sheet import Sheet, words
from services.slack_sim.telling.shapes import Json

log = logging.getLogger(__name__)

DEEPEST = 5
"""Containers within each other."""


def blocks(sheet: Sheet, given: Any, depth: int = 0) -> Markup:
    """Several blocks."""
    return together(_block(sheet, each, depth) for each in given or [] if isinstance(each, dict))


def _block(sheet: Sheet, block: Json, depth: int) -> Markup:
    kind = str(block.get("type"))
    if kind == "container" and depth < DEEPEST:
        title = words(block.get("title")) or words(block.get("rich_text_title"))
        inner = blocks(sheet, block.get("child_blocks"), depth + 1)
        return el("div", el("h4", title) if title else None, inner, class_="card")
    draw = _BLOCKS.get(kind, _unknown)
    try:
        return draw(sheet, block)
    except (
        AttributeError,
        KeyError,
        TypeError,
        ValueError,
        RecursionError,
    ) as error:  # what its rules let pass may still be no block
        log.warning("a block of type %s cannot be drawn: %s", kind, repr(error))
        return _unknown(sheet, block)


def _unknown(_: Sheet, block: Json) -> Markup:
    return el("div", f"[{block.get('type')}]", class_="unknown")


def _section(sheet: Sheet, block: Json) -> Markup:
    fields = [el("div", sheet.text(each)) for each in block.get("fields") or []]
    accessory = block.get("accessory")
    said = el(
        "div", sheet.text(block["text"]) if block.get("text") else None,
        el("div", fields, class_="fields") if fields else None, class_="text",
    )  # fmt: skip
    return el("div", said, element(sheet, block, accessory) if accessory else None, class_="section")


def _actions(sheet: Sheet, block: Json) -> Markup:
    return el("div", (element(sheet, block, each) for each in block["elements"]), class_="actions")


def _context(sheet: Sheet, block: Json) -> Markup:
    return el("div", (element(sheet, block, each) for each in block["elements"]), class_="context")


def _input(sheet: Sheet, block: Json) -> Markup:
    part = block["element"]
    name = element_id(sheet, block, part)
    error = sheet.errors.get(str(block.get("block_id")))
    label = together(words(block.get("label")), el("small", " (optional)") if block.get("optional") else None)
    hint = el("small", words(block["hint"]), id=f"{name}-hint", class_="hint") if block.get("hint") else None
    wrong = el("p", error, id=f"{name}-error", class_="error", role="alert") if error else None
    drawn = element(sheet, block, part)
    if is_group(part):
        return el("fieldset", el("legend", label), drawn, wrong, hint, class_="field")
    return el("div", el("label", label, for_=name), drawn, wrong, hint, class_="field")


def _table(sheet: Sheet, block: Json) -> Markup:
    rows = [el("tr", (el("td", _cell(sheet, cell)) for cell in row)) for row in block["rows"]]
    caption = words(block.get("caption"))
    return el("div", el("table", el("caption", caption) if caption else None, el("tbody", rows)), class_="wide text")


def _cell(sheet: Sheet, cell: Json) -> Markup:
    return rich_text(sheet.viewer, cell) if cell.get("type") == "rich_text" else sheet.text(cell)


def _alert(sheet: Sheet, block: Json) -> Markup:
    level = block.get("level")
    known = level if level in {"info", "warning", "error", "success"} else "default"
    return el("div", sheet.text(block["text"]), class_=f"alert {known}")


def _video(_: Sheet, block: Json) -> Markup:
    return el("div", link(str(block.get("video_url")), words(block.get("title"))), class_="image")


def _carousel(sheet: Sheet, block: Json) -> Markup:
    return el("div", (card(sheet, each) for each in block["elements"]), class_="carousel")


_BLOCKS: Mapping[str, Callable[[Sheet, Json], Markup]] = {
    "section": _section,
    "header": lambda sheet, block: el("h3", sheet.text(block["text"])),
    "divider": lambda _, __: el("hr"),
    "image": image,
    "actions": _actions,
    "context": _context,
    "context_actions": _context,
    "input": _input,
    "markdown": lambda sheet, block: el("div", markdown(sheet.viewer, block["text"]), class_="text"),
    "rich_text": lambda sheet, block: el("div", rich_text(sheet.viewer, block), class_="text"),
    "table": _table,
    "data_table": _table,
    "alert": _alert,
    "video": _video,
    "card": card,
    "carousel": _carousel,
    "task_card": task,
    "plan": lambda sheet, block: plan(sheet, words(block.get("title")), block.get("tasks") or []),
}
