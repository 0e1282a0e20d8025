"""A service that is started again and again under one name, and what became of each process."""

import asyncio
import re
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientError, ClientSession

from bench.beds.child import Child, child

SERVES = re.compile(r" serves (http\S+)/health")
LOOK_EVERY_S = 0.2


@dataclass
class Worker:
    """One of them."""

    service: str
    folder: Path
    """Where its state is, from process to process; and its log, where no other place is said."""
    environment: Mapping[str, str]
    module: str = ""
    """What is run; the service itself where nothing is said."""
    log: Path = Path("log")
    """Beside its state, or wherever it is said to be."""
    child: Child | None = None
    is_wanted: bool = False
    """Whether it is to run: somebody who ends it on purpose wants it gone until it is started again."""
    exits: Counter[str] = field(default_factory=Counter)
    """Ends that nobody wanted: by themselves, or otherwise than in order."""
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)
    _said: int = 0
    """How much stood in the log when the process began."""

    async def start(self) -> None:
        """A new process under the same name."""
        async with self._turn:
            await self._start()

    async def _start(self) -> None:
        await asyncio.to_thread(self.folder.mkdir, parents=True, exist_ok=True)
        told = {**self.environment, "THREADLINE_STATE_FOLDER": str(self.folder)}
        command = (sys.executable, "-m", *(self.module or f"services.{self.service}").split())
        log = self.folder / self.log
        self._said = len(log.read_text("utf-8", "replace")) if log.exists() else 0
        self.child = await self._running.enter_async_context(child(command, told, log, Path.cwd()))
        self.is_wanted = True

    async def end(self, *, gently: bool) -> None:
        """It is gone."""
        async with self._turn:
            self.is_wanted = False
            if self.child is not None and self.child.is_running:
                if gently:
                    await self._leave(self.child)
                else:
                    await self.child.kill()
            await self._running.aclose()

    async def until_ready(self, within_s: float) -> None:
        """Until it is ready for its work, or has ended, or that takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s), ClientSession() as session:
                while self.child is not None and self.child.is_running and not await self._is_ready(session):  # noqa: ASYNC110 - a page has no event
                    await asyncio.sleep(LOOK_EVERY_S)

    async def says(self, words: str, within_s: float) -> None:
        """Until this process has said something."""
        async with asyncio.timeout(within_s):
            while self.child is None or words not in self.child.said()[self._said :]:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(LOOK_EVERY_S)

    async def _is_ready(self, session: ClientSession) -> bool:
        found = SERVES.search(self.child.said()[self._said :]) if self.child is not None else None
        if found is None:
            return False
        try:
            async with session.get(f"{found[1]}/health") as answer:
                return bool((await answer.json())["ready"])
        except ClientError:
            return False

    async def revive(self) -> None:
        """One that ended by itself is started again, and counted."""
        async with self._turn:
            if self.is_wanted and self.child is not None and not self.child.is_running:
                self.exits[f"by itself with {self.child.process.returncode}"] += 1
                await self._running.aclose()
                await self._start()

    async def _leave(self, running: Child) -> None:
        try:
            code = await running.stop()
        except TimeoutError:
            self.exits["killed, since it did not leave"] += 1
        else:
            if code not in {0, -signal.SIGTERM}:  # the signal itself ends who has not begun to listen to it
                self.exits[f"told to leave, with {code}"] += 1
