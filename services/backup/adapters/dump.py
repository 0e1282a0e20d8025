"""The directory in Postgres: kept as one snapshot of its schema, and restored whole or not at all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import asyncpg
from pydantic import SecretStr

from services.backup.adapters import programs
from services.backup.adapters.folder import summed
from services.backup.decisions.manifest import KeptDatabase
from services.directory.connecting import connect
from services.directory.migrations import is_known, migrate
from services.directory.model import SCHEMA
from services.directory.owner import owner_database
from services.kit.fault import Fault
from services.kit.groups import DatabaseSettings

FILE: Final = "directory.dump"
_SEALED: Final = (
    "select coalesce(sum(num_nonnulls(sealed_bot_token, sealed_refresh_token)), 0) from threadline.installations"
)
_FULL: Final = (
    "select table_name::text from information_schema.tables where table_schema = $1 and table_name <> 'alembic_version'"
)


_NOTHING_KEPT: Final = (
    "Nothing was kept. The owner of the directory's tables, by THREADLINE_DATABASE_OWNER_URL, may read all of them; "
    "--only topics leaves the directory out"
)
_NOTHING_CHANGED: Final = "Nothing was changed; --only topics leaves the directory out"
_AGAIN: Final = "restore again, with --anew where topics are restored, too"
_NOT_EMPTIED: Final = (
    "The database is as it was. THREADLINE_DATABASE_OWNER_URL must be of the role that owns the schema threadline, and "
    f"nobody may be at it; {_AGAIN}"
)
_EMPTIED: Final = (
    "Nothing of the directory was restored, and the schema threadline, in which no row stood, was dropped before, with "
    f"its tables and grants. Mend that, and {_AGAIN}"
)


class NotThere(Fault):
    """There is no directory to keep, or no address to reach it by."""


class Broken(Fault):
    """Postgres was reached, and did not do what was asked of it."""


def owners(settings: DatabaseSettings) -> SecretStr:
    """The owner's address."""
    if settings.database_owner_url is None:
        raise NotThere(
            "THREADLINE_DATABASE_OWNER_URL is not set: the role that owns the directory's tables, which are part of a "
            "backup. Set it, or leave the directory out with --only topics; nothing was changed"
        )
    return settings.database_owner_url


async def keep(settings: DatabaseSettings, folder: Path, folders: Sequence[Path]) -> KeptDatabase:
    """Keeps it, at one moment."""
    with _told(_NOTHING_KEPT):
        return await _kept(owners(settings), folder, folders)


async def _kept(url: SecretStr, folder: Path, folders: Sequence[Path]) -> KeptDatabase:
    connection = await _connected(url)
    try:
        if await connection.fetchval("select to_regclass($1)", f"{SCHEMA}.alembic_version") is None:
            raise NotThere("the database has no directory: `threadline directory migrate` makes it. Nothing was kept")
        server = await _server(connection)
        program, version = await programs.fitting("pg_dump", server, folders)
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            snapshot = await connection.fetchval("select pg_export_snapshot()")
            revision = await connection.fetchval(f"select coalesce(max(revision), 0) from {SCHEMA}.revisions")  # noqa: S608 - our own name
            migration = await connection.fetchval(f"select version_num from {SCHEMA}.alembic_version")  # noqa: S608 - likewise
            sealed = await connection.fetchval(_SEALED)
            (folder / FILE).touch(0o600)
            file = str(folder / FILE)
            options = ("--format=custom", f"--schema={SCHEMA}", f"--snapshot={snapshot}", f"--file={file}")
            await programs.run(program, *options, url=url, otherwise=_NOTHING_KEPT)
    finally:
        await connection.close()
    return KeptDatabase(
        file=summed(folder, FILE),
        revision=revision,
        migration=migration,
        postgres=server,
        written_by=version,
        sealed_tokens=sealed,
    )


class Target:
    """A database that has no directory yet, or one with nothing in it."""

    def __init__(self, settings: DatabaseSettings, kept: KeptDatabase, folders: Sequence[Path]) -> None:
        self._settings, self._kept, self._folders = settings, kept, folders

    async def look(self) -> None:
        """Refuses where it cannot be restored. Nothing is changed."""
        if not is_known(self._kept.migration):
            raise Fault(
                f"the backup's tables are at {self._kept.migration}, which this version of Threadline does not know: a "
                "newer one made it. Install that one; nothing was changed"
            )
        with _told(_NOTHING_CHANGED):
            server, full = await self._found(owners(self._settings))
        if full:
            raise Fault(
                f"the database holds a directory already (rows in {', '.join(sorted(full)[:3])}); nothing was changed. "
                "Name an empty database. If it is the right directory, as where a restore died that had come this far, "
                "leave it out with --only topics"
            )
        if server < self._kept.postgres:
            raise Fault(
                f"the backup is of PostgreSQL {self._kept.postgres}, and the server is {server}; nothing was changed. "
                "Restore it on a server that is no older"
            )
        self._program, _ = await programs.fitting("pg_restore", max(server, self._kept.written_by), self._folders)

    async def _found(self, url: SecretStr) -> tuple[int, list[str]]:
        """The server's version, and the directory's tables in which rows stand."""
        connection = await _connected(url)
        try:
            tables = [row[0] for row in await connection.fetch(_FULL, SCHEMA)]
            return await _server(connection), [
                each
                for each in tables
                if await connection.fetchval(f'select exists (select from {SCHEMA}."{each}")')  # noqa: S608 - names of the catalogue
            ]
        finally:
            await connection.close()

    async def restore(self, folder: Path) -> None:
        """All of it. Its tables are brought to what this version needs, and the services' role is let at them."""
        url = owners(self._settings)
        with _told(_NOT_EMPTIED):
            connection = await _connected(url)
            try:
                await connection.execute(f"drop schema if exists {SCHEMA} cascade")
            finally:
                await connection.close()
        options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-acl")
        file = str(folder / self._kept.file.name)
        await programs.run(self._program, *options, file, url=url, otherwise=_EMPTIED)
        try:
            async with owner_database(self._settings) as owner:
                await migrate(owner, self._settings.database_url)
        except Fault as fault:
            raise Broken(
                f"the directory is restored, and its tables are not yet as this version needs them: {fault}\n"
                "`threadline directory migrate` does that; where topics are restored, too, then restore with --anew "
                "--only topics"
            ) from fault


@contextmanager
def _told(otherwise: str) -> Iterator[None]:
    """What Postgres refuses, or breaks off, is told with how things stand then."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError, TimeoutError) as error:
        said = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise Broken(f"Postgres did not do what it was asked ({said}). {otherwise}") from error


async def _connected(url: SecretStr) -> "asyncpg.Connection[asyncpg.Record]":
    try:
        return await connect(url)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise NotThere(
            f"Postgres does not answer at THREADLINE_DATABASE_OWNER_URL ({type(error).__name__}); nothing was changed"
        ) from None


async def _server(connection: "asyncpg.Connection[asyncpg.Record]") -> int:
    return int(await connection.fetchval("show server_version_num")) // 10_000
