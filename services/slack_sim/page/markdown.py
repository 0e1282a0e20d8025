"""Common Markdown, in which streamed messages and `markdown` blocks are written, as HTML."""

import re
from collections.abc import Iterator

from services.kit.markup import Markup, el, together
from services.slack_sim.page.inline import markdown_line
from services.slack_sim.page.viewer import Viewer

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_RULE = re.compile(r" {0,3}([-*_])(?:\s*\1){2,}\s*$")
_ITEM = re.compile(r"(\s*)([-*+]|\d{1,9}[.)])\s+(\S.*)")
_TASK = re.compile(r"\[([ xX])\]\s+")
_QUOTE = re.compile(r" {0,3}> ?")
_COLUMNS = re.compile(r"\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?$")
_BEGINS = (_FENCE, _HEADING, _RULE, _ITEM, _QUOTE)
DEEPEST = 4
"""Lists and quotes within each other; deeper ones are drawn as if they were not."""


def markdown(viewer: Viewer, text: str) -> Markup:
    """A text with its headings, lists, tables, quotes and code."""
    return together(_Reader(viewer, text.split("\n"), 0).blocks())


class _Reader:
    """Reads line by line."""

    def __init__(self, viewer: Viewer, lines: list[str], depth: int) -> None:
        self._viewer, self._lines, self._depth = viewer, lines, depth
        self._at = 0

    def blocks(self) -> Iterator[Markup]:
        """Each thing that the text consists of."""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not line.strip():
                self._at += 1
            elif fence := _FENCE.match(line):
                yield self._code(fence[1])
            elif heading := _HEADING.match(line):
                self._at += 1
                yield el(f"h{min(6, len(heading[1]) + 2)}", markdown_line(self._viewer, heading[2].rstrip("# ")))
            elif _RULE.match(line):
                self._at += 1
                yield el("hr")
            elif _QUOTE.match(line) and self._depth < DEEPEST:
                yield self._quote()
            elif item := _ITEM.match(line):
                yield self._list(item)
            elif self._is_table():
                yield self._table()
            else:
                yield self._paragraph()

    def _code(self, fence: str) -> Markup:
        self._at += 1
        code = []
        while self._at < len(self._lines) and not self._lines[self._at].strip().startswith(fence):
            code.append(self._lines[self._at])
            self._at += 1
        self._at += 1
        return el("pre", el("code", "\n".join(code)))

    def _quote(self) -> Markup:
        quoted = []
        while self._at < len(self._lines) and (mark := _QUOTE.match(self._lines[self._at])):
            quoted.append(self._lines[self._at][mark.end() :])
            self._at += 1
        return el("blockquote", _Reader(self._viewer, quoted, self._depth + 1).blocks())

    def _list(self, first: re.Match[str]) -> Markup:
        """Items at one indentation. What stands deeper belongs to the item above it."""
        indent, ordered = len(first[1]), first[2][0].isdigit()
        items: list[Markup] = []
        while self._at < len(self._lines):
            item = _ITEM.match(self._lines[self._at])
            if item is None or len(item[1]) != indent or item[2][0].isdigit() is not ordered:
                break
            self._at += 1
            items.append(el("li", self._item(item[3]), self._below(indent)))
        start = first[2].rstrip(".)") if ordered else None
        return el("ol", items, start=start if start != "1" else None) if ordered else el("ul", items)

    def _item(self, text: str) -> Markup:
        task = _TASK.match(text)
        if task is None:
            return markdown_line(self._viewer, text)
        box = el("input", type="checkbox", disabled=True, checked=task[1] != " ")
        return together(box, " ", markdown_line(self._viewer, text[task.end() :]))

    def _below(self, indent: int) -> Markup | None:
        below = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not line.strip() or len(line) - len(line.lstrip()) <= indent:
                break
            below.append(line)
            self._at += 1
        if not below:
            return None
        least = min(len(line) - len(line.lstrip()) for line in below)
        below = [line[least:] for line in below]
        if self._depth >= DEEPEST:
            return together("\n", "\n".join(below))
        return together(_Reader(self._viewer, below, self._depth + 1).blocks())

    def _is_table(self) -> bool:
        following = self._lines[self._at + 1] if self._at + 1 < len(self._lines) else ""
        return "|" in self._lines[self._at] and "|" in following and _COLUMNS.match(following.strip()) is not None

    def _table(self) -> Markup:
        head = el("tr", (el("th", each) for each in self._cells()))
        self._at += 1
        rows = []
        while self._at < len(self._lines) and "|" in self._lines[self._at]:
            rows.append(el("tr", (el("td", each) for each in self._cells())))
        return el("div", el("table", el("thead", head), el("tbody", rows)), class_="wide")

    def _cells(self) -> list[Markup]:
        line = self._lines[self._at].strip().removeprefix("|").removesuffix("|")
        self._at += 1
        return [markdown_line(self._viewer, cell.strip()) for cell in line.split("|")]

    def _paragraph(self) -> Markup:
        lines = [self._lines[self._at]]
        self._at += 1
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if not line.strip() or any(each.match(line) for each in _BEGINS):
                break
            lines.append(line)
            self._at += 1
        return el("p", Markup("\n".join(markdown_line(self._viewer, line) for line in lines)))
