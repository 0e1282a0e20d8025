"""A program that the supervisor keeps up: what it needs, how it is started, when it is ready, and how it is stopped."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Step = Callable[[], Awaitable[None]]
Question = Callable[[], Awaitable[bool]]
Chore = Callable[[int], Awaitable[None]]


async def _at_once() -> bool:
    return True


async def nothing() -> None:
    """Where there is nothing to do."""
    return


async def no_chore(_: int) -> None:
    """Likewise."""
    return


@dataclass(frozen=True)
class Program:
    """One child process, or a step on the way to others."""

    name: str
    command: tuple[str, ...] = ()
    """Without one there is nothing to keep up: it is done when it was prepared."""
    needs: tuple[str, ...] = ()
    """The programs that have to be ready before it is started. They end after it."""
    address: str | None = None
    """Where it is reached, for people to read."""
    log_file: Path | None = None
    """Where its output goes, in place of the console: for programs that say more than anybody wants to read."""
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    """Where it runs; where we do otherwise."""
    user: int | None = None
    """The user id that it runs as, where that is not ours."""
    prepare: Step = nothing
    """Done before every start."""
    is_ready: Question = _at_once
    """Asked until it says yes."""
    once_ready: Step = nothing
    """Done after every start, as soon as it is ready."""
    at_leisure: Chore = no_chore
    """Done once, with its process's number, when all has been ready for a while: for the sake of the next start."""
    stop_signal: signal.Signals = signal.SIGTERM
    ready_within_s: float = 60.0
    stop_within_s: float = 10.0
