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
        self.records: int = 0
        self._size: int = 0
        self._open()

    def append(self, records: Sequence[Outgoing]) -> list[bool]:
        """Keeps records, all of them in one durable step. Says of each whether there was room for it."""
        size, kept = self._size, list[bool]()
        with self._guarded(), self._connection:
            for record in records:
                fits = size + record.size <= self._limit(record)
                kept.append(fits)
                if fits:
                    self._connection.execute(_ADD, _row_of(record))
                    size += record.size
            taken = kept.count(True)
            self._connection.execute(_TOTAL, (self.records + taken, size))
        self._size, self.records = size, self.records + taken
        return kept

    def first(self, count: int) -> list[Waiting]:
        """The oldest records, in order."""
        with self._guarded():
            rows = self._connection.execute(_FIRST, (self._gone, count)).fetchall()
        try:
            return [_waiting(row) for row in rows]
        except (LookupError, ValueError) as error:
            raise self._damaged(type(error).__name__) from None

    def forget(self, rows: Sequence[Waiting]) -> None:
        """Lets go of the oldest records, which the broker has. They never come again, even where the disk fails."""
        self._gone = rows[-1].seq
        self.records -= len(rows)
        self._size -= sum(each.record.size for each in rows)
        try:
            with self._guarded(), self._connection:
                self._connection.execute("delete from records where seq <= ?", (self._gone,))
                self._connection.execute(_TOTAL, (self.records, self._size))
        except SpoolFailing:
            if self.records:
                raise
            self._begin_anew()  # a disk that is full has no room even for taking something out

    def contents(self) -> Contents:
        """How much waits now."""
        with self._guarded():
            found = self._connection.execute(_OLDEST, (self._gone,)).fetchone()
        return Contents(self.records, self._size, datetime.fromisoformat(found[0]) if found else None)

    def close(self) -> None:
        """Gives the file back."""
        self._connection.close()

    def _open(self) -> None:
        self._connection = opened(self.file)
        self._gone = 0
        try:
            self.records, self._size = self._connection.execute("select records, size from totals").fetchone()
        except (sqlite3.Error, TypeError) as error:
            self._connection.close()
            raise SpoolUnreadable(f"{self.file} is damaged ({error}). It was left as it is: {KEEP_IT}") from None

    def _begin_anew(self) -> None:
        """Nothing waits in it: an empty file takes its place."""
        self._connection.close()
        for each in files_of(self.file):
            each.unlink(missing_ok=True)
        self._open()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """What SQLite says, in words of ours."""
        try:
            yield
        except sqlite3.Error as error:
            if is_one_of(error, DAMAGED):
                raise self._damaged(str(error)) from None
            raise SpoolFailing(
                f"the spool {self.file} fails ({error}): what cannot be kept is not acknowledged, and Slack keeps "
                "events; mend the disk, or make room on it"
            ) from None

    def _damaged(self, why: str) -> SpoolUnreadable:
        """It goes on with an empty file."""
        waited = self.records
        self._connection.close()
        kept = set_aside(self.file)
        self._open()
        return SpoolUnreadable(
            f"the spool {self.file} is damaged ({why}). It is kept as {kept}, with {waited} acknowledged envelopes "
            "that were not published yet, and a new one is used; `sqlite3 FILE .recover` may read it"
        )

    def _limit(self, record: Outgoing) -> float:
        return self._room if record.once_only else self._room * (1 - KEPT_FOR_ONCE_ONLY)


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
