"""The spool: records that wait on this process's own disk until the broker takes them. One SQLite file, one owner.

SQLite, because a commit of it is whole or not there, whatever byte a crash or a power cut falls on. Every commit is
fsync'd (WAL, synchronous=FULL). The file is locked for as long as it is open, so that no other process has it.
"""

import json
import logging
import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from schemas.record import Encoded
from schemas.topics import BY_NAME
from services.ingress.adapters.outgoing import Outgoing
from services.kit.fault import Fault

log = logging.getLogger(__name__)

APPLICATION_ID = 0x544C5350  # "TLSP"
VERSION = 1
TAKES_S = 0.5
"""How long somebody who only looks whether a spool has an owner may hold it."""
KEPT_FOR_ONCE_ONLY = 0.1
"""The part of the room that is kept for what Slack never sends again."""

_TABLE = """
    create table if not exists records (
        seq integer primary key autoincrement,
        topic text not null, key text not null, id text not null,
        headers text not null, value blob not null,
        received_at text not null, once_only integer not null, size integer not null
    )
"""
_ADD = """
    insert into records (topic, key, id, headers, value, received_at, once_only, size) values (?, ?, ?, ?, ?, ?, ?, ?)
"""
_FIRST = "select seq, topic, key, id, headers, value, received_at, once_only from records order by seq limit ?"


class SpoolInUse(Fault):
    """Another process has it."""


class SpoolUnreadable(Fault):
    """The file is no spool of ours, or is damaged."""


class SpoolFailing(Fault):
    """The disk did not take or give what it should."""


@dataclass(frozen=True)
class Waiting:
    """A record in the spool."""

    seq: int
    record: Outgoing


@dataclass(frozen=True)
class Contents:
    """How much waits."""

    records: int = 0
    size: int = 0
    oldest: datetime | None = None


class Spool:
    """The file. It is used from one thread at a time."""

    def __init__(self, file: Path, room: int) -> None:
        self.file, self._room = file, room
        self._connection = _opened(file)
        count, size = self._connection.execute("select count(*), coalesce(sum(size), 0) from records").fetchone()
        self.records, self._size = int(count), int(size)

    def append(self, records: Sequence[Outgoing]) -> list[int | None]:
        """Keeps records, all of them in one durable step. Gives each one's place, or none where there is no room."""
        size, places, taken = self._size, list[int | None](), 0
        try:
            with self._connection:
                for record in records:
                    if size + record.size > self._limit(record):
                        places.append(None)
                        continue
                    places.append(self._connection.execute(_ADD, _row_of(record)).lastrowid)
                    size += record.size
                    taken += 1
        except sqlite3.Error as error:
            raise _failing(self.file, error) from None
        self._size, self.records = size, self.records + taken
        return places

    def first(self, count: int) -> list[Waiting]:
        """The oldest records, in order."""
        try:
            return [_waiting(row) for row in self._connection.execute(_FIRST, (count,))]
        except sqlite3.Error as error:
            raise _failing(self.file, error) from None

    def remove(self, waiting: Waiting) -> None:
        """Lets go of a record that the broker has."""
        try:
            with self._connection:
                self._connection.execute("delete from records where seq = ?", (waiting.seq,))
        except sqlite3.Error as error:
            raise _failing(self.file, error) from None
        self._size -= waiting.record.size
        self.records -= 1

    def contents(self) -> Contents:
        """How much waits now."""
        try:
            found = self._connection.execute("select received_at from records order by seq limit 1").fetchone()
        except sqlite3.Error as error:
            raise _failing(self.file, error) from None
        return Contents(self.records, self._size, datetime.fromisoformat(found[0]) if found else None)

    def close(self) -> None:
        """Gives the file back."""
        self._connection.close()

    def _limit(self, record: Outgoing) -> float:
        return self._room if record.once_only else self._room * (1 - KEPT_FOR_ONCE_ONLY)


def _opened(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600, exist_ok=True)
    connection = sqlite3.connect(file, timeout=TAKES_S, check_same_thread=False)
    try:
        _claim(connection, file)
    except BaseException:
        connection.close()
        raise
    _sync(file.parent)
    return connection


def _claim(connection: sqlite3.Connection, file: Path) -> None:
    try:
        connection.execute("pragma locking_mode = exclusive")
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        _refuse_strangers(connection, file)
        with connection:
            connection.execute("begin immediate")
            connection.execute(f"pragma application_id = {APPLICATION_ID}")
            connection.execute(f"pragma user_version = {VERSION}")
            connection.execute(_TABLE)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise SpoolInUse(f"the spool {file} belongs to another process that runs") from None
        raise _failing(file, error) from None
    except sqlite3.DatabaseError as error:
        raise SpoolUnreadable(
            f"{file} is no spool, or is damaged ({error}). It was left as it is: move it away to go on without it, and "
            "keep it, since acknowledged events may stand in it"
        ) from None


def _refuse_strangers(connection: sqlite3.Connection, file: Path) -> None:
    """An empty file is a new one. Any other must be one of ours, of a version that we know."""
    if connection.execute("select count(*) from sqlite_master").fetchone()[0] == 0:
        return
    found = connection.execute("pragma application_id").fetchone()[0]
    version = connection.execute("pragma user_version").fetchone()[0]
    if found != APPLICATION_ID or version != VERSION:
        raise SpoolUnreadable(
            f"{file} is no spool of this version of Threadline. It was left as it is: move it away to go on without it"
        )


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _row_of(record: Outgoing) -> tuple[object, ...]:
    headers = json.dumps([[name, value.decode("latin-1")] for name, value in record.encoded.headers])
    return (
        *(record.topic.name, record.key, record.id, headers, record.encoded.value),
        *(record.received_at.isoformat(), record.once_only, record.size),
    )


def _waiting(row: Iterable[object]) -> Waiting:
    seq, topic, key, name, headers, value, received_at, once_only = row
    pairs = tuple((name, value.encode("latin-1")) for name, value in json.loads(str(headers)))
    record = Outgoing(
        topic=BY_NAME[str(topic)],
        key=str(key),
        id=str(name),
        encoded=Encoded(value if isinstance(value, bytes) else b"", pairs),
        received_at=datetime.fromisoformat(str(received_at)),
        once_only=bool(once_only),
    )
    return Waiting(int(str(seq)), record)


def _failing(file: Path, error: sqlite3.Error) -> SpoolFailing:
    return SpoolFailing(
        f"the spool {file} fails ({error}): what came meanwhile was not acknowledged, and Slack keeps events; mend the "
        "disk or make room on it"
    )
