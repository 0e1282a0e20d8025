"""The parts that messages and forms are built of, and what words must be to stand in them."""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from services.supervisor.decisions.people import LOCAL, LOCAL_WORDS

Block = dict[str, Any]
LONGEST_SECTION, LONGEST_FIELD, LONGEST_PLAIN = 2_900, 1_900, 150
BAR: Final = 10
_PERSON: Final = re.compile(r"[UW][A-Z0-9]+")


def as_json(shown: Block | list[Block]) -> str:
    """As it stands in a command: the same blocks are the same text."""
    return json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def person(name: str) -> str:
    """Somebody in Slack, mentioned; anybody else, named."""
    if name == LOCAL:
        return LOCAL_WORDS
    return f"<@{name}>" if _PERSON.fullmatch(name) else f"`{escaped(name)}`"


def escaped(text: str) -> str:
    """Text that says nothing to Slack: no mention, no link, no markup of ours."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def short(text: str, most: int) -> str:
    """At most so many characters, and a sign where there were more."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def section(text: str) -> Block:
    """A paragraph."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": short(text, LONGEST_SECTION)}}


def quoted(text: str) -> Block:
    """What a person wrote: each line of it, so that none looks like ours."""
    return section("\n".join(f"> {line}" for line in escaped(text).splitlines()))


def as_it_is(text: str) -> Block:
    """A paragraph in which nothing is markup."""
    return {
        "type": "section",
        "text": {"type": "plain_text", "text": short(revealed(text), LONGEST_SECTION), "emoji": False},
    }


def fields(pairs: Iterable[tuple[str, str]]) -> Block:
    """Names and values, in two columns."""
    shown = [{"type": "mrkdwn", "text": short(f"*{name}*\n{value}", LONGEST_FIELD)} for name, value in pairs]
    return {"type": "section", "fields": shown}


def context(text: str) -> Block:
    """Small print."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": short(text, LONGEST_SECTION)}]}


def actions(*elements: Block) -> Block:
    """A row of buttons."""
    return {"type": "actions", "elements": list(elements)}


def button(words: str, action_id: str, value: str, style: str | None = None, confirm: str | None = None) -> Block:
    """One button; where it asks back, with that question."""
    made: Block = {"type": "button", "text": plain(words), "action_id": action_id, "value": value}
    if style is not None:
        made["style"] = style
    if confirm is not None:
        made["confirm"] = {
            "title": plain("Are you sure?"),
            "text": plain(confirm),
            "confirm": plain("Yes"),
            "deny": plain("No"),
        }
    return made


def select(words: str, action_id: str, options: Iterable[tuple[str, str]]) -> Block:
    """A menu of words and values."""
    shown = [{"text": plain(short(name, 75)), "value": value} for name, value in options]
    return {"type": "static_select", "placeholder": plain(words), "action_id": action_id, "options": shown}


def plain(words: str) -> Block:
    """Words without markup."""
    return {"type": "plain_text", "text": short(words, LONGEST_PLAIN), "emoji": True}


def verbatim(text: str) -> list[Block]:
    """Text exactly as it is, whatever stands in it, in as many blocks as it needs."""
    return [
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": each}]}],
        }
        for each in _parts(revealed(text))
    ]


def _parts(text: str) -> Iterator[str]:
    """As much as a block takes, of whole lines where they are short enough."""
    while len(text) > LONGEST_SECTION:
        end = text.rfind("\n", 0, LONGEST_SECTION) + 1 or LONGEST_SECTION
        yield text[:end]
        text = text[end:]
    yield text


def revealed(text: str) -> str:
    """With nothing in it that hides or turns round what stands beside it."""
    return "".join(
        each
        if each in "\n\t" or unicodedata.category(each) not in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
        else _code(each)
        for each in text
    )


def _code(character: str) -> str:
    return f"\\u{ord(character):04x}"


def bar(share: float) -> str:
    """How far something is, drawn and said."""
    filled = min(BAR, max(0, round(share * BAR)))
    return f"{'▓' * filled}{'░' * (BAR - filled)} {share:.0%}"


def lasted(seconds: float) -> str:
    """A stretch of time as people say it."""
    whole = max(0, int(seconds))
    hours, minutes = whole // 3600, whole // 60 % 60
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def moment(at: datetime) -> str:
    """A moment in each reader's own time zone; in UTC where that cannot be told."""
    return _dated(at, "{date_short_pretty} at {time_secs}", f"{at:%Y-%m-%d %H:%M:%S} UTC")


def clock(at: datetime) -> str:
    """The time of day alone, likewise."""
    return _dated(at, "{time}", f"{at:%H:%M}")


def _dated(at: datetime, how: str, otherwise: str) -> str:
    return f"<!date^{int(at.timestamp())}^{how}|{otherwise}>"
