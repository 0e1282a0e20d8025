"""A console that shows values as they are: a pattern in brackets is no markup, and :eyes: stays a word."""

from rich.console import Console
from rich.table import Column


def plain_console() -> Console:
    """For tables of what people wrote."""
    return Console(markup=False, emoji=False, highlight=False)


def whole(header: str) -> Column:
    """A column of names that people write into their next command: others give way where the terminal is narrow."""
    return Column(header, no_wrap=True)
