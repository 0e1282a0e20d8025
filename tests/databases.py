"""Databases of a test's own: made from one that has the directory's tables, and dropped afterwards."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import asyncpg
from pydantic import SecretStr

from services.directory.migrations import migrate
from services.directory.owner import owner_database
from services.kit.groups import DatabaseSettings

OWNER, SERVICE = "threadline_test_owner", "threadline_test_service"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a database, closed at the end."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@dataclass(frozen=True)
class Databases:
    """Where databases are made, and the one that they are copies of."""

    superuser_url: str
    password: str
    template: str

    @asynccontextmanager
    async def new(self, template: str | None = None) -> AsyncIterator[DatabaseSettings]:
        """A database with the tables and nothing in them; `template0` is without."""
        name = f"test_{secrets.token_hex(6)}"
        async with connected(self.superuser_url) as connection:
            await connection.execute(f"create database {name} owner {OWNER} template {template or self.template}")
            try:
                yield self.settings(name)
            finally:
                await connection.execute(f"drop database {name} with (force)")

    def settings(self, name: str) -> DatabaseSettings:
        return DatabaseSettings(
            database_url=SecretStr(self.url(SERVICE, name)), database_owner_url=SecretStr(self.url(OWNER, name))
        )

    def url(self, role: str, name: str) -> str:
        place = urlsplit(self.superuser_url).netloc.rpartition("@")[2]
        return f"postgresql://{role}:{self.password}@{place}/{name}"


@asynccontextmanager
async def databases_at(superuser_url: str, password: str) -> AsyncIterator[Databases]:
    """With a password that each process of the run knows: roles are the whole server's, which they may share."""
    made = Databases(superuser_url, password, f"test_template_{secrets.token_hex(4)}")
    async with connected(superuser_url) as connection:
        async with connection.transaction():
            await connection.execute("select pg_advisory_xact_lock(hashtext('threadline test roles'))")
            for role in (OWNER, SERVICE):
                there = await connection.fetchval("select 1 from pg_roles where rolname = $1", role)
                await connection.execute(f"{'alter' if there else 'create'} role {role} login password '{password}'")
        await connection.execute(f"create database {made.template} owner {OWNER}")
        settings = made.settings(made.template)
        async with owner_database(settings) as owner:
            await migrate(owner, settings.database_url)
        yield made
        await connection.execute(f"drop database {made.template} with (force)")
