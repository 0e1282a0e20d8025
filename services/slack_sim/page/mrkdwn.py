"""Slack's own way of writing, as HTML."""

import re
from collections.abc import Iterator

from services.kit.markup import Markup, el, together
from services.slack_sim.page.inline import mrkdwn_line, unescaped
from services.slack_sim.page.viewer import Viewer

_FENCE = re.compile(r"```(.*?)(?:```|\Z)", re.DOTALL)
_QUOTE = re.compile(r"(?:&gt;|>) ?")


def mrkdwn(viewer: Viewer, text: str) -> Markup:
    """A text with its code, quotes, mentions and links. Lines end where they ended."""
    parts: list[Markup] = []
    end = 0
    for found in _FENCE.finditer(text):
        parts.extend(_lines(viewer, text[end : found.start()].removesuffix("\n")))
        parts.append(el("pre", el("code", unescaped(found[1]).strip("\n"))))
        end = found.end()
        end += text[end : end + 1] == "\n"
    parts.extend(_lines(viewer, text[end:]))
    return together(parts)


def _lines(viewer: Viewer, text: str) -> Iterator[Markup]:
    """Lines, with those that are quoted put together."""
    if not text:
        return
    gathered: list[Markup] = []
    quoted = False
    for line in text.split("\n"):
        mark = _QUOTE.match(line)
        if (mark is not None) is not quoted:
            yield from _block(gathered, quoted=quoted)
            gathered, quoted = [], mark is not None
        gathered.append(mrkdwn_line(viewer, line[mark.end() :] if mark else line))
    yield from _block(gathered, quoted=quoted)


def _block(lines: list[Markup], *, quoted: bool) -> Iterator[Markup]:
    if lines:
        yield el("blockquote" if quoted else "p", Markup("\n".join(lines)))
