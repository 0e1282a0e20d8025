"""What is running on this machine: written by the supervisor, read by everybody else."""

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from services.local.home import Home, LocalFault

Condition = Literal["waiting", "starting", "ready", "restarting", "stopping", "stopped"]

SAME_WITHIN_S = 2.0
"""The machine's start is known to the second only."""


def _since_boot(process: psutil.Process) -> float:
    return process.create_time() - psutil.boot_time()


class ProcessMark(BaseModel):
    """A process, told apart from another that has its number later."""

    model_config = ConfigDict(frozen=True)

    pid: int
    created: float
    """In seconds since the machine's start, so that a step of the clock changes nothing."""

    @classmethod
    def of(cls, pid: int) -> "ProcessMark":
        """The process that has this number now."""
        return cls(pid=pid, created=_since_boot(psutil.Process(pid)))

    def process(self) -> psutil.Process | None:
        """The process, if it still lives."""
        try:
            found = psutil.Process(self.pid)
            same = abs(_since_boot(found) - self.created) < SAME_WITHIN_S
            alive = same and found.status() != psutil.STATUS_ZOMBIE
        except (psutil.NoSuchProcess, ValueError):
            return None
        return found if alive else None


class ProgramState(BaseModel):
    """One program as the supervisor sees it."""

    name: str
    condition: Condition = "waiting"
    address: str | None = None
    process: ProcessMark | None = None
    restarts: int = 0
    stop_signal: int = signal.SIGTERM
    ready_after_s: float | None = None
    trouble: str | None = None


class StackState(BaseModel):
    """The whole stack."""

    supervisor: ProcessMark
    programs: dict[str, ProgramState]

    @property
    def is_ready(self) -> bool:
        """Whether every program is."""
        return all(program.condition == "ready" for program in self.programs.values())

    def address_of(self, name: str) -> str:
        """Where one of its programs is reached."""
        program = self.programs.get(name)
        if program is None or program.address is None:
            raise LocalFault(f"{name} is no part of the stack that runs")
        return program.address


def read(home: Home) -> StackState | None:
    """What the supervisor last wrote; none where none ever ran, or the file is damaged."""
    try:
        return StackState.model_validate_json(home.state_file.read_bytes())
    except (OSError, ValidationError):
        return None


def running(home: Home) -> StackState | None:
    """What runs now; none where no supervisor lives."""
    state = read(home)
    return state if state is not None and state.supervisor.process() is not None else None


def left_behind(home: Home) -> list[str]:
    """Programs that still run although their supervisor is gone."""
    state = read(home)
    if state is None or state.supervisor.process() is not None:
        return []
    return [name for name, program in state.programs.items() if program.process and program.process.process()]


def write(home: Home, state: StackState) -> None:
    """Replaces the file as a whole, readable for this user alone."""
    beside = home.state_file.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(state.model_dump_json(indent=2))
    beside.replace(home.state_file)


def is_held(home: Home) -> bool:
    """Whether some supervisor lives, whatever its state file says."""
    if not home.lock_file.exists():
        return False
    try:
        with held(home):
            return False
    except LocalFault:
        return True


@contextmanager
def held(home: Home) -> Iterator[None]:
    """The right to be the one supervisor of this home. It ends with the process, however that ends."""
    with home.lock_file.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalFault(
                f"another supervisor already runs in {home.root}; `threadline local status` shows it"
            ) from None
        yield
