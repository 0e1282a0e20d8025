"""Starting, finding and stopping the stack: in the foreground, or as a supervisor in the background."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from services.kit.clock import SystemClock
from services.local import jars, kafka, stack, state
from services.local.home import Home, LocalFault, LocalSettings
from services.local.state import StackState
from services.local.supervisor import Say, Supervisor, Surroundings

START_WITHIN_S = 120.0
STOP_WITHIN_S = 60.0
LEFTOVERS_STOP_WITHIN_S = 10.0
ASK_EVERY_S = 0.05


def fetch_programs(home: Home, only: Sequence[str], progress: jars.Progress | None = None) -> list[Path]:
    """Downloads what the parts need and is not in the cache; gives the broker's class path."""
    if only and kafka.NAME not in only:
        return []
    return jars.fetch(jars.wanted(), home.jars, progress)


async def run(settings: LocalSettings, only: Sequence[str], say: Say, classpath: list[Path]) -> None:
    """Is the supervisor, until SIGTERM or Ctrl-C."""
    home = Home.of(settings)
    home.make()
    with state.held(home):
        end_leftovers(home, say)
        programs = stack.programs(settings, home, only, lambda: classpath)
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
        command = [sys.executable, "-m", "services.local", *(f"--only={part}" for part in only)]
        with log_file.open("wb") as log:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=Path.cwd()
            )
        return _until_ready(home, child, log_file)
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
        return False
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WITHIN_S)
    except psutil.TimeoutExpired:
        raise LocalFault(
            f"the supervisor (pid {process.pid}) still stops after {STOP_WITHIN_S:.0f} s; its log is in {home.logs}"
        ) from None
    return True


def end_leftovers(home: Home, say: Say) -> None:
    """Ends programs of a supervisor that is gone, so that their ports and data are free."""
    before = state.read(home)
    if before is None:
        return
    for name, program in reversed(before.programs.items()):
        process = program.process.process() if program.process else None
        if process is None:
            continue
        say(name, f"was left behind by a supervisor that is gone (pid {process.pid}); it is stopped first")
        process.terminate()
        try:
            process.wait(LEFTOVERS_STOP_WITHIN_S)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(LEFTOVERS_STOP_WITHIN_S)


def _until_ready(home: Home, child: "subprocess.Popen[bytes] | None", log_file: Path) -> StackState:
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline:
        found = state.running(home)
        if found is not None and found.is_ready:
            return found
        if found is None and (child is None or child.poll() is not None):
            raise LocalFault(f"the stack did not start; {_last_lines(log_file)}")
        time.sleep(ASK_EVERY_S)
    raise LocalFault(f"the stack is not ready after {START_WITHIN_S:.0f} s; {_last_lines(log_file)}")


def _last_lines(log_file: Path) -> str:
    lines = log_file.read_text("utf-8", "replace").splitlines()[-8:] if log_file.is_file() else []
    return f"{log_file} ends with:\n  " + "\n  ".join(lines or ["(nothing)"])
