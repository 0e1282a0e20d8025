"""The rich text block that Slack makes of a text which came without blocks."""

import html
import re
from typing import Any

_SPECIAL = re.compile(r"<([^<>]+)>")


def rich_text_of(text: str, ts: str) -> list[dict[str, Any]]:
    """One block with the text's words, mentions and links."""
    elements: list[dict[str, Any]] = []
    end = 0
    for found in _SPECIAL.finditer(text):
        _add_text(elements, text[end : found.start()])
        elements.append(_special(found.group(1)))
        end = found.end()
    _add_text(elements, text[end:])
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": f"b{ts[-6:]}", "elements": [section]}]


def _add_text(elements: list[dict[str, Any]], text: str) -> None:
    if text:
        elements.append({"type": "text", "text": html.unescape(text)})


def _special(inner: str) -> dict[str, Any]:
    target, _, label = inner.partition("|")
    if target.startswith("@"):
        return {"type": "user", "user_id": target[1:]}
    if target.startswith("#"):
        return {"type": "channel", "channel_id": target[1:]}
    if target in {"!here", "!channel", "!everyone"}:
        return {"type": "broadcast", "range": target[1:]}
    if target.startswith("!subteam^"):
        return {"type": "usergroup", "usergroup_id": target.removeprefix("!subteam^")}
    link = {"type": "link", "url": target}
    return link | {"text": html.unescape(label)} if label else link
