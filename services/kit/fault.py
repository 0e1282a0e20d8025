"""A failure that was foreseen, and that a person can do something about."""

import traceback
from typing import ClassVar


class Fault(Exception):
    """Its message says what happened, what was kept, and what to do. The command line shows it without a traceback."""

    code: ClassVar[int] = 1
    """What the command line ends with. A command whose 1 is an answer ends otherwise."""


def where_of(error: BaseException) -> str:
    """Where something failed that was not foreseen, without its words: they could quote people, or a secret."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}"
