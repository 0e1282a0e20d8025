"""Keeps a world in a SQLite file: what changed is written every so often, all at once, and the rest when it closes."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from services.kit.fault import Fault
from services.slack_sim.world.entities import KIND_OF, KINDS, Counters, Entity
from services.slack_sim.world.world import World

log = logging.getLogger(__name__)

WRITTEN_EVERY_S = 0.2
FORMAT = 1
_MAKE = "CREATE TABLE IF NOT EXISTS entities (kind TEXT, key TEXT, body TEXT, PRIMARY KEY (kind, key))"
_KEEP = "INSERT INTO entities VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
_ADAPTERS = {name: TypeAdapter[Entity](kind) for name, kind in KINDS.items()}


class UnreadableState(Fault):
    """The file is no state of the simulator's."""


class Storage:
    """A file, and what is yet to be written to it."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.touch(mode=0o600)  # tokens stand in it
        self._file = file
        self._waiting: dict[tuple[str, str], Entity | None] = {}
        try:
            with closing(self._open()) as database, database:
                if database.execute("PRAGMA user_version").fetchone()[0] not in {0, FORMAT}:
                    raise UnreadableState(f"{file} was written by another release; give another file, or remove it")
                database.execute(f"PRAGMA user_version = {FORMAT}")
                database.execute(_MAKE)
        except sqlite3.DatabaseError as error:
            raise UnreadableState(
                f"{file} cannot be used as state: {error}; give another file, or remove it"
            ) from error

    def read(self) -> Iterator[Entity]:
        """Everything that was kept."""
        with closing(self._open()) as database:
            for kind, adapter in _ADAPTERS.items():
                rows = database.execute("SELECT body FROM entities WHERE kind = ? ORDER BY rowid", (kind,))
                for (body,) in rows:
                    try:
                        yield adapter.validate_json(body)
                    except ValidationError as error:
                        raise UnreadableState(
                            f"{self._file} holds a {kind} that this release cannot read; give another one, or remove it"
                        ) from error

    def watch(self, entity: Entity, *, there: bool) -> None:
        """Takes note of a change."""
        self._waiting[KIND_OF[type(entity)], entity.key] = entity if there else None

    def forget_all(self) -> None:
        """Empties the file."""
        self._waiting.clear()
        with closing(self._open()) as database, database:
            database.execute("DELETE FROM entities")

    def write(self, counters: Counters) -> None:
        """Writes what changed."""
        if not self._waiting:
            return
        waiting = self._waiting | {("counters", counters.key): counters}
        gone = [place for place, entity in waiting.items() if entity is None]
        kept = [
            (kind, key, _ADAPTERS[kind].dump_json(entity).decode())
            for (kind, key), entity in waiting.items()
            if entity is not None
        ]
        with closing(self._open()) as database, database:
            database.executemany("DELETE FROM entities WHERE kind = ? AND key = ?", gone)
            database.executemany(_KEEP, kept)
        self._waiting.clear()

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._file)


@asynccontextmanager
async def kept_up(storage: Storage, world: World) -> AsyncIterator[None]:
    """Writes what changed every so often, and at the end."""

    async def write_on() -> None:
        while True:
            await asyncio.sleep(WRITTEN_EVERY_S)
            try:
                storage.write(world.counters)
            except sqlite3.Error as error:
                log.warning("the state could not be written, and is tried again: %s", error)

    world.watchers.append(storage.watch)
    writing = asyncio.create_task(write_on())
    try:
        yield
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        storage.write(world.counters)
