"""What commands that take long show on the terminal: a line, a bar, and what was kept where Ctrl-C ended them."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.kit.fault import Fault

Tell = Callable[[int, int], None]
"""Hears how many are done, and of how many."""


def say(line: str) -> None:
    """A line beside the result."""
    typer.echo(line, err=True)


@contextmanager
def interruptible(kept: str) -> Iterator[None]:
    """Ctrl-C ends what is within it, and says what was kept. So does SIGTERM, by which systemd stops a command."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise Fault(f"interrupted; {kept}") from None
    finally:
        signal.signal(signal.SIGTERM, before)


class Unusable(Fault):
    """There is no answer: 1 would be one."""

    code: ClassVar[int] = 2


@contextmanager
def no_answer() -> Iterator[None]:
    """Within it, what goes wrong is no answer to what was asked."""
    try:
        yield
    except Fault as fault:
        raise Unusable(str(fault)) from fault


@contextmanager
def bar(what: str) -> Iterator[Tell]:
    """Shows how far it is, on a terminal."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as shown:
        task = shown.add_task("", total=None)

        def progress(done: int, total: int) -> None:
            shown.update(task, completed=done, total=total)

        yield progress
