"""Starting, finding and stopping the stack: in the foreground, or as a supervisor in the background."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from services.kit.clock import SystemClock
from services.kit.settings import as_environment, child_environment
from services.local import jars, kafka, stack, state
from services.local.home import Home, LocalFault, LocalSettings
from services.local.program import Program
from services.local.state import StackState
from services.local.supervisor import Say, Supervisor, Surroundings

START_WITHIN_S = 120.0
STOP_WITHIN_S = 60.0
LEFTOVERS_STOP_WITHIN_S = 10.0
ASK_EVERY_S = 0.05


def fetch_programs(settings: LocalSettings, only: Sequence[str], progress: jars.Progress | None = None) -> list[Path]:
    """Downloads what the parts need and is not in the cache; gives the broker's class path."""
    if only and kafka.NAME not in only:
        return []
    return jars.fetch(jars.wanted(), jars.Store(Home.of(settings).jars, settings.jar_repository), progress)


More = Callable[[Home, Say, list[Program]], list[Program]]
"""Adds programs to those of the stack."""


async def run(
    settings: LocalSettings, only: Sequence[str], say: Say, classpath: list[Path], more: More | None = None
) -> None:
    """Is the supervisor, until SIGTERM or Ctrl-C."""
    home = Home.of(settings)
    home.make()
    with state.held(home):
        end_leftovers(home, say)
        programs = stack.programs(settings, home, only, classpath, say)
        if more is not None:
            programs = more(home, say, programs)
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, stopping.set)
        await Supervisor(programs, Surroundings(home, SystemClock(), say)).run(stopping)


def start(settings: LocalSettings, only: Sequence[str]) -> StackState:
    """Starts a supervisor in the background, and waits until everything is ready. One that runs already is found."""
    home = Home.of(settings)
    home.make()
    found = state.running(home)
    if found is None:
        log_file = home.logs / "supervisor.log"
        return _until_ready(home, _detach(settings, only, log_file), log_file)
    missing = sorted(set(only or stack.PARTS) - set(found.programs))
    if missing:
        raise LocalFault(
            f"the stack runs without {', '.join(missing)}: `threadline local stop` first, then start it with them"
        )
    return _until_ready(home, None, home.logs / "supervisor.log")


def stop(settings: LocalSettings) -> bool:
    """Stops the stack and waits until it is gone. Says whether there was one."""
    home = Home.of(settings)
    found = state.running(home)
    process = found.supervisor.process() if found else None
    if process is None:
        return end_leftovers(home, lambda *_: None)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WITHIN_S)
    except psutil.TimeoutExpired:
        raise LocalFault(
            f"the supervisor (pid {process.pid}) still stops after {STOP_WITHIN_S:.0f} s; its log is in {home.logs}"
        ) from None
    return True


def end_leftovers(home: Home, say: Say) -> bool:
    """Ends programs whose supervisor is gone, so that their ports and data are free. Says whether there were any."""
    before, ended = state.read(home), False
    if before is None:
        return False
    for name, program in reversed(before.programs.items()):
        process = program.process.process() if program.process else None
        if process is None:
            continue
        ended = True
        say(name, f"was left behind by a supervisor that is gone (pid {process.pid}); it is stopped first")
        process.send_signal(program.stop_signal)
        try:
            process.wait(LEFTOVERS_STOP_WITHIN_S)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(LEFTOVERS_STOP_WITHIN_S)
    return ended


def _detach(settings: LocalSettings, only: Sequence[str], log_file: Path) -> int:
    """Starts the supervisor as a process that outlives this one."""
    command = [sys.executable, "-m", "services.local", *(f"--only={part}" for part in only)]
    return os.posix_spawn(
        sys.executable,
        command,
        child_environment(as_environment(settings)),
        setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log_file), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )


def _has_ended(child: int | None) -> bool:
    try:
        return child is None or os.waitpid(child, os.WNOHANG)[0] == child
    except ChildProcessError:  # it had ended when we looked before
        return True


def _until_ready(home: Home, child: int | None, log_file: Path) -> StackState:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        found = state.running(home)
        if found is not None and found.is_ready:
            return found
        if found is None and _has_ended(child) and not state.is_held(home):
            raise LocalFault(f"the stack did not start; {_last_lines(log_file)}")
        time.sleep(ASK_EVERY_S)
    raise LocalFault(f"the stack is not ready after {START_WITHIN_S:.0f} s; {_last_lines(log_file)}")


def _last_lines(log_file: Path) -> str:
    lines = log_file.read_text("utf-8", "replace").splitlines()[-8:] if log_file.is_file() else []
    return f"{log_file} ends with:\n  " + "\n  ".join(lines or ["(nothing)"])
