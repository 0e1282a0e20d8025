"""What people say to supervised agents: clicks, forms and `/agent-task`."""

from typing import Final, get_args

from schemas.agent import TaskVerb

ABOUT_A_TASK: Final = frozenset({"show", "cancel", "approve"})


def command_in(text: str) -> tuple[TaskVerb, str | None, str]:
    """A verb, the task that it is about, and the rest of what was typed behind `/agent-task`."""
    word, _, rest = text.strip().partition(" ")
    if not word:
        return "help", None, ""
    verb = _verb(word.casefold())
    if verb is None:
        return "text", None, text.strip()
    if verb not in ABOUT_A_TASK:
        return verb, None, rest.strip()
    task, _, said = rest.strip().partition(" ")
    return verb, task or None, said.strip()


def button_in(value: str) -> tuple[TaskVerb, str | None]:
    """A verb and a task, as a button carries them."""
    word, _, task = value.partition(":")
    return _verb(word) or "help", task or None


def _verb(word: str) -> TaskVerb | None:
    return next((verb for verb in get_args(TaskVerb) if verb == word), None)
