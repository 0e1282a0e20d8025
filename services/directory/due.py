"""Tenants that are to be read again: those that changed before those that merely may have."""

import asyncio
from collections.abc import Iterable


class Due:
    """An ordered list without repeats."""

    def __init__(self) -> None:
        self._changed: dict[str, None] = {}
        self._doubtful: dict[str, None] = {}
        self._some = asyncio.Event()

    def changed(self, tenant_id: str) -> None:
        """It is known that a tenant changed."""
        self._changed[tenant_id] = None
        self._some.set()

    def doubtful(self, tenant_ids: Iterable[str]) -> None:
        """These may have changed."""
        self._doubtful |= dict.fromkeys(tenant_ids)
        if self._doubtful:
            self._some.set()

    async def next(self) -> str:
        """The next one, as soon as there is one."""
        while not (self._changed or self._doubtful):
            self._some.clear()
            await self._some.wait()
        waiting = self._changed or self._doubtful
        tenant_id = next(iter(waiting))
        del waiting[tenant_id]
        return tenant_id
