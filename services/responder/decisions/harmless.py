"""What a model wrote, made harmless: it calls nobody who is not there, and links only to what can be seen."""

import re
from collections.abc import Collection
from typing import Final

_CODE: Final = re.compile(r"(```.*?(?:```|\Z)|`[^`\n]*`)", re.DOTALL)
_EVERYBODY: Final = re.compile(r"<!(channel|here|everyone)(?:\|[^<>]{0,200})?>", re.IGNORECASE)
_GROUP: Final = re.compile(r"<!subteam\^[A-Z0-9]{1,40}(?:\|@?([^<>]{0,200}))?>")
_PERSON: Final = re.compile(r"<@([UW][A-Z0-9]{1,40})(?:\|([^<>]{0,200}))?>")
_SPOKEN: Final = re.compile(r"(?<![\w@])@(channel|here|everyone)\b", re.IGNORECASE)
_SCHEME: Final = re.compile(r"(?i)(\]\(|<)(?!https?:|mailto:|tel:)([a-z][a-z0-9+.-]{0,40}):(?!:)")
_APART: Final = "\u2060"
"""Word joiner: it is not seen, and an at-sign before it calls nobody."""


def harmless(markdown: str, may_be_named: Collection[str]) -> str:
    """The text with its mentions as plain words, but for people who take part in the thread. Code stays as it is."""
    parts = _CODE.split(_uncalling(markdown, may_be_named))
    return "".join(part if number % 2 else _unspoken(part) for number, part in enumerate(parts))


def _uncalling(text: str, may_be_named: Collection[str]) -> str:
    """Slack's own forms call people even in code; one may stand in another."""

    def person(found: re.Match[str]) -> str:
        return f"<@{found[1]}>" if found[1] in may_be_named else f"@{_APART}{found[2] or found[1]}"

    before = None
    while before != text:
        before = text
        text = _EVERYBODY.sub(lambda found: f"@{_APART}{found[1].lower()}", text)
        text = _GROUP.sub(lambda found: f"@{_APART}{found[1] or 'group'}", text)
        text = _PERSON.sub(person, text)
    return text


def _unspoken(text: str) -> str:
    text = _SPOKEN.sub(lambda found: f"@{_APART}{found[1]}", text)
    return _SCHEME.sub(lambda found: f"{found[1]}{found[2]}{_APART}:", text)
