"""Whose workspace it is, and what that tenant is: from memory where it is known, from Postgres where it is not."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from services.directory import metrics
from services.directory.due import Due
from services.directory.faults import DatabaseAway
from services.directory.holding import Holding, Known, Unknown, Workspace
from services.directory.reading import read_owner, read_tenant
from services.directory.reads import Reads
from services.directory.revisions import UnreadableRevision
from services.directory.saving import Saver
from services.directory.service import ServiceDatabase, service_database
from services.directory.settings import DirectorySettings
from services.directory.shared import Shared
from services.directory.snapshot import Snapshot
from services.directory.watch import Listener, watch
from services.kit.clock import Clock
from services.kit.fault import Fault
from services.kit.telemetry.emitter import Emitter

log = logging.getLogger(__name__)

SLACK = "slack"
TENANT, ANEW = "tenant", "anew"
"""Beside the types of channels: who asks for a tenant by its own id, and for what it is now."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
READERS = 3
"""How many tenants that changed are read at once: questions that wait need connections, too."""
REFRESHES_AT_ONCE = 8
ANEW_EVERY_S = 1.0
"""So often a tenant is read because somebody names what memory does not know of it, whatever strangers make up."""

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
        self._questions = Shared()
        self._reads: Reads[Known | Unknown] = Reads(self._read, self._failed)
        self._due = Due()
        self._changes = 0
        self._rest_until = float("-inf")
        self._rest_until_of: dict[str, float] = {}
        self._saver = Saver(self._snapshot, self._holding.records, self._clock)
        self._waiting = 0
        self._away: str | None = "it has not answered yet"
        for gauge, value in ((metrics.AWAY, 1), (metrics.WAITING, 0), (metrics.TENANTS, 0)):
            self._emitter.set(gauge, value)

    def known(self, workspace: str, channel_type: str = SLACK) -> Known | Unknown | None:
        """What memory knows of a workspace; none where only Postgres could tell."""
        key = (channel_type, workspace)
        found = self._holding.owner_of(key)
        if found is not None:
            self._emitter.count(metrics.LOOKUPS, result="cached")
            self._refresh_if_old(found.tenant_id)
            return found
        unknown = self._holding.unowned(key, self._clock.monotonic())
        if unknown is not None:
            self._emitter.count(metrics.LOOKUPS, result="unknown")
        return unknown

    async def owner(self, workspace: str, channel_type: str = SLACK) -> Known | Unknown:
        """Whose workspace it is. What memory does not know waits for Postgres, for as long as that is away."""
        found = self.known(workspace, channel_type)
        if found is not None:
            return found
        key = (channel_type, workspace)
        asked = await self._questions.ask(key, lambda: self._find_owner(key))
        self._emitter.count(metrics.LOOKUPS, result="read" if isinstance(asked, Known) else "unknown")
        return asked

    def known_tenant(self, tenant_id: str) -> Known | None:
        """A tenant by its id, from memory alone."""
        held = self._holding.tenant(tenant_id)
        if held is not None:
            self._refresh_if_old(tenant_id)
        return held

    async def tenant(self, tenant_id: str) -> Known | Unknown:
        """A tenant by its id, likewise."""
        held = self.known_tenant(tenant_id)
        if held is not None:
            return held
        key = (TENANT, tenant_id)
        unknown = self._holding.unowned(key, self._clock.monotonic())
        if unknown is not None:
            return unknown
        return await self._questions.ask(key, lambda: self._find_tenant(key))

    async def tenant_anew(self, tenant_id: str) -> Known | Unknown:
        """A tenant as it is now: for what memory does not know of it, and what may have been made a moment ago."""
        asked = self._clock.monotonic()
        while True:
            await self._questions.ask((ANEW, tenant_id), lambda: self._rested(tenant_id))
            found = await self._until_answered(partial(self._begun, tenant_id))
            if isinstance(found, Unknown) or self._holding.read_at(tenant_id) >= asked:
                return found

    def trouble(self) -> str | None:
        """What is wrong, for those who watch; nothing while Postgres answers."""
        return f"the directory goes by what it knows: {self._away}" if self._away else None

    async def run(self) -> None:
        """Hears of changes, and saves what is known, until it is cancelled."""
        url = self._settings.database_url
        if url is None:
            raise ValueError("a directory has a database")
        self._emitter.set(metrics.WAITING, self._waiting)
        self._emitter.set(metrics.TENANTS, len(self._holding))
        async with asyncio.TaskGroup() as group:
            group.create_task(watch(url, Listener(self._changed, self._connected, self._lost)))
            group.create_task(self._saver.run())
            for _ in range(READERS):
                group.create_task(self._read_what_is_due())

    def ended(self, running: asyncio.Task[None]) -> None:
        """Hearing of changes should end only when it is told to."""
        error = None if running.cancelled() else running.exception()
        if error is not None:
            self._lost(type(error).__name__)
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
        await self._questions.close()
        await self._reads.close()
        await self._saver.save()

    def _changed(self, tenant_id: str) -> None:
        self._changes += 1
        self._holding.doubt_unowned()
        if tenant_id in self._reads:
            self._reads.changed(tenant_id)
        elif self._holding.tenant(tenant_id) is not None:
            self._due.changed(tenant_id)

    def _connected(self) -> None:
        """What changed until now may not have been heard: everything is read again, a few at a time."""
        log.info("the directory hears of changes; %d tenants are read again", len(self._holding))
        self._away = None
        self._emitter.set(metrics.AWAY, 0)
        self._changes += 1
        self._holding.doubt_unowned()
        self._due.doubtful(self._holding.ids())

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

    async def _read_what_is_due(self) -> None:
        while True:
            tenant_id = await self._due.next()
            try:
                await self._begun(tenant_id)
            except DatabaseAway:  # `_failed` has put it back
                await asyncio.sleep(LONGEST_PAUSE_S)
            except Exception:  # noqa: BLE001, S112 - `_failed` has told it
                continue

    def _refresh_if_old(self, tenant_id: str) -> None:
        """Reads again, in the background, what was read long ago: it may be that a change was not heard of."""
        now = self._clock.monotonic()
        if now - self._holding.read_at(tenant_id) <= self._settings.directory_fresh_s:
            return
        rested = now >= max(self._rest_until, self._rest_until_of.get(tenant_id, now))
        if rested and tenant_id not in self._reads and len(self._reads) < REFRESHES_AT_ONCE:
            _ = self._reads.begin(tenant_id)

    def _failed(self, tenant_id: str, error: BaseException) -> None:
        """What is known stays, and is read again after a rest."""
        until = self._clock.monotonic() + LONGEST_PAUSE_S
        self._holding.doubt(tenant_id)
        if isinstance(error, DatabaseAway):  # the watcher tells it, once
            self._rest_until = until
            if self._holding.tenant(tenant_id) is not None:
                self._due.doubtful([tenant_id])
            return
        self._rest_until_of[tenant_id] = until
        if isinstance(error, Fault):
            log.warning("the tenant %s could not be read, and what is known of it stays: %s", tenant_id, error)
        else:
            log.error("the tenant %s could not be read, and what is known of it stays", tenant_id, exc_info=error)

    async def _find_owner(self, workspace: Workspace) -> Known | Unknown:
        pause = 0.0
        while True:
            changes = self._changes
            owner = await self._until_answered(lambda: read_owner(self.database, workspace))
            if isinstance(owner, str):
                known = await self._until_answered(partial(self._begun, owner))
                if isinstance(known, Known) and self._holding.owner_of(workspace) is known:
                    return known
            elif self._keep_unowned(workspace, owner, changes):
                return owner
            # It changed hands between the questions: ask again.
            await asyncio.sleep(pause)
            pause = min(max(pause * 2, FIRST_PAUSE_S), LONGEST_PAUSE_S)

    async def _find_tenant(self, key: Workspace) -> Known | Unknown:
        while True:
            changes = self._changes
            found = await self._until_answered(partial(self._begun, key[1]))
            if isinstance(found, Known) or self._keep_unowned(key, found, changes):
                return found

    def _keep_unowned(self, key: Workspace, unknown: Unknown, changes: int) -> bool:
        """Keeps for a while that nobody owns it, unless something changed since that was asked."""
        if changes != self._changes:
            return False
        self._holding.keep_unowned(key, unknown, self._clock.monotonic() + self._settings.directory_unknown_s)
        return True

    async def _rested(self, tenant_id: str) -> None:
        """Waits until a tenant may be read anew, together with all others who ask for that."""
        await asyncio.sleep(self._holding.read_at(tenant_id) + ANEW_EVERY_S - self._clock.monotonic())

    async def _begun(self, tenant_id: str) -> Known | Unknown:
        return await asyncio.shield(self._reads.begin(tenant_id))

    async def _until_answered(self, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """Asks until Postgres answers. What it refuses is a fault, and not asked again."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                return await ask()
            except DatabaseAway:
                if (task := asyncio.current_task()) is not None and task.cancelling():
                    raise asyncio.CancelledError from None  # the driver made of it that Postgres did not answer
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

    async def _read(self, tenant_id: str) -> Known | Unknown:
        """Reads a tenant into memory, once."""
        began = self._clock.monotonic()
        record = await read_tenant(self.database, tenant_id)
        self._emitter.observe(metrics.READ_SECONDS, self._clock.monotonic() - began)
        self._saver.changed()
        self._rest_until_of.pop(tenant_id, None)
        if record is None:
            self._holding.forget(tenant_id)
            return Unknown(0)
        known = self._holding.keep(record, began)
        self._emitter.set(metrics.TENANTS, len(self._holding))
        return known or Unknown(record.revision)


@asynccontextmanager
async def directory(settings: DirectorySettings, surroundings: Surroundings) -> AsyncIterator[Directory]:
    """A directory that hears of changes. Where Postgres is away it begins with what was known last."""
    async with service_database(settings) as database:
        try:
            async with database.for_nobody():
                pass  # a role that row-level security does not bind is refused here, and not at the first question
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
