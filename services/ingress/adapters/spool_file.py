"""The file of a spool: opened by one owner, a spool of ours or left alone, and kept under another name once damaged."""

import sqlite3
from itertools import count
from pathlib import Path

from services.kit.fault import Fault
from services.kit.files import make_lasting

APPLICATION_ID = 0x544C5350  # "TLSP"
VERSION = 1
TAKES_S = 0.5
"""How long somebody who only looks whether a spool has an owner may hold it."""
KEEP_IT = "move it away to go on without it, and keep it, since acknowledged events may stand in it"
DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
IN_USE = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
PRIMARY_CODE = 0xFF

_TABLES = (
    """
    create table if not exists records (
        seq integer primary key autoincrement,
        topic text not null, key text not null, id text not null,
        headers text not null, value blob not null,
        received_at text not null, once_only integer not null, size integer not null
    )
    """,
    "create table if not exists totals (one integer primary key check (one = 1), records integer, size integer)",
    "insert or ignore into totals values (1, 0, 0)",
)


class SpoolInUse(Fault):
    """Another process has it."""


class SpoolUnreadable(Fault):
    """The file is no spool of ours, or is damaged."""


class SpoolFailing(Fault):
    """The disk did not take or give what it should."""


def opened(file: Path) -> sqlite3.Connection:
    """A connection that nobody else has for as long as it is open. Every commit of it is fsync'd."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600, exist_ok=True)
        connection = sqlite3.connect(file, timeout=TAKES_S, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        raise SpoolFailing(f"the spool {file} cannot be opened ({error}); mend its rights, or the disk") from None
    try:
        _claim(connection, file)
    except BaseException:
        connection.close()
        raise
    make_lasting(file.parent)
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
            for statement in _TABLES:
                connection.execute(statement)
    except sqlite3.Error as error:
        if is_one_of(error, IN_USE):
            raise SpoolInUse(f"the spool {file} belongs to another process that runs") from None
        if is_one_of(error, DAMAGED):
            raise SpoolUnreadable(
                f"{file} is no spool, or is damaged ({error}). It was left as it is: {KEEP_IT}"
            ) from None
        raise SpoolFailing(f"the spool {file} cannot be opened ({error}); mend the disk, or make room on it") from None


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


def set_aside(file: Path) -> Path:
    """Keeps a damaged file under another name, which it gives."""
    names = (file.with_name(f"{file.name}.damaged-{number}") for number in count(1))
    kept = next(each for each in names if not each.exists())
    for each in files_of(file):
        if each.exists():
            each.rename(each.with_name(each.name.replace(file.name, kept.name, 1)))
    return kept


def files_of(file: Path) -> list[Path]:
    """It, and what SQLite keeps beside it."""
    return [file, *(file.with_name(f"{file.name}-{part}") for part in ("wal", "shm", "journal"))]


def is_one_of(error: sqlite3.Error, codes: frozenset[int]) -> bool:
    """Whether SQLite's code for an error is among these."""
    return getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE in codes
