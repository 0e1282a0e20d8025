"""Keeps a world in a SQLite file: what changed is written every so often, all at once, and the rest when it closes."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from services.kit.fault import Fault
from services.slack_sim.world.entities import KIND_OF, KINDS, Counters, Entity
from services.slack_sim.world.world import World

log = logging.getLogger(__name__)

WRITTEN_EVERY_S = 0.2
AHEAD = 10_000
"""More names of a kind than could be drawn between two writings."""
FORMAT = 1
_MAKE = "CREATE TABLE IF NOT EXISTS entities (kind TEXT, key TEXT, body TEXT, PRIMARY KEY (kind, key))"
_KEEP = "INSERT INTO entities VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
_ADAPTERS = {name: TypeAdapter[Entity](kind) for name, kind in KINDS.items()}


class UnreadableState(Fault):
    """The file is no state of the simulator's."""


class Storage:
    """A file that is ours alone, and what is yet to be written to it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._waiting: dict[tuple[str, str], Entity | None] = {}
        self._emptied = False
        self._written: Counters | None = None
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch(mode=0o600)  # tokens stand in it
            self._database = sqlite3.connect(file, timeout=0)
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._prepare()
        except sqlite3.OperationalError as error:
            raise UnreadableState(f"{file} cannot be used: {error}; another simulator may be using it") from error
        except (sqlite3.DatabaseError, OSError) as error:
            raise UnreadableState(
                f"{file} cannot be used as state: {error}; give another file, or remove it"
            ) from error

    def _prepare(self) -> None:
        with self._database as database:
            database.execute("BEGIN EXCLUSIVE")
            if database.execute("PRAGMA user_version").fetchone()[0] not in {0, FORMAT}:
                raise UnreadableState(f"{self._file} was written by another release; give another file, or remove it")
            database.execute(f"PRAGMA user_version = {FORMAT}")
            database.execute(_MAKE)

    def read(self) -> Iterator[Entity]:
        """Everything that was kept."""
        for kind, adapter in _ADAPTERS.items():
            for (body,) in self._database.execute("SELECT body FROM entities WHERE kind = ? ORDER BY rowid", (kind,)):
                try:
                    yield adapter.validate_json(body)
                except ValidationError as error:
                    raise UnreadableState(
                        f"{self._file} holds a {kind} that this release cannot read; give another one, or remove it"
                    ) from error

    def watch(self, entity: Entity, *, there: bool) -> None:
        """Takes note of a change."""
        self._waiting[KIND_OF[type(entity)], entity.key] = entity if there else None

    def empty(self) -> None:
        """Everything that was kept is to go, with the next writing."""
        self._waiting.clear()
        self._emptied = True

    def write(self, counters: Counters) -> None:
        """Writes what changed, all of it or nothing."""
        if not self._waiting and not self._emptied and counters == self._written:
            return
        changed: dict[tuple[str, str], Entity | None] = {**self._waiting, ("counters", counters.key): counters}
        gone = [place for place, entity in changed.items() if entity is None]
        kept = [
            (kind, key, _ADAPTERS[kind].dump_json(entity).decode())
            for (kind, key), entity in changed.items()
            if entity is not None
        ]
        with self._database as database:
            if self._emptied:
                database.execute("DELETE FROM entities")
            database.executemany("DELETE FROM entities WHERE kind = ? AND key = ?", gone)
            database.executemany(_KEEP, kept)
        self._waiting.clear()
        self._emptied, self._written = False, replace(counters, drawn=dict(counters.drawn))

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()


def ahead_of(counters: Counters) -> Counters:
    """The counters, far enough ahead that nothing of what comes until the next writing repeats after a kill."""
    drawn = {kind: count + AHEAD for kind, count in counters.drawn.items()}
    floor, last_us = counters.floor + AHEAD, counters.last_us + AHEAD * 1000
    return replace(counters, drawn=drawn, floor=floor, last_us=last_us)


@asynccontextmanager
async def kept_up(storage: Storage, world: World) -> AsyncIterator[None]:
    """Writes what changed every so often, and at the end."""

    async def write_on() -> None:
        while True:
            await asyncio.sleep(WRITTEN_EVERY_S)
            try:
                storage.write(ahead_of(world.counters))
            except Exception as error:  # noqa: BLE001 - whatever it is, the next writing may do better
                log.warning("the state could not be written, and is tried again: %s", error)

    world.watchers.append(storage.watch)
    storage.write(ahead_of(world.counters))
    writing = asyncio.create_task(write_on())
    try:
        yield
    finally:
        writing.cancel()
        with suppress(asyncio.CancelledError):
            await writing
        storage.write(world.counters)
        storage.close()
