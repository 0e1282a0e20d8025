"""How a program's process does: how much memory it and its children have, and how long it has been up."""

from dataclasses import dataclass
from datetime import UTC, datetime

import psutil

from services.kit.clock import Clock
from services.local.state import ProgramState


@dataclass(frozen=True)
class Vitals:
    """A process that lives."""

    pid: int
    memory: int
    up_s: float


def vitals_of(program: ProgramState, clock: Clock) -> Vitals | None:
    """None where it is gone."""
    process = program.process.process() if program.process else None
    if process is None:
        return None
    try:
        up = clock.now() - datetime.fromtimestamp(process.create_time(), UTC)
        memory = sum(_memory(each) for each in (process, *process.children(recursive=True)))
    except psutil.NoSuchProcess:
        return None
    return Vitals(process.pid, memory, up.total_seconds())


def _memory(process: psutil.Process) -> int:
    try:
        rss: int = process.memory_info().rss
    except psutil.NoSuchProcess:
        return 0
    return rss
