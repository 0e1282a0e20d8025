"""A program that the supervisor keeps up: how it is started, when it is ready, and how it is stopped."""

import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Step = Callable[[], Awaitable[None]]
Question = Callable[[], Awaitable[bool]]


async def _at_once() -> bool:
    return True


async def nothing() -> None:
    """Where there is nothing to do."""
    return


@dataclass(frozen=True)
class Program:
    """One child process."""

    name: str
    command: tuple[str, ...]
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
    stop_signal: signal.Signals = signal.SIGTERM
    ready_within_s: float = 60.0
    stop_within_s: float = 10.0
