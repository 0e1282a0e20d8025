"""What people mean who write in plain words, by rules alone."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from schemas.agent import TaskVerb

_NAME: Final = r"`?(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,98}[A-Za-z0-9_-])?)`?"
_POLITE: Final = r"(?:(?:please|kindly|can you|could you|hey|hi)[,\s]+)*"
_END: Final = r"(?:[,\s]+please)?\s*[.!?]*"
_REASON: Final = r"(?:(?::|,?\s+because)\s+(?P<reason>.+))?"
MOST_READ: Final = 4_000
"""Nobody's words for an agent are longer, and whoever clicks must not wait for them to be read."""
_PATTERNS: Final[tuple[tuple[TaskVerb, str], ...]] = (
    ("list", r"(?:list|status|show (?:all|me)?\s*(?:the )?(?:tasks|agents)|list (?:the |all )?(?:tasks|agents))"),
    ("list", r"what (?:is|are) (?:everybody|the agents|all agents|agents) doing"),
    ("list", r"(?:who|what) is running"),
    ("cancel", rf"(?:cancel|stop|end|kill|abort)\s+(?:the )?(?:task )?{_NAME}"),
    ("pause", rf"pause\s+(?:the )?(?:task )?{_NAME}"),
    ("resume", rf"(?:resume|continue|go on with)\s+(?:the )?(?:task )?{_NAME}"),
    ("approve", rf"(?:approve|allow)\s+(?:the )?(?:approval )?{_NAME}"),
    ("reject", rf"(?:reject|refuse|deny)\s+(?:the )?(?:approval )?{_NAME}{_REASON}"),
    ("show", rf"(?:show|status of|how is|how far is|what about)\s+(?:the )?(?:task )?{_NAME}(?: doing| going)?"),
)
_RULES: Final = tuple(
    (verb, re.compile(f"{_POLITE}{pattern}{_END}", re.IGNORECASE | re.DOTALL)) for verb, pattern in _PATTERNS
)
_RUN: Final = re.compile(
    rf"{_POLITE}(?:(?:run|start|ask|have|tell|let|get)\s+(?:the )?(?:agent )?@?{_NAME}(?:\s+to\s+|\s*[:,]\s*|\s+)"
    rf")(?P<text>.+)",
    re.IGNORECASE | re.DOTALL,
)
_ADDRESSED: Final = re.compile(rf"@?{_NAME}\s*[:,]\s+(?P<text>.+)", re.DOTALL)


@dataclass(frozen=True)
class Meant:
    """What is wanted, of which task or agent, and the rest of the words."""

    verb: TaskVerb
    name: str | None = None
    text: str = ""


def meant(said: str, agents: Collection[str]) -> Meant | None:
    """What words mean; none where no rule knows. An agent is one of those that are known here."""
    said = said[:MOST_READ].strip()
    words = " ".join(said.split())
    for verb, pattern in _RULES:
        if (found := pattern.fullmatch(words)) is not None:
            parts = found.groupdict()
            return Meant(verb, parts.get("name"), (parts.get("reason") or "").rstrip(" .!?"))
    by_name = {each.casefold(): each for each in agents}
    for pattern in (_RUN, _ADDRESSED):
        found = pattern.fullmatch(said)
        agent = by_name.get(found["name"].casefold()) if found is not None else None
        if found is not None and agent is not None:
            return Meant("run", agent, found["text"].strip())
    return None
