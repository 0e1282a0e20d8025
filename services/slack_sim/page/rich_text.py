"""Rich text blocks, as HTML."""

from collections.abc import Callable, Mapping
from typing import Any

from services.kit.markup import Markup, el, link, together
from services.slack_sim.page import emoji
from services.slack_sim.page.inline import special
from services.slack_sim.page.sheet import words
from services.slack_sim.page.viewer import Viewer
from services.slack_sim.telling.shapes import Json

_STYLES = (("code", "code"), ("strike", "s"), ("italic", "em"), ("bold", "strong"))


def rich_text(viewer: Viewer, block: Json) -> Markup:
    """The whole block."""
    return together(_part(viewer, each) for each in _dicts(block.get("elements")))


def _dicts(value: Any) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _part(viewer: Viewer, part: Json) -> Markup:
    inner = [_leaf(viewer, each) for each in _dicts(part.get("elements"))]
    match part.get("type"):
        case "rich_text_preformatted":
            return el("pre", el("code", inner))
        case "rich_text_quote":
            return el("blockquote", inner)
        case "rich_text_list":
            return _list(viewer, part)
        case _:
            return el("p", inner)


def _list(viewer: Viewer, part: Json) -> Markup:
    items = [
        el("li", [_leaf(viewer, leaf) for leaf in _dicts(each.get("elements"))])
        for each in _dicts(part.get("elements"))
    ]
    indent = part.get("indent")
    deep = f"indent-{min(indent, 5)}" if isinstance(indent, int) and indent > 0 else None
    return el("ol" if part.get("style") == "ordered" else "ul", items, class_=deep)


def _leaf(viewer: Viewer, leaf: Json) -> Markup:
    draw = _LEAVES.get(str(leaf.get("type")))
    drawn = draw(viewer, leaf) if draw else together(words(leaf))
    style = leaf.get("style")
    for name, tag in _STYLES:
        if isinstance(style, dict) and style.get(name):
            drawn = el(tag, drawn)
    return drawn


def _link(_: Viewer, leaf: Json) -> Markup:
    url = str(leaf.get("url", ""))
    return link(url, str(leaf.get("text") or url))


_LEAVES: Mapping[str, Callable[[Viewer, Json], Markup]] = {
    "text": lambda _, leaf: together(str(leaf.get("text", ""))),
    "link": _link,
    "user": lambda viewer, leaf: viewer.mention(str(leaf.get("user_id"))),
    "channel": lambda viewer, leaf: viewer.channel_mention(str(leaf.get("channel_id")), ""),
    "usergroup": lambda viewer, leaf: special(viewer, f"!subteam^{leaf.get('usergroup_id')}"),
    "broadcast": lambda viewer, leaf: special(viewer, f"!{leaf.get('range')}"),
    "emoji": lambda _, leaf: together(emoji.shown(str(leaf.get("name")))),
    "date": lambda _, leaf: together(str(leaf.get("fallback") or leaf.get("timestamp"))),
}
