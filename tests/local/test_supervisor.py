"""The supervisor with small real programs."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from services.kit.clock import SystemClock
from services.local import control, state
from services.local.home import Home, LocalFault
from services.local.program import Program
from services.local.supervisor import Supervisor, Surroundings

SLEEP = "import time; print('hello', flush=True); time.sleep(600)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


def python(name: str, code: str, **facts: object) -> Program:
    return Program(name=name, command=(sys.executable, "-c", code), **facts)  # type: ignore[arg-type]  # by keyword


class Stage:
    """A supervisor under way, and what it said."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.lines: list[str] = []
        self.supervisor: Supervisor

    def say(self, name: str, line: str) -> None:
        self.lines.append(f"{name}: {line}")

    def pid(self, name: str) -> int:
        mark = self.supervisor.state.programs[name].process
        assert mark is not None
        return mark.pid

    def is_ready(self, restarts: int = 0) -> bool:
        programs = self.supervisor.state.programs.values()
        return self.supervisor.state.is_ready and sum(program.restarts for program in programs) >= restarts


async def until(holds: Callable[[], bool], within: float = 15.0) -> None:
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110 - what is waited for is another process's doing
            await asyncio.sleep(0.02)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home", tmp_path / "cache")
    home.make()
    return home


@asynccontextmanager
async def supervised(home: Home, programs: list[Program]) -> AsyncIterator[Stage]:
    stage = Stage(home)
    stopping = asyncio.Event()
    stage.supervisor = Supervisor(programs, Surroundings(home, SystemClock(), stage.say))
    running: Awaitable[None] = asyncio.create_task(stage.supervisor.run(stopping))
    try:
        yield stage
    finally:
        stopping.set()
        await running


@dataclass(frozen=True)
class Diary:
    """In which programs write down when they start and stop."""

    path: Path
    code = (
        "import signal, sys, time\n"
        "def note(what):\n    open(sys.argv[2], 'a').write(f'{what} {sys.argv[1]}\\n')\n"
        "def leave(*_):\n    note('stop'); sys.exit()\n"
        "signal.signal(signal.SIGTERM, leave); note('start'); time.sleep(600)"
    )

    def lines(self) -> list[str]:
        return self.path.read_text().splitlines() if self.path.exists() else []

    def program(self, name: str, *needs: str, more: str = "") -> Program:
        async def ready() -> bool:
            return {f"start {name}", more} <= {*self.lines(), ""}

        return Program(name, (sys.executable, "-c", self.code, name, str(self.path)), needs, is_ready=ready)


async def test_programs_start_after_what_they_need_and_stop_before_it(home: Home, tmp_path: Path) -> None:
    diary = Diary(tmp_path / "diary")
    async with supervised(home, [diary.program("b", "a"), diary.program("c", "b"), diary.program("a")]) as stage:
        await until(stage.is_ready)
    assert diary.lines() == ["start a", "start b", "start c", "stop c", "stop b", "stop a"]


async def test_programs_that_do_not_need_each_other_start_side_by_side(home: Home, tmp_path: Path) -> None:
    diary = Diary(tmp_path / "diary")
    programs = [diary.program("a", more="start b"), diary.program("b", more="start a"), diary.program("c", "a", "b")]
    async with supervised(home, programs) as stage:
        await until(stage.is_ready)
    assert set(diary.lines()[:2]) == {"start a", "start b"}
    assert diary.lines()[2:4] == ["start c", "stop c"]


async def test_a_step_without_a_process_is_done_before_what_needs_it(home: Home, tmp_path: Path) -> None:
    diary = Diary(tmp_path / "diary")

    async def step() -> None:
        diary.path.write_text("step\n")

    async with supervised(home, [diary.program("a", "step"), Program("step", prepare=step)]) as stage:
        await until(stage.is_ready)
    assert diary.lines() == ["step", "start a", "stop a"]


async def test_a_step_that_fails_is_a_fault_and_nothing_is_left_running(home: Home) -> None:
    stage = Stage(home)

    async def step() -> None:
        raise LocalFault("the token is not taken")

    programs = [python("a", SLEEP), Program("step", needs=("a",), prepare=step), python("b", SLEEP, needs=("step",))]
    supervisor = Supervisor(programs, Surroundings(home, SystemClock(), stage.say))
    with pytest.raises(LocalFault, match="the token is not taken"):
        await supervisor.run(asyncio.Event())
    mark = supervisor.state.programs["a"].process
    assert mark is not None
    assert mark.process() is None
    assert supervisor.state.programs["b"].process is None


async def test_output_is_shown_under_the_programs_name(home: Home) -> None:
    async with supervised(home, [python("talker", SLEEP)]) as stage:
        await until(lambda: "talker: hello" in stage.lines)


async def test_a_program_that_is_killed_comes_back_and_the_restart_is_counted(home: Home) -> None:
    async with supervised(home, [python("a", SLEEP), python("b", SLEEP)]) as stage:
        await until(stage.is_ready)
        killed, neighbour = stage.pid("a"), stage.pid("b")
        os.kill(killed, signal.SIGKILL)
        await until(lambda: stage.is_ready(restarts=1))
        assert stage.pid("a") != killed
        assert stage.pid("b") == neighbour
        assert any("SIGKILL; it is restarted" in line for line in stage.lines)


async def test_a_program_that_keeps_crashing_is_tried_less_and_less_often(home: Home, tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    code = (
        "import os, sys, time\n"
        "open(sys.argv[1], 'a').write('x')\n"
        "time.sleep(0.1)\n"
        "sys.exit(3 if os.path.getsize(sys.argv[1]) > 1 else 0)"
    )
    async with supervised(home, [Program("a", (sys.executable, "-c", code, str(starts)))]) as stage:
        await until(lambda: sum("restarted in" in line for line in stage.lines) >= 3)
        pauses = [line.rsplit(" in ", 1)[1] for line in stage.lines if "restarted in" in line]
        assert pauses[:3] == ["0.5 s", "1.0 s", "2.0 s"]


async def test_a_program_that_ignores_the_signal_is_killed(home: Home) -> None:
    async with supervised(home, [python("a", DEAF, stop_within_s=0.3)]) as stage:
        await until(lambda: "a: deaf" in stage.lines)
        pid = stage.pid("a")
    assert not psutil.pid_exists(pid)
    assert any("did not stop within" in line for line in stage.lines)


async def test_a_program_that_cannot_start_at_first_is_a_fault_and_nothing_is_left_running(home: Home) -> None:
    stage = Stage(home)
    supervisor = Supervisor(
        [python("a", SLEEP), python("b", "import sys; print('no config'); sys.exit(2)", is_ready=_never)],
        Surroundings(home, SystemClock(), stage.say),
    )
    with pytest.raises(LocalFault, match="b ended with code 2 before it was ready"):
        await supervisor.run(asyncio.Event())
    mark = supervisor.state.programs["a"].process
    assert mark is not None
    assert mark.process() is None


async def test_a_stop_while_something_still_starts_is_heeded(home: Home) -> None:
    async with supervised(home, [python("a", SLEEP, is_ready=_never)]) as stage:
        await until(lambda: stage.supervisor.state.programs["a"].process is not None)
        pid = stage.pid("a")
    assert not psutil.pid_exists(pid)


async def test_only_one_supervisor_may_run_in_a_home(home: Home) -> None:
    with state.held(home), pytest.raises(LocalFault, match="another supervisor"), state.held(home):
        pass


def test_leftovers_of_a_supervisor_that_is_gone_are_ended_and_strangers_are_not(home: Home) -> None:
    left = subprocess.Popen([sys.executable, "-c", SLEEP], stdout=subprocess.DEVNULL)
    stranger = subprocess.Popen([sys.executable, "-c", SLEEP], stdout=subprocess.DEVNULL)
    try:
        mark, other = state.ProcessMark.of(left.pid), state.ProcessMark.of(stranger.pid)
        programs = {
            "left": state.ProgramState(name="left", process=mark),
            "stranger": state.ProgramState(name="stranger", process=other.model_copy(update={"created": 1.0})),
        }
        state.write(home, state.StackState(supervisor=mark.model_copy(update={"created": 1.0}), programs=programs))
        control.end_leftovers(home, lambda *_: None)
        assert mark.process() is None
        assert other.process() is not None
    finally:
        for process in (left, stranger):
            process.kill()
            process.wait()


def test_a_damaged_state_file_is_as_none(home: Home) -> None:
    home.state_file.write_text("{ half")
    assert state.read(home) is None
    assert state.running(home) is None


async def _never() -> bool:
    return False


async def test_whatever_a_restart_meets_it_is_tried_again(home: Home) -> None:
    met: list[str] = []

    async def greet() -> None:
        met.append("once")
        if len(met) == 2:
            raise RuntimeError("the broker went away in the middle of it")

    async with supervised(home, [python("a", SLEEP, once_ready=greet)]) as stage:
        await until(stage.is_ready)
        os.kill(stage.pid("a"), signal.SIGKILL)
        await until(lambda: len(met) == 3 and stage.is_ready(restarts=2))
    assert any("RuntimeError: the broker went away" in line for line in stage.lines)


async def test_a_line_without_an_end_freezes_nobody(home: Home) -> None:
    code = "print('x' * 300_000, end=''); print(); print('after', flush=True); import time; time.sleep(600)"
    async with supervised(home, [python("a", code)]) as stage:
        await until(lambda: "a: after" in stage.lines)
    assert sum(line.count("x") for line in stage.lines) >= 300_000
