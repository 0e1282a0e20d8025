"""Reading tenants: one read of each at a time, and once more where it changed while it was read."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.directory.shared import retrieved

Answer = TypeVar("Answer")


@dataclass
class _Read(Generic[Answer]):
    task: asyncio.Task[Answer]
    again: bool = False


class Reads(Generic[Answer]):
    """The reads that go on. A read ends by itself within the time that Postgres is given to answer."""

    def __init__(self, read: Callable[[str], Awaitable[Answer]], failed: Callable[[str, BaseException], None]) -> None:
        self._read, self._failed = read, failed
        self._running: dict[str, _Read[Answer]] = {}

    def __contains__(self, tenant_id: str) -> bool:
        return tenant_id in self._running

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, tenant_id: str) -> asyncio.Task[Answer]:
        """A read that is going on, or a new one."""
        running = self._running.get(tenant_id)
        if running is None:
            running = self._running[tenant_id] = _Read(asyncio.create_task(self._run(tenant_id)))
            running.task.add_done_callback(retrieved)
        return running.task

    def changed(self, tenant_id: str) -> None:
        """What is being read is old already. A tenant that is not being read is read now."""
        running = self._running.get(tenant_id)
        if running is None:
            _ = self.begin(tenant_id)
        else:
            running.again = True

    async def close(self) -> None:
        """Ends every read."""
        tasks = [each.task for each in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, tenant_id: str) -> Answer:
        """Nothing is awaited between looking whether it changed and leaving the list: no change falls between them."""
        running = self._running[tenant_id]
        try:
            while True:
                running.again = False
                answer = await self._read(tenant_id)
                if not running.again:
                    return answer
        except Exception as error:
            self._failed(tenant_id, error)
            raise
        finally:
            del self._running[tenant_id]
