"""Whose workspace it is, and what that tenant is: from memory where it is known, from Postgres where it is not."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from services.directory import metrics
from services.directory.faults import DatabaseAway
from services.directory.holding import Holding, Known, Unknown, Workspace
from services.directory.reading import read_owner, read_tenant
from services.directory.revisions import UnreadableRevision
from services.directory.service import ServiceDatabase, refuse_unbound_role, service_database
from services.directory.settings import DirectorySettings
from services.directory.snapshot import Snapshot
from services.directory.watch import Listener, watch
from services.kit.clock import Clock
from services.kit.fault import Fault
from services.kit.telemetry.emitter import Emitter

log = logging.getLogger(__name__)

SLACK = "slack"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
READ_AT_ONCE = 4
SAVE_EVERY_S = 1.0
SAVE_SHARE = 20.0
"""A big directory is saved less often: of the time, at most one part in so many goes into it."""

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Surroundings:
    """What a directory works with."""

    clock: Clock
    emitter: Emitter
    snapshot: Path
    """The file in which this process keeps what it knew last."""


class Directory:
    """What a service asks. `known` answers from memory; `owner` and `tenant` wait where memory does not know."""

    def __init__(self, database: ServiceDatabase, settings: DirectorySettings, surroundings: Surroundings) -> None:
        self.database = database
        self._settings = settings
        self._clock, self._emitter = surroundings.clock, surroundings.emitter
        self._snapshot = Snapshot(surroundings.snapshot)
        self._holding = Holding(settings.directory_tenants)
        self._tasks: dict[Hashable, asyncio.Task[Any]] = {}
        """What is being found out, by what it is: who asks the same waits for the same."""
        self._doubted: set[str] = set()
        """Tenants that changed while they were read."""
        self._changes = 0
        self._unsaved = False
        self._slots = asyncio.Semaphore(READ_AT_ONCE)
        self._waiting = 0
        self._away: str | None = "it has not answered yet"

    def known(self, workspace: str, channel_type: str = SLACK) -> Known | Unknown | None:
        """What memory knows of a workspace; none where only Postgres could tell."""
        key = (channel_type, workspace)
        now = self._clock.monotonic()
        found = self._holding.owner_of(key)
        if found is None:
            return self._holding.unowned(key, now)
        if now - self._holding.read_at(found.tenant_id) > self._settings.directory_fresh_s and self._away is None:
            self._refresh(found.tenant_id)
        return found

    async def owner(self, workspace: str, channel_type: str = SLACK) -> Known | Unknown:
        """Whose workspace it is. What memory does not know waits for Postgres, for as long as that is away."""
        found = self.known(workspace, channel_type)
        if found is not None:
            self._emitter.count(metrics.LOOKUPS, result="cached" if isinstance(found, Known) else "unknown")
            return found
        key = (channel_type, workspace)
        asked: Known | Unknown = await self._once(key, lambda: self._find_owner(key))
        self._emitter.count(metrics.LOOKUPS, result="read" if isinstance(asked, Known) else "unknown")
        return asked

    async def tenant(self, tenant_id: str) -> Known | Unknown:
        """A tenant by its id, likewise."""
        held = self._holding.tenant(tenant_id)
        if held is not None:
            return held
        key = ("tenant", tenant_id)
        unknown = self._holding.unowned(key, self._clock.monotonic())
        if unknown is not None:
            return unknown
        found: Known | Unknown = await self._once(key, lambda: self._until_answered(lambda: self._fresh(tenant_id)))
        if isinstance(found, Unknown):
            self._holding.keep_unowned(key, found, self._clock.monotonic() + self._settings.directory_unknown_s)
        return found

    def trouble(self) -> str | None:
        """What is wrong, for those who watch; nothing while Postgres answers."""
        return f"the directory goes by what it knows: {self._away}" if self._away else None

    async def run(self) -> None:
        """Hears of changes, and saves what is known, until it is cancelled."""
        url = self._settings.database_url
        if url is None:
            raise ValueError("a directory has a database")
        async with asyncio.TaskGroup() as group:
            group.create_task(watch(url, Listener(self._changed, self._connected, self._lost)))
            group.create_task(self._save_again_and_again())

    def ended(self, running: asyncio.Task[None]) -> None:
        """Hearing of changes should end only when it is told to."""
        error = None if running.cancelled() else running.exception()
        if error is not None:
            self._away = f"it stopped hearing of changes: {type(error).__name__}"
            log.error("the directory stopped hearing of changes; restart this process", exc_info=error)

    def recall(self) -> None:
        """Takes in what was saved last. All of it is read again as soon as Postgres answers."""
        for record in self._snapshot.load():
            try:
                self._holding.keep(record, float("-inf"))
            except UnreadableRevision as fault:
                log.warning("%s", fault)

    async def finish(self) -> None:
        """Ends what is still being found out, and saves what is known."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._save()

    def _changed(self, tenant_id: str) -> None:
        self._changes += 1
        self._holding.doubt_unowned()
        if self._holding.tenant(tenant_id) is not None or ("read", tenant_id) in self._tasks:
            self._refresh(tenant_id)

    def _connected(self) -> None:
        log.info("the directory hears of changes; %d tenants are read again", len(self._holding))
        self._away = None
        self._emitter.set(metrics.AWAY, 0)
        self._changes += 1
        self._holding.doubt_unowned()
        for tenant_id in self._holding.ids():
            self._refresh(tenant_id)

    def _lost(self, why: str) -> None:
        if self._away is None:
            log.warning(
                "Postgres does not answer (%s): the directory goes by the %d tenants that it knows, and questions for "
                "others wait",
                why,
                len(self._holding),
            )
        self._away = f"Postgres does not answer ({why})"
        self._emitter.set(metrics.AWAY, 1)

    async def _find_owner(self, workspace: Workspace) -> Known | Unknown:
        while True:
            changes = self._changes
            owner = await self._until_answered(lambda: read_owner(self.database, workspace))
            if isinstance(owner, str):
                known = await self._until_answered(partial(self._fresh, owner))
                if isinstance(known, Known) and known is self._holding.owner_of(workspace):
                    return known
            elif changes == self._changes:
                until = self._clock.monotonic() + self._settings.directory_unknown_s
                self._holding.keep_unowned(workspace, owner, until)
                return owner
            # It changed hands between the questions: ask again.

    async def _until_answered(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Asks until Postgres answers. What it refuses is a fault, and not asked again."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                return await ask()
            except DatabaseAway:
                with self._counted_as_waiting():
                    await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)

    @contextmanager
    def _counted_as_waiting(self) -> Iterator[None]:
        self._waiting += 1
        self._emitter.set(metrics.WAITING, self._waiting)
        try:
            yield
        finally:
            self._waiting -= 1
            self._emitter.set(metrics.WAITING, self._waiting)

    def _refresh(self, tenant_id: str) -> None:
        """Reads a tenant again, in the background; once more if it is being read just now."""
        if ("read", tenant_id) in self._tasks:
            self._doubted.add(tenant_id)
        else:
            task = self._start(("read", tenant_id), lambda: self._read(tenant_id))
            task.add_done_callback(lambda done: self._refreshed(tenant_id, done))

    def _refreshed(self, tenant_id: str, done: asyncio.Task[Any]) -> None:
        """Nobody waits for what is read in the background, so its failure is seen to here."""
        error = None if done.cancelled() else done.exception()
        if isinstance(error, DatabaseAway):
            if self._away is None:  # a hiccup: nobody else will say that it is over
                asyncio.get_running_loop().call_later(FIRST_PAUSE_S, self._refresh, tenant_id)
        elif isinstance(error, Fault):
            log.warning("the tenant %s could not be read again, and what is known of it stays: %s", tenant_id, error)
        elif error is not None:
            log.error("the tenant %s could not be read again, and what is known of it stays", tenant_id, exc_info=error)

    async def _fresh(self, tenant_id: str) -> Known | Unknown:
        found: Known | Unknown = await self._once(("read", tenant_id), lambda: self._read(tenant_id))
        return found

    async def _read(self, tenant_id: str) -> Known | Unknown:
        """Reads a tenant into memory. One that changes while it is read is read once more."""
        while True:
            self._doubted.discard(tenant_id)
            began = self._clock.monotonic()
            async with self._slots:
                record = await read_tenant(self.database, tenant_id)
            self._emitter.observe(metrics.READ_SECONDS, self._clock.monotonic() - began)
            if tenant_id not in self._doubted:
                break
        if record is None:
            self._holding.forget(tenant_id)
            return Unknown(0)
        known = self._holding.keep(record, self._clock.monotonic())
        self._emitter.set(metrics.TENANTS, len(self._holding))
        self._unsaved = True
        return known or Unknown(record.revision)

    async def _once(self, key: Hashable, ask: Callable[[], Awaitable[Any]]) -> Any:
        """Asks, or waits with those who ask the same already. One of them giving up ends nothing for the others."""
        return await asyncio.shield(self._tasks.get(key) or self._start(key, ask))

    def _start(self, key: Hashable, ask: Callable[[], Awaitable[Any]]) -> asyncio.Task[Any]:
        async def asked() -> Any:
            return await ask()

        task = self._tasks[key] = asyncio.create_task(asked())
        task.add_done_callback(lambda _: self._tasks.pop(key, None))
        return task

    async def _save_again_and_again(self) -> None:
        took = 0.0
        while True:
            await asyncio.sleep(max(SAVE_EVERY_S, SAVE_SHARE * took))
            began = self._clock.monotonic()
            await self._save()
            took = self._clock.monotonic() - began

    async def _save(self) -> None:
        if not self._unsaved:
            return
        self._unsaved = False
        try:
            await asyncio.to_thread(self._snapshot.save, self._holding.records(), self._clock.now())
        except OSError as error:
            self._unsaved = True
            log.warning(
                "the directory's snapshot could not be saved (%s): should this process start again while Postgres is "
                "away, it would know less. Mend THREADLINE_STATE_FOLDER",
                error.strerror,
            )


@asynccontextmanager
async def directory(settings: DirectorySettings, surroundings: Surroundings) -> AsyncIterator[Directory]:
    """A directory that hears of changes. Where Postgres is away it begins with what was known last."""
    async with service_database(settings) as database:
        try:
            await refuse_unbound_role(database)
        except DatabaseAway as fault:
            log.warning("%s", fault)
        found = Directory(database, settings, surroundings)
        found.recall()
        running = asyncio.create_task(found.run())
        running.add_done_callback(found.ended)
        try:
            yield found
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await found.finish()
