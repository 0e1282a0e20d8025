"""Hears that tasks changed, whichever process folded them, and wakes who waits for one."""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pydantic import SecretStr

from services.directory.watch import Listener, watch
from services.supervisor.adapters.partitions import CHANNEL
from services.supervisor.decisions.projecting import Key

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Changed:
    """What changed of a tenant since somebody looked last."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: set[str] = field(default_factory=set)
    is_all: bool = False
    """Where a change may not have been heard of."""

    def taken(self) -> list[str] | None:
        """The tasks, sorted; none where it may be any of them."""
        found = None if self.is_all else sorted(self.tasks)
        self.tasks, self.is_all = set(), False
        self.woken.clear()
        return found


class News:
    """Who waits for which task."""

    def __init__(self) -> None:
        self._waiting: dict[Key, set[asyncio.Event]] = {}
        self._watching: dict[str, list[Changed]] = {}

    async def run(self, url: SecretStr) -> None:
        """Listens until it is cancelled. After a gap everybody looks again."""
        await watch(url, Listener(self._changed, self._all, self._lost, CHANNEL))

    @contextmanager
    def of(self, keys: Iterable[Key]) -> Iterator[asyncio.Event]:
        """Within it the event is set whenever one of these tasks may have changed."""
        woken, wanted = asyncio.Event(), list(keys)
        for key in wanted:
            self._waiting.setdefault(key, set()).add(woken)
        try:
            yield woken
        finally:
            for key in wanted:
                self._waiting[key].discard(woken)
                if not self._waiting[key]:
                    del self._waiting[key]

    def waited_for(self, tenant_id: str) -> list[str]:
        """Under which names somebody waits, of a tenant's."""
        return [name for tenant, name in self._waiting if tenant == tenant_id]

    @contextmanager
    def of_tenant(self, tenant_id: str) -> Iterator[Changed]:
        """Within it everything is heard that changes of a tenant's tasks."""
        changed = Changed()
        watching = self._watching.setdefault(tenant_id, [])
        watching.append(changed)
        try:
            yield changed
        finally:
            watching[:] = [each for each in watching if each is not changed]
            if not watching:
                self._watching.pop(tenant_id, None)

    def _changed(self, said: str) -> None:
        tenant_id, _, task_id = said.partition("/")
        for each in self._watching.get(tenant_id, ()):
            each.tasks.add(task_id)
            each.woken.set()
        for woken in self._waiting.get((tenant_id, task_id), ()):
            woken.set()

    def _all(self) -> None:
        for each in self._waiting.values():
            for woken in each:
                woken.set()
        for changed in (one for watching in self._watching.values() for one in watching):
            changed.is_all = True
            changed.woken.set()

    def _lost(self, why: str) -> None:
        log.info("changes of tasks are not heard of for now (%s); who waits is answered when its time is over", why)
