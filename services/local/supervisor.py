"""Keeps programs up: starts each when it has what it needs, restarts those that crash, and stops all the other way."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import IO, Any

import psutil

from services.kit.clock import Clock
from services.kit.settings import child_environment
from services.local import order
from services.local.home import Home, LocalFault
from services.local.program import Program
from services.local.state import Condition, ProcessMark, ProgramState, StackState, write

NAME = "threadline"
"""Under which the supervisor speaks for itself."""
ASK_EVERY_S = 0.05
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_AFTER_S = 60.0
"""A program that ran this long before it crashed is restarted at once, as if it never had."""
LONGEST_LINE = 64 * 1024
LEISURE_AFTER_S = 20.0
"""So long after everything is ready, what can wait is done: whoever started it has tried it by then."""

Say = Callable[[str, str], None]
"""Told a program's name and one line."""


@dataclass(frozen=True)
class Surroundings:
    """What a supervisor works with."""

    home: Home
    clock: Clock
    say: Say


class Supervisor:
    """Runs a fixed list of programs until it is told to stop."""

    def __init__(self, programs: Sequence[Program], surroundings: Surroundings) -> None:
        self._programs = {each.name: each for each in programs}
        self._needs = {each.name: each.needs for each in programs}
        order.check(self._needs)
        self._home, self._clock, self._say = surroundings.home, surroundings.clock, surroundings.say
        self._children: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[None]] = []
        self._relays: set[asyncio.Task[None]] = set()
        self.state = StackState(
            supervisor=ProcessMark.of(os.getpid()),
            programs={
                each.name: ProgramState(name=each.name, address=each.address, stop_signal=each.stop_signal)
                for each in programs
            },
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Starts everything, keeps it up, and stops it when told. A program that cannot start at first is a fault."""
        told, leisure = asyncio.create_task(stopping.wait()), None
        write(self._home, self.state)
        try:
            if await self._start_all(told):
                self._say(NAME, f"all is ready; Ctrl-C stops it, and its data stays in {self._home.root}")
                leisure = asyncio.create_task(self._do_what_could_wait())
                await asyncio.wait({told, *self._keepers}, return_when=asyncio.FIRST_COMPLETED)
                for keeper in self._keepers:
                    if keeper.done():  # it never ends by itself, so it failed, and says here with what
                        keeper.result()
            self._say(NAME, "stopping")
        finally:
            await _ended(told, *([leisure] if leisure else []), *self._keepers)
            await self._stop_all()

    async def _start_all(self, told: "asyncio.Task[bool]") -> bool:
        """Starts whatever has all it needs, until everything is ready. Says no where it was told to stop before."""
        begun: set[str] = set()
        ready: set[str] = set()
        starting: dict[asyncio.Task[None], Program] = {}
        try:
            while len(ready) < len(self._programs):
                for name in order.startable(self._needs, begun, ready):
                    begun.add(name)
                    starting[asyncio.create_task(self._start(self._programs[name]))] = self._programs[name]
                await asyncio.wait({told, *starting}, return_when=asyncio.FIRST_COMPLETED)
                if told.done():
                    return False
                for task in [each for each in starting if each.done()]:
                    program = starting.pop(task)
                    task.result()
                    ready.add(program.name)
                    if program.command:
                        self._keepers.append(asyncio.create_task(self._keep(program)))
        finally:
            await _ended(*starting)
        return True

    async def _do_what_could_wait(self) -> None:
        await asyncio.sleep(LEISURE_AFTER_S)
        for program in self._programs.values():
            child = self._children.get(program.name)
            if child is None or child.returncode is not None:
                continue
            try:
                await program.at_leisure(child.pid)
            except Exception as error:  # noqa: BLE001 - everything works without it, and goes on
                self._say(program.name, f"what could wait was not done ({type(error).__name__}: {error})")

    async def _keep(self, program: Program) -> None:
        """Restarts a program whenever it ends, pausing longer each time that it does not last."""
        pause = FIRST_PAUSE_S
        while True:
            began = self._clock.monotonic()
            code = await self._children[program.name].wait()
            lasted = self._clock.monotonic() - began
            pause = FIRST_PAUSE_S if lasted > STEADY_AFTER_S else pause
            self._mark(program, "restarting", trouble=_ending(code))
            self._say(program.name, f"{_ending(code)}; it is restarted in {pause:.1f} s{_see(program)}")
            self.state.programs[program.name].restarts += 1
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
            while not self._has_what_it_needs(program):  # noqa: ASYNC110 - it would only crash again, and asking is cheap
                await asyncio.sleep(ASK_EVERY_S)
            try:
                await self._start(program)
            except LocalFault as fault:
                self._say(program.name, str(fault))
                await self._end(program)

    def _has_what_it_needs(self, program: Program) -> bool:
        return all(self.state.programs[each].condition == "ready" for each in program.needs)

    async def _start(self, program: Program) -> None:
        """Starts a program and waits until it is ready. Whatever goes wrong is a fault, since it is tried again."""
        begun = self._clock.monotonic()
        self._mark(program, "starting")
        try:
            await program.prepare()
            if program.command:
                child = await self._spawn(program)
                self._children[program.name] = child
                self._mark(program, "starting", child=child)
                await self._until_ready(program, child)
            await program.once_ready()
        except LocalFault:
            raise
        except Exception as error:
            raise LocalFault(f"{program.name} could not be started: {type(error).__name__}: {error}") from error
        took = self._clock.monotonic() - begun
        self.state.programs[program.name].ready_after_s = round(took, 2)
        self._mark(program, "ready")
        self._say(program.name, f"ready after {took:.1f} s" + (f": {program.address}" if program.address else ""))

    async def _spawn(self, program: Program) -> asyncio.subprocess.Process:
        output: int | IO[bytes] = asyncio.subprocess.PIPE
        with contextlib.ExitStack() as stack:
            if program.log_file is not None:
                output = stack.enter_context(program.log_file.open("ab"))
            child = await asyncio.create_subprocess_exec(
                *program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env=child_environment(program.environment),
                cwd=program.folder,
                start_new_session=True,
                user=program.user,
                group=program.user,
                extra_groups=None if program.user is None else [],
            )
        if child.stdout is not None:
            self._relays.add(relay := asyncio.create_task(self._relay(program.name, child.stdout)))
            relay.add_done_callback(self._relays.discard)
        return child

    async def _relay(self, name: str, output: asyncio.StreamReader) -> None:
        """Passes on what a program prints, line by line; a line without an end is passed on in pieces."""
        waiting = b""
        while piece := await output.read(LONGEST_LINE):
            *lines, waiting = (waiting + piece).split(b"\n")
            if len(waiting) > LONGEST_LINE:
                lines, waiting = [*lines, waiting], b""
            for line in lines:
                self._say(name, line.decode("utf-8", "replace").rstrip())
        if waiting:
            self._say(name, waiting.decode("utf-8", "replace"))

    async def _until_ready(self, program: Program, child: asyncio.subprocess.Process) -> None:
        deadline = self._clock.monotonic() + program.ready_within_s
        while not await program.is_ready():
            if child.returncode is not None:
                raise LocalFault(f"{program.name} {_ending(child.returncode)} before it was ready{_see(program)}")
            if self._clock.monotonic() > deadline:
                raise LocalFault(f"{program.name} was not ready within {program.ready_within_s:.0f} s{_see(program)}")
            await asyncio.sleep(ASK_EVERY_S)

    async def _stop_all(self) -> None:
        """Stops whatever nobody needs any more, until nothing stands."""
        stopped: set[str] = set()
        stopping: dict[asyncio.Task[None], str] = {}
        while len(stopped) < len(self._programs):
            for name in order.stoppable(self._needs, stopped):
                if name not in stopping.values():
                    stopping[asyncio.create_task(self._stop(self._programs[name]))] = name
            done, _ = await asyncio.wait(stopping, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                stopped.add(stopping.pop(task))
                task.result()

    async def _stop(self, program: Program) -> None:
        await self._end(program)
        self._mark(program, "stopped")

    async def _end(self, program: Program) -> None:
        child = self._children.get(program.name)
        if child is None or child.returncode is not None:
            return
        self._mark(program, "stopping")
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(program.stop_signal)
        try:
            await asyncio.wait_for(child.wait(), program.stop_within_s)
        except TimeoutError:
            self._say(program.name, f"did not stop within {program.stop_within_s:.0f} s and is killed")
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.wait()

    def _mark(
        self,
        program: Program,
        condition: Condition,
        child: asyncio.subprocess.Process | None = None,
        trouble: str | None = None,
    ) -> None:
        state = self.state.programs[program.name]
        state.condition = condition
        state.trouble = trouble
        if child is not None:
            with contextlib.suppress(psutil.NoSuchProcess):  # it is gone already, which its exit code will tell
                state.process = ProcessMark.of(child.pid)
        write(self._home, self.state)


async def _ended(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _ending(code: int) -> str:
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"


def _see(program: Program) -> str:
    return f"; its output is in {program.log_file}" if program.log_file else ""
