"""Slack's own markup as people read it: mentions, links and entities, unescaped once."""

import re
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(r"<([^<>]*)>")
_ENTITY = re.compile(r"&(amp|lt|gt);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}
_USER = re.compile(r"[UW][A-Za-z0-9_-]+")
_SCHEME = re.compile(r"(?:https?|mailto|tel|slack|ftp)[:]", re.IGNORECASE)


class Said(NamedTuple):
    """What a text says."""

    content: str
    """As people read it, without the agent's own mention at its beginning."""
    mentions: tuple[str, ...]
    """The users that are mentioned, each once, in their order."""


@lru_cache(maxsize=64)
def read(text: str, self_id: str | None = None) -> Said:
    """What a text of Slack's says. `self_id` is the user that the app is. Several gates ask for the same text."""
    mentions: dict[str, None] = {}
    body = _without_leading(text, self_id)
    for found in _TOKEN.finditer(text):
        if (user := _user_in(found.group(1))) is not None:
            mentions[user] = None
    shown = "".join(_shown(body))
    return Said(shown.strip(), tuple(mentions))


def leading(text: str) -> str | None:
    """The user whom a text begins with."""
    found = _TOKEN.match(text.lstrip())
    return _user_in(found.group(1)) if found is not None else None


def _without_leading(text: str, self_id: str | None) -> str:
    """The agent is spoken to: its name at the beginning belongs to the address, and not to what is said."""
    body = text.lstrip()
    while self_id is not None and (found := _TOKEN.match(body)) and _user_in(found.group(1)) == self_id:
        body = body[found.end() :].lstrip(" \t\n\r,:")
    return body


def _shown(text: str) -> list[str]:
    parts: list[str] = []
    at = 0
    for found in _TOKEN.finditer(text):
        parts += (_unescaped(text[at : found.start()]), _unescaped(_token(found.group(1))))
        at = found.end()
    parts.append(_unescaped(text[at:]))
    return parts


def _token(inner: str) -> str:
    """What stands between angle brackets, still escaped."""
    target, bar, label = inner.partition("|")
    match target[:1]:
        case "@":
            return f"@{label}" if label else f"<{target}>"  # without a name, the form that Slack shows as one
        case "#":
            return f"#{label}" if label else f"<{target}>"
        case "!":
            return _special(target[1:], label)
        case _:
            return _link(target, label) if _SCHEME.match(target) or bar else f"<{inner}>"


def _special(target: str, label: str) -> str:
    """`<!here>`, a group, a date: what Slack would show."""
    if label:
        return label
    kind, _, rest = target.partition("^")
    return f"@{kind}" if not rest else rest.partition("^")[0]


def _link(target: str, label: str) -> str:
    address = target.removeprefix("mailto:").removeprefix("tel:")
    bare = address.partition("://")[2] or address
    return address if not label or label in {target, address, bare} else f"{label} ({address})"


def _user_in(inner: str) -> str | None:
    target = inner.partition("|")[0]
    return target[1:] if target.startswith("@") and _USER.fullmatch(target[1:]) else None


def _unescaped(text: str) -> str:
    return _ENTITY.sub(lambda found: _ENTITIES[found.group(1)], text) if "&" in text else text
