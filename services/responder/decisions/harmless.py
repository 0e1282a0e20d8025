"""What a model wrote, made harmless: it calls nobody who is not there, and links only to what can be seen."""

import re
from collections.abc import Collection
from typing import Final

_EVERYBODY: Final = re.compile(r"<!(channel|here|everyone)(?:\|[^>]*)?>", re.IGNORECASE)
_GROUP: Final = re.compile(r"<!subteam\^[A-Z0-9]+(?:\|@?([^>]*))?>")
_PERSON: Final = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^>]*))?>")
_OTHER_COMMAND: Final = re.compile(r"<!([^>]*)>")
_SPOKEN: Final = re.compile(r"(?<![\w@])@(channel|here|everyone)\b", re.IGNORECASE)
_SCHEME: Final = re.compile(r"(?i)(\]\(|<)\s*(?!https?:|mailto:|tel:|#|/|@|!)([a-z][a-z0-9+.-]*):")
_APART: Final = "\u2060"
"""Word joiner: it is not seen, and an at-sign before it calls nobody."""


def harmless(markdown: str, may_be_named: Collection[str]) -> str:
    """The text with its mentions as plain words, but for people who take part in the thread."""

    def person(found: re.Match[str]) -> str:
        return found[0] if found[1] in may_be_named else f"@{_APART}{found[2] or found[1]}"

    text = _EVERYBODY.sub(lambda found: f"@{_APART}{found[1].lower()}", markdown)
    text = _GROUP.sub(lambda found: f"@{_APART}{found[1] or 'group'}", text)
    text = _PERSON.sub(person, text)
    text = _OTHER_COMMAND.sub(lambda found: f"(!{found[1]})", text)
    text = _SPOKEN.sub(lambda found: f"@{_APART}{found[1]}", text)
    return _SCHEME.sub(lambda found: f"{found[1]}{found[2]}{_APART}:", text)
