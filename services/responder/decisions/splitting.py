"""A long answer cut into messages at good places: between paragraphs, never inside a fence or a row."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

LONGEST: Final = 11_000
"""Of one message: Slack takes 12,000 characters of Markdown, with room for what is added."""
_FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$")
_SENTENCE: Final = re.compile(r"[.!?…][\"')\]]*\s|\n")


@dataclass(frozen=True)
class _Piece:
    """A part of a text that is kept whole where it can be."""

    kind: Literal["text", "code", "table"]
    text: str


def split(markdown: str, longest: int = LONGEST) -> list[str]:
    """The messages that say it, each at most so long."""
    messages: list[str] = []
    said = ""
    for piece in _pieces(markdown):
        for part in _parts(piece, longest):
            together = f"{said}\n\n{part}" if said else part
            if len(together) > longest and said:
                messages.append(said)
                said = part
            else:
                said = together
    return [*messages, said] if said.strip() or not messages else messages


def _pieces(markdown: str) -> Iterator[_Piece]:
    lines: list[str] = []
    fence: str | None = None
    kind: Literal["text", "code", "table"] = "text"

    def flush() -> Iterator[_Piece]:
        text = "\n".join(lines).strip("\n")
        lines.clear()
        if text.strip():
            yield _Piece(kind, text)

    for line in markdown.split("\n"):
        found = _FENCE.match(line)
        if fence is not None:
            lines.append(line)
            if found and found[1].startswith(fence) and not found[2].strip():
                yield from flush()
                fence, kind = None, "text"
        elif found:
            yield from flush()
            fence, kind = found[1], "code"
            lines.append(line)
        elif (is_row := line.lstrip().startswith("|")) != (kind == "table"):
            yield from flush()
            kind = "table" if is_row else "text"
            lines.append(line)
        elif not line.strip():
            yield from flush()
        else:
            lines.append(line)
    if fence is not None:
        lines.append(fence)  # a model that was cut off, or a text that still grows
    yield from flush()


def _parts(piece: _Piece, longest: int) -> Iterator[str]:
    if len(piece.text) <= longest:
        yield piece.text
    elif piece.kind == "code":
        first, *lines, last = piece.text.split("\n")
        yield from _framed(lines, f"{first}\n", f"\n{last}", longest)
    elif piece.kind == "table":
        rows = piece.text.split("\n")
        yield from _framed(rows[2:], "\n".join(rows[:2]) + "\n", "", longest)
    else:
        yield from _prose(piece.text, longest)


def _framed(lines: list[str], before: str, after: str, longest: int) -> Iterator[str]:
    room = longest - len(before) - len(after)
    if room < longest // 2:  # a frame that is longer than what it holds is no frame
        yield from _prose(before + "\n".join(lines) + after, longest)
        return
    held: list[str] = []
    size = 0
    for line in (cut for whole in lines for cut in _cut(whole, room)):
        if held and size + len(line) + 1 > room:
            yield before + "\n".join(held) + after
            held, size = [], 0
        held.append(line)
        size += len(line) + 1
    yield before + "\n".join(held) + after


def _cut(line: str, longest: int) -> Iterator[str]:
    for start in range(0, max(len(line), 1), longest):
        yield line[start : start + longest]


def _prose(text: str, longest: int) -> Iterator[str]:
    rest = text
    while len(rest) > longest:
        window = rest[:longest]
        ends = [found.end() for found in _SENTENCE.finditer(window)]
        at = ends[-1] if ends and ends[-1] > longest // 3 else window.rfind(" ") + 1
        at = at if at > longest // 3 else longest
        yield rest[:at].rstrip()
        rest = rest[at:].lstrip()
    if rest:
        yield rest
