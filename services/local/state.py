"""What is running on this machine: written by the supervisor, read by everybody else."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from services.local.home import Home, LocalFault

Condition = Literal["waiting", "starting", "ready", "restarting", "stopping", "stopped", "failed"]


class ProcessMark(BaseModel):
    """A process, told apart from another that has its number later."""

    model_config = ConfigDict(frozen=True)

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> "ProcessMark":
        """The process that has this number now."""
        return cls(pid=pid, created=psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The process, if it still lives."""
        try:
            found = psutil.Process(self.pid)
            alive = found.create_time() == self.created and found.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return found if alive else None


class ProgramState(BaseModel):
    """One program as the supervisor sees it."""

    name: str
    condition: Condition = "waiting"
    address: str | None = None
    process: ProcessMark | None = None
    restarts: int = 0
    ready_after_s: float | None = None
    trouble: str | None = None


class StackState(BaseModel):
    """The whole stack."""

    supervisor: ProcessMark
    programs: dict[str, ProgramState]
    trouble: str | None = None
    """What keeps the stack from starting."""

    @property
    def is_ready(self) -> bool:
        """Whether every program is."""
        return all(program.condition == "ready" for program in self.programs.values())


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


def write(home: Home, state: StackState) -> None:
    """Replaces the file as a whole, readable for this user alone."""
    _replace(home.state_file, state.model_dump_json(indent=2))


def _replace(path: Path, text: str) -> None:
    beside = path.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    beside.replace(path)


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
