"""The spool: records that wait on this process's own disk until the broker takes them. One SQLite file, one owner.

SQLite, because a commit of it is whole or not there, whatever byte a crash or a power cut falls on. Every commit is
fsync'd (WAL, synchronous=FULL). The file is locked for as long as it is open, so that no other process has it.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from schemas.record import Encoded
from schemas.topics import BY_NAME
from services.ingress.adapters.outgoing import Outgoing
from services.ingress.adapters.spool_file import (
    DAMAGED,
    KEEP_IT,
    SpoolFailing,
    SpoolUnreadable,
    files_of,
    is_one_of,
    opened,
    set_aside,
)

KEPT_FOR_ONCE_ONLY = 0.1
"""The part of the room that is kept for what Slack never sends again."""
_ADD = """
    insert into records (topic, key, id, headers, value, received_at, once_only, size) values (?, ?, ?, ?, ?, ?, ?, ?)
"""
_FIRST = """
    select seq, topic, key, id, headers, value, received_at, once_only from records where seq > ? order by seq limit ?
"""
_OLDEST = "select received_at from records where seq > ? order by seq limit 1"
_TOTAL = "update totals set records = ?, size = ?"
_FORGET = "delete from records where seq <= ?"
_COUNTED = "select count(*), coalesce(sum(size), 0) from records"


@dataclass(frozen=True)
class Waiting:
    """A record in the spool."""

    seq: int
    record: Outgoing
    file: int = 0
    """Which file it stands in: a damaged one is set aside, and in the next the numbers begin anew."""

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands, and nothing else ever does."""
        return self.file, self.seq


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
        self.records: int = 0
        self._size: int = 0
        self._files = 0
        self.set_aside = 0
        """How many damaged files were set aside."""
        self._connection: sqlite3.Connection | None = None
        self._open()

    def append(self, records: Sequence[Outgoing]) -> list[bool]:
        """Keeps records, all of them in one durable step. Says of each whether there was room for it."""
        with self._guarded() as connection, connection:
            size, kept = self._size, list[bool]()
            connection.execute(_FORGET, (self._gone,))  # what could not be taken out before
            for record in records:
                fits = size + record.size <= self._limit(record)
                kept.append(fits)
                if fits:
                    connection.execute(_ADD, _row_of(record))
                    size += record.size
            taken = kept.count(True)
            connection.execute(_TOTAL, (self.records + taken, size))
        self._size, self.records = size, self.records + taken
        return kept

    def first(self, many: int) -> list[Waiting]:
        """The oldest records, in order."""
        with self._guarded() as connection:
            rows = connection.execute(_FIRST, (self._gone, many)).fetchall()
        try:
            return [_waiting(row, self._files) for row in rows]
        except (LookupError, ValueError) as error:
            raise self._damaged(type(error).__name__) from None

    def forget(self, rows: Sequence[Waiting]) -> None:
        """Lets go of the oldest records, which the broker has. They never come again, even where the disk fails."""
        rows = [each for each in rows if each.file == self._files]
        if not rows:
            return
        self._gone = rows[-1].seq
        self.records -= len(rows)
        self._size -= sum(each.record.size for each in rows)
        try:
            with self._guarded() as connection, connection:
                connection.execute(_FORGET, (self._gone,))
                connection.execute(_TOTAL, (self.records, self._size))
        except SpoolFailing:
            if self.records:
                raise
            self._begin_anew()  # a disk that is full has no room even for taking something out

    def contents(self) -> Contents:
        """How much waits now."""
        with self._guarded() as connection:
            found = connection.execute(_OLDEST, (self._gone,)).fetchone()
        return Contents(self.records, self._size, datetime.fromisoformat(found[0]) if found else None)

    def close(self) -> None:
        """Gives the file back."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        connection = opened(self.file)
        try:
            self.records, self._size = _totals_of(connection)
        except (sqlite3.Error, TypeError) as error:
            connection.close()
            raise SpoolUnreadable(f"{self.file} is damaged ({error}). It was left as it is: {KEEP_IT}") from None
        self._gone, self._files, self._connection = 0, self._files + 1, connection
        return connection

    def _begin_anew(self) -> None:
        """Nothing waits in it: an empty file takes its place."""
        self.close()
        try:
            for each in files_of(self.file):
                each.unlink(missing_ok=True)
        except OSError as error:
            raise self._failing(error) from None
        self._open()

    @contextmanager
    def _guarded(self) -> Iterator[sqlite3.Connection]:
        """The file, opened again where that failed before; and what SQLite says, in words of ours."""
        try:
            yield self._connection or self._open()
        except (sqlite3.Error, OSError) as error:
            if isinstance(error, sqlite3.Error) and is_one_of(error, DAMAGED):
                raise self._damaged(str(error)) from None
            raise self._failing(error) from None

    def _failing(self, error: Exception) -> SpoolFailing:
        return SpoolFailing(
            f"the spool {self.file} fails ({error}): what cannot be kept is not acknowledged, and Slack keeps events; "
            "mend the disk, or make room on it"
        )

    def _damaged(self, why: str) -> SpoolUnreadable | SpoolFailing:
        """It goes on with an empty file."""
        waited = self.records
        self.close()
        try:
            kept = set_aside(self.file)
            self.set_aside += 1
            self._open()
        except OSError as error:
            return self._failing(error)
        return SpoolUnreadable(
            f"the spool {self.file} is damaged ({why}). It is kept as {kept}, with {waited} acknowledged envelopes "
            "that were not published yet, and a new one is used; `sqlite3 FILE .recover` may read it"
        )

    def _limit(self, record: Outgoing) -> float:
        return self._room if record.once_only else self._room * (1 - KEPT_FOR_ONCE_ONLY)


def _totals_of(connection: sqlite3.Connection) -> tuple[int, int]:
    """How many and how much, as it was kept; counted only where that cannot be right."""
    records, size = connection.execute("select records, size from totals").fetchone()
    some = connection.execute("select exists (select 1 from records)").fetchone()[0]
    if records < 0 or size < 0 or bool(some) != bool(records):
        records, size = connection.execute(_COUNTED).fetchone()
    return int(records), int(size)


def _row_of(record: Outgoing) -> tuple[object, ...]:
    headers = json.dumps([[name, value.decode("latin-1")] for name, value in record.encoded.headers])
    return (
        *(record.topic.name, record.key, record.id, headers, record.encoded.value),
        *(record.received_at.isoformat(), record.once_only, record.size),
    )


def _waiting(row: Iterable[object], file: int) -> Waiting:
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
    return Waiting(int(str(seq)), record, file)
