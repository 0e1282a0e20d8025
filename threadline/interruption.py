"""Ctrl-C while a command is still being imported: it ends at once, in one line, since nothing is begun."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

INTERRUPTED: Final = 130
"""What a command that Ctrl-C ended ends with, where it has nothing of its own to say about it."""


@contextmanager
def ends_at_once() -> Iterator[None]:
    """Within it, modules are imported: an exception in the midst of that would be lost, or show where it was."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # it is ignored, or somebody's own
        return
    signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(*_: object) -> None:
    os.write(2, b"threadline: interrupted before it began; nothing was done\n")
    os._exit(INTERRUPTED)
