"""A console that shows values as they are: a pattern in brackets is no markup, and :eyes: stays a word."""

from rich.console import Console


def plain_console() -> Console:
    """For tables of what people wrote."""
    return Console(markup=False, emoji=False, highlight=False)
