"""What people type, as Slack sends it, and back again: names for mentions, and characters that mean something."""

import re

from services.slack_sim.page.inline import unescaped
from services.slack_sim.page.viewer import Viewer
from services.slack_sim.world.entities import Channel

_SENT = re.compile(r"<(?:@[UW]\w+|#C\w+|!(?:here|channel|everyone))>")
_URL = re.compile(r"https?://[^\s<>|]+[^\s<>|.,;:!?'\")\]}*_~]")
_BROADCASTS = ("here", "channel", "everyone")
_SPECIAL = re.compile(r"<([@#!])([^<>|]+)(?:\|[^<>]*)?>|<([^<>|]+)(?:\|[^<>]*)?>")


def as_sent(viewer: Viewer, typed: str) -> str:
    """A text that somebody typed, with mentions and links as Slack writes them."""
    names = {f"@{name}": f"<@{user_id}>" for user_id, name in viewer.handles().items()}
    for user_id in viewer.handles():
        names.setdefault(f"@{viewer.world.users[user_id].name}", f"<@{user_id}>")
    names |= {f"@{each}": f"<!{each}>" for each in _BROADCASTS}
    names |= {f"#{each.name}": f"<#{each.id}>" for each in _channels(viewer)}
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    pattern = re.compile(rf"(?P<sent>{_SENT.pattern})|(?P<url>{_URL.pattern})|(?<!\w)(?P<name>{known})(?!\w)")
    parts: list[str] = []
    end = 0
    for found in pattern.finditer(typed):
        parts.append(_escaped(typed[end : found.start()]))
        match found.lastgroup:
            case "name":
                parts.append(names[found["name"]])
            case "url":
                parts.append(f"<{_escaped(found['url'])}>")
            case _:
                parts.append(found[0])
        end = found.end()
    parts.append(_escaped(typed[end:]))
    return "".join(parts)


def as_typed(viewer: Viewer, text: str) -> str:
    """A text as somebody would type it, for editing it."""
    handles = viewer.handles()

    def typed(found: re.Match[str]) -> str:
        mark, name, url = found.groups()
        channel = viewer.world.channel(name) if mark == "#" else None
        match mark:
            case "@" if name in handles:
                return f"@{handles[name]}"
            case "#" if channel is not None:
                return f"#{channel.name}"
            case "!":
                return f"@{name}"
            case _:
                return str(url or found[0])

    return unescaped(_SPECIAL.sub(typed, text))


def _channels(viewer: Viewer) -> list[Channel]:
    around = viewer.world.channels_of(viewer.user.team_id)
    return [each for each in around if each.name and viewer.sees(each)]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
