"""What the built-in model says: the same to the same question, in persona, so that all can be tried without a key."""

import re
from dataclasses import dataclass
from typing import Final

from services.responder.decisions.prompting import Asked
from services.responder.decisions.tools import ToolCall

_NAME: Final = re.compile(r"^Your name is (.+?)\.$", re.MULTILINE)
_ROLE: Final = re.compile(r"^Your role is (.+?)\.$", re.MULTILINE)
_SENDER: Final = re.compile(r"^<@[^>]*>: ")
_COUNT: Final = re.compile(r"\bcount (?:up )?to (\d{1,5})\b", re.IGNORECASE)
_SHOWN: Final = re.compile(r"\bshow (?:me )?(?:some )?markdown\b", re.IGNORECASE)
_TOOL: Final = re.compile(r"\buse (?:the )?(?:tool )?`?([a-zA-Z][a-zA-Z0-9_-]*)`?(?: with (\{.*\}))?", re.DOTALL)
"""`use refund with {"order": "7"}`: what another model finds out by itself."""
LONGEST_ECHO: Final = 200
MOST: Final = 20_000

SAMPLE: Final = """## Markdown, as it arrives

Some **bold**, some *italic*, some ~~struck~~, some `code`, and a [link](https://example.com).

1. First
2. Second
   - with a point under it

> A quotation.

| what | how much |
| --- | --- |
| tables | 1 |
| code | 1 |

```python
def answer() -> int:
    return 42
```
"""


@dataclass(frozen=True)
class Rehearsed:
    """What it says, and which tools it wants to use."""

    text: str
    calls: tuple[ToolCall, ...] = ()


def rehearse(asked: Asked) -> Rehearsed:
    """The whole answer."""
    question = _SENDER.sub("", asked.question).strip()
    if asked.turns:
        told = "\n".join(f"- `{each.tool}`: {each.text}" for turn in asked.turns for each in turn.results)
        return Rehearsed(f"This is what I was told:\n\n{told}")
    known = {each.name for each in asked.tools}
    wanted = [found for found in _TOOL.finditer(question) if found[1] in known]
    if wanted:
        calls = [ToolCall(f"call_{number}", found[1], found[2] or "{}") for number, found in enumerate(wanted)]
        return Rehearsed("I will look.", tuple(calls))
    return Rehearsed(_said(asked, question))


def _said(asked: Asked, question: str) -> str:
    name, role = _NAME.search(asked.system), _ROLE.search(asked.system)
    who = f"{name[1] if name else 'your agent'}{f', {role[1]}' if role else ''}"
    if found := _COUNT.search(question):
        return "\n".join(f"{number}." for number in range(1, min(int(found[1]), MOST) + 1))
    if _SHOWN.search(question):
        return SAMPLE
    echo = question if len(question) <= LONGEST_ECHO else f"{question[: LONGEST_ECHO - 1]}…"
    before = sum(1 for each in asked.history if each.by == "person")
    recalled = (
        f" Before that you wrote to me {before} time{'s' if before != 1 else ''} in this thread." if before else ""
    )
    quoted = "\n".join(f"> {line}" for line in echo.splitlines()) or "> (nothing)"
    return (
        f"I am **{who}**. You asked:\n\n{quoted}\n\nThis is a rehearsal: no language model is set, so I only show that "
        f"I heard you.{recalled} Set `THREADLINE_MODEL` to one, such as `openai:gpt-5`, and I will think about it."
    )


def words(text: str) -> list[str]:
    """The pieces in which it is said."""
    return re.findall(r"\S+\s*|\s+", text)
