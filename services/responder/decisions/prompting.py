"""What a model is asked: who it is, what was said before, and what is wanted now, within its bounds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from services.responder.decisions.tools import ToolShown, Turn

SIGNS_A_TOKEN: Final = 4
"""About so many letters make a token: bounds are kept roughly, and only the provider counts."""
FOR_A_MESSAGE: Final = 4
"""Tokens that a message takes beside its words."""
MANNER: Final = (
    "You answer inside Slack, in the thread where you were asked. Write Markdown. Do not greet twice in a thread, "
    "and do not repeat the question. Messages of people begin with who wrote them; yours do not."
)


@dataclass(frozen=True)
class Persona:
    """Who answers."""

    name: str
    role: str = ""
    persona: str = ""
    transparency: str = ""


@dataclass(frozen=True)
class Said:
    """One message of a conversation."""

    by: Literal["person", "agent"]
    text: str
    who: str | None = None
    """The person."""
    ts: str | None = None


@dataclass(frozen=True)
class Asked:
    """Everything that a model is given."""

    system: str
    history: tuple[Said, ...]
    question: str
    tools: tuple[ToolShown, ...] = ()
    """What it may use."""
    turns: tuple[Turn, ...] = ()
    """What it used since it was asked, and what came of it."""


def system_prompt(persona: Persona) -> str:
    """Who it is, and how it speaks."""
    parts = [f"Your name is {persona.name}."]
    if persona.role.strip():
        parts.append(f"Your role is {persona.role.strip().rstrip('.')}.")
    parts += [each.strip() for each in (persona.persona, persona.transparency) if each.strip()]
    return "\n\n".join([*parts, MANNER])


def tokens_of(text: str) -> int:
    """About how many it takes."""
    return len(text) // SIGNS_A_TOKEN + FOR_A_MESSAGE


def within(history: Sequence[Said], budget: int) -> tuple[Said, ...]:
    """The last of a conversation that fits: what was said at first goes first."""
    kept: list[Said] = []
    for said in reversed(history):
        budget -= tokens_of(said.text)
        if budget < 0:
            break
        kept.append(said)
    return tuple(reversed(kept))


def asked(persona: Persona, history: Sequence[Said], question: str, sender: str, budget: int) -> Asked:
    """A question with as much of what was said before as fits."""
    room = budget - tokens_of(question)
    return Asked(system_prompt(persona), within(history, room), by_person(sender, question))


def by_person(sender: str, text: str) -> str:
    """A person's message, with who wrote it."""
    return f"<@{sender}>: {text}"


def merged(history: Iterable[Said]) -> list[Said]:
    """Each message once, in the order in which they were said; what is known later goes before what was earlier."""
    found: dict[str, Said] = {}
    nameless: list[Said] = []
    for said in history:
        if said.ts is None:
            nameless.append(said)
        else:
            found[said.ts] = said
    return [found[ts] for ts in sorted(found, key=moment)] + nameless


def moment(ts: str) -> tuple[int, int]:
    """A ts in the order of time; what is none comes first."""
    seconds, _, rest = ts.partition(".")
    return (int(seconds), int(rest)) if seconds.isdecimal() and rest.isdecimal() else (0, 0)
