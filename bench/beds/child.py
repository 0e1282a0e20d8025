"""A child process: started, held up, killed, and never left behind."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from services.kit.settings import child_environment

ENDS_WITHIN_S = 20.0


@dataclass
class Child:
    """One process, and the file that its output goes to."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.returncode is None

    def send(self, number: signal.Signals) -> None:
        """Tells it something, as long as it runs."""
        if self.is_running:
            self.process.send_signal(number)

    def hold_up(self) -> None:
        """It and all that it started stand still: connections stay open, and nothing answers."""
        for process in self._family():
            process.suspend()

    def let_go(self) -> None:
        """They go on."""
        for process in self._family():
            process.resume()

    def _family(self) -> list[psutil.Process]:
        if not self.is_running:
            return []
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]

    async def kill(self) -> None:
        """Kill -9, and it is gone."""
        self.send(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> int:
        """SIGTERM, and waits until it has left. One that does not leave is killed."""
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDS_WITHIN_S):
                return await self.process.wait()
        await self.kill()
        raise TimeoutError(f"it did not leave within {ENDS_WITHIN_S:.0f} s; {self.said()[-500:]}")

    def said(self) -> str:
        """Its output so far."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def rss_mb(self) -> float:
        """How much memory it holds."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    def cpu_s(self) -> float:
        """How much of a core it has used."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)


@asynccontextmanager
async def child(
    command: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path, user: int | None = None
) -> AsyncIterator[Child]:
    """Runs it, as another user perhaps. Afterwards it is gone, whatever happened."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=child_environment(environment),
            cwd=folder,
            stdout=handle,
            stderr=handle,
            stdin=asyncio.subprocess.DEVNULL,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
    finally:
        os.close(handle)
    started = Child(process, log)
    try:
        yield started
    finally:
        if started.is_running:
            with suppress(TimeoutError):
                await started.stop()
