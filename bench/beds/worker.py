"""A service that is started again and again under one name, and what became of each process."""

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.beds.child import Child, child


@dataclass
class Worker:
    """One of them."""

    service: str
    folder: Path
    """Where its state and its log are, from process to process."""
    environment: Mapping[str, str]
    child: Child | None = None
    exits: Counter[str] = field(default_factory=Counter)
    """Ends that nobody wanted: by themselves, or otherwise than in order."""
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        """A new process under the same name."""
        await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
        told = {**self.environment, "THREADLINE_STATE_FOLDER": str(self.folder)}
        command = (sys.executable, "-m", f"services.{self.service}")
        self.child = await self._running.enter_async_context(child(command, told, self.folder / "log", Path.cwd()))

    async def end(self, *, gently: bool) -> None:
        """It is gone."""
        if self.child is not None and self.child.is_running:
            if gently:
                await self._leave(self.child)
            else:
                await self.child.kill()
        await self._running.aclose()

    async def revive(self) -> None:
        """One that ended by itself is started again, and counted."""
        if self.child is not None and not self.child.is_running:
            self.exits[f"by itself with {self.child.process.returncode}"] += 1
            await self._running.aclose()
            await self.start()

    async def _leave(self, running: Child) -> None:
        try:
            code = await running.stop()
        except TimeoutError:
            self.exits["killed, since it did not leave"] += 1
        else:
            if code != 0:
                self.exits[f"told to leave, with {code}"] += 1
