"""Hears that tasks changed, whichever process folded them, and wakes who waits for one."""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pydantic import SecretStr

from services.directory.watch import Listener, watch
from services.supervisor.adapters.partitions import CHANNEL
from services.supervisor.decisions.projecting import Key

log = logging.getLogger(__name__)


class News:
    """Who waits for which task."""

    def __init__(self) -> None:
        self._waiting: dict[Key, set[asyncio.Event]] = {}

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

    def _changed(self, said: str) -> None:
        tenant_id, _, task_id = said.partition("/")
        for woken in self._waiting.get((tenant_id, task_id), ()):
            woken.set()

    def _all(self) -> None:
        for each in self._waiting.values():
            for woken in each:
                woken.set()

    def _lost(self, why: str) -> None:
        log.info("changes of tasks are not heard of for now (%s); who waits is answered when its time is over", why)
