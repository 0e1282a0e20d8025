"""What people say to supervised agents: clicks, forms and `/agent-task`."""

from typing import Final, get_args

from schemas.agent import TaskVerb
from services.router.decisions.text import read

ABOUT_ONE: Final = frozenset({"show", "cancel", "pause", "resume", "tell", "approve", "reject", "answer"})
"""Verbs behind which a task or an approval is named."""


def command_in(text: str) -> tuple[TaskVerb, str | None, str]:
    """A verb, the task or the approval that it is about, and the rest of what was typed behind `/agent-task`."""
    said = read(text).content
    word, rest = _first_word(said)
    if not word:
        return "help", None, ""
    verb = _verb(word.casefold())
    if verb is None:
        return "text", None, said
    if verb not in ABOUT_ONE:
        return verb, None, rest
    task, rest = _first_word(rest)
    return verb, task or None, rest


def _first_word(text: str) -> tuple[str, str]:
    words = text.split(maxsplit=1)
    return (words[0] if words else ""), (words[1] if len(words) > 1 else "")


def button_in(value: str) -> tuple[TaskVerb, str | None]:
    """A verb and a task or an approval, as a button carries them."""
    word, _, task = value.partition(":")
    return _verb(word) or "help", task or None


def _verb(word: str) -> TaskVerb | None:
    return next((verb for verb in get_args(TaskVerb) if verb == word), None)
