"""A part of the stack in a process of its own, which may be killed and held up."""

from contextlib import AsyncExitStack
from pathlib import Path

from bench.beds.child import Child, child
from services.local.program import Program

WORDS = 2000


class OwnPart:
    """Its process, from start to start."""

    def __init__(self) -> None:
        self._running = AsyncExitStack()
        self.child: Child | None = None

    async def _run(self, program: Program, log: Path, folder: Path) -> None:
        command = child(program.command, program.environment, log, folder, program.user)
        self.child = await self._running.enter_async_context(command)

    async def kill(self) -> None:
        """Kill -9."""
        if self.child is not None:
            await self.child.kill()
        await self._running.aclose()

    def last_words(self) -> str:
        """The end of its output, for whoever waits for it in vain."""
        return self.child.said()[-WORDS:] if self.child is not None else "it was not started"

    def hold_up(self) -> None:
        """It stands still, with all that it started: connections stay open, and nothing answers."""
        if self.child is not None:
            self.child.hold_up()

    def let_go(self) -> None:
        """It goes on."""
        if self.child is not None:
            self.child.let_go()
