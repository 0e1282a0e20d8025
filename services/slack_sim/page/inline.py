"""What stands within a line of text: mentions, links, code, emoji, and letters that are bold, italic or struck out."""

import re
from collections.abc import Callable, Mapping

from services.kit.markup import Child, Markup, el, link, together
from services.slack_sim.page import emoji
from services.slack_sim.page.viewer import Viewer

DEEPEST = 6
_ENTITIES = re.compile(r"&(amp|lt|gt);")
_CHARACTERS = {"amp": "&", "lt": "<", "gt": ">"}
_TRAILING = ".,;:!?'\")]}*_~"

_COMMON = r"""
  | <(?P<special>[^<>\n]{1,2000})>
  | :(?P<emoji>[a-z0-9_+'-]{1,60}(?:::skin-tone-\d)?):
  | (?P<url>https?://[^\s<>|]{1,2000})
"""
_MRKDWN = re.compile(
    r"""
    `(?P<code>[^`\n]{1,2000})`
  | (?<![\w*])\*(?=\S)(?P<bold>[^*\n]{1,1000}?)(?<=\S)\*(?![\w*])
  | (?<![\w_])_(?=\S)(?P<italic>[^_\n]{1,1000}?)(?<=\S)_(?![\w_])
  | (?<![\w~])~(?=\S)(?P<strike>[^~\n]{1,1000}?)(?<=\S)~(?![\w~])
    """
    + _COMMON,
    re.VERBOSE,
)
_MARKDOWN = re.compile(
    r"""
    \\(?P<escaped>[\\`*_{}\[\]()#+.!~|>-])
  | (?<!`)(?P<ticks>`{1,8})(?!`)(?P<code>[^\n]{1,2000}?)(?<!`)(?P=ticks)(?!`)
  | !?\[(?P<label>[^\[\]\n]{0,1000})\]\((?P<target>[^()\s]{1,2000})(?:[ ]+"[^"\n]{0,300}")?\)
  | \*\*(?=\S)(?P<bold>[^\n]{1,1000}?)(?<=\S)\*\*
  | (?<!\w)__(?=\S)(?P<strong>[^\n]{1,1000}?)(?<=\S)__(?!\w)
  | ~~(?=\S)(?P<strike>[^\n]{1,1000}?)(?<=\S)~~
  | \*(?=[^\s*])(?P<italic>[^*\n]{1,1000}?)(?<=\S)\*
  | (?<![\w_])_(?=\S)(?P<slanted>[^_\n]{1,1000}?)(?<=\S)_(?![\w_])
    """
    + _COMMON,
    re.VERBOSE,
)
_TAGS = {"bold": "strong", "strong": "strong", "italic": "em", "slanted": "em", "strike": "s"}


def unescaped(text: str) -> str:
    """A text whose `&amp;`, `&lt;` and `&gt;` are the characters that they stand for."""
    return _ENTITIES.sub(lambda found: _CHARACTERS[found[1]], text)


def mrkdwn_line(viewer: Viewer, text: str) -> Markup:
    """A line in Slack's own way of writing."""
    return _line(viewer, _MRKDWN, text, 0)


def markdown_line(viewer: Viewer, text: str) -> Markup:
    """A line of Markdown."""
    return _line(viewer, _MARKDOWN, text, 0)


def _line(viewer: Viewer, pattern: re.Pattern[str], text: str, depth: int) -> Markup:
    if depth > DEEPEST:
        return together(unescaped(text))
    parts: list[Child] = []
    end = 0
    for found in pattern.finditer(text):
        parts.append(unescaped(text[end : found.start()]))
        parts.append(_drawn(viewer, pattern, found, depth))
        end = found.end()
    parts.append(unescaped(text[end:]))
    return together(parts)


def _drawn(viewer: Viewer, pattern: re.Pattern[str], found: re.Match[str], depth: int) -> Markup:
    kind = found.lastgroup or ""
    inner = found[kind]
    match kind:
        case "code":
            return el("code", unescaped(inner))
        case "special":
            return special(viewer, inner)
        case "emoji" | "escaped":
            return together(emoji.shown(inner) if kind == "emoji" else inner)
        case "url":
            return _bare(inner)
        case "target":
            return link(unescaped(inner), _line(viewer, pattern, found["label"], depth + 1) or unescaped(inner))
        case _:
            return el(_TAGS[kind], _line(viewer, pattern, inner, depth + 1))


def _bare(url: str) -> Markup:
    """An address in the middle of a sentence: what ends the sentence is no part of it."""
    address = url.rstrip(_TRAILING)
    return together(link(unescaped(address), unescaped(address)), unescaped(url[len(address) :]))


def special(viewer: Viewer, inner: str) -> Markup:
    """What stood between `<` and `>`."""
    target, _, label = inner.partition("|")
    for mark, drawn in _SPECIALS.items():
        if target.startswith(mark):
            return drawn(viewer, target.removeprefix(mark), unescaped(label))
    made = link(unescaped(target), unescaped(label or target.removeprefix("mailto:")))
    return made if made.startswith("<a ") else together(f"<{unescaped(inner)}>")


def _broadcast(_: Viewer, target: str, label: str) -> Markup:
    if target.startswith("date^"):
        return together(label)
    if target.startswith("subteam^"):
        return el("span", label or f"@{target.removeprefix('subteam^')}", class_="mention")
    return el("span", label or f"@{target}", class_="mention mine")


_SPECIALS: Mapping[str, Callable[[Viewer, str, str], Markup]] = {
    "@": lambda viewer, target, _: viewer.mention(target),
    "#": lambda viewer, target, label: viewer.channel_mention(target, label),
    "!": _broadcast,
}
