"""The spool without waiting for the disk: a thread of its own does what is asked, in the order in which it is asked."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from services.ingress.adapters.outgoing import Outgoing
from services.ingress.adapters.spool import Contents, Spool, Waiting

Answer = TypeVar("Answer")


class Disk:
    """A spool and its thread."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._thread = ThreadPoolExecutor(1, "spool")

    @property
    def records(self) -> int:
        """How many wait in the spool."""
        return self._spool.records

    async def append(self, records: Sequence[Outgoing]) -> list[bool]:
        """`Spool.append`."""
        return await self._do(lambda: self._spool.append(records))

    async def first(self, count: int) -> list[Waiting]:
        """`Spool.first`."""
        return await self._do(lambda: self._spool.first(count))

    async def forget(self, rows: Sequence[Waiting]) -> None:
        """`Spool.forget`."""
        await self._do(lambda: self._spool.forget(rows))

    async def contents(self) -> Contents:
        """`Spool.contents`."""
        return await self._do(self._spool.contents)

    def close(self) -> None:
        """Ends the thread and gives the spool back."""
        self._thread.shutdown()
        self._spool.close()

    async def _do(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
