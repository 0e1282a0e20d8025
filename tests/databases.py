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


@dataclass(frozen=True)
class Databases:
    """Where databases are made, the one that they are copies of, and who signs in to them."""

    superuser_url: str
    owner: str
    service: str
    password: str
    template: str

    @asynccontextmanager
    async def new(self, template: str | None = None) -> AsyncIterator[DatabaseSettings]:
        """A database with the tables and nothing in them; `template0` is without."""
        name = f"test_{secrets.token_hex(6)}"
        connection = await asyncpg.connect(self.superuser_url)
        try:
            await connection.execute(f"create database {name} owner {self.owner} template {template or self.template}")
            try:
                yield self.settings(name)
            finally:
                await connection.execute(f"drop database {name} with (force)")
        finally:
            await connection.close()

    def settings(self, name: str) -> DatabaseSettings:
        return DatabaseSettings(
            database_url=SecretStr(self.url(self.service, name)),
            database_owner_url=SecretStr(self.url(self.owner, name)),
        )

    def url(self, role: str, name: str) -> str:
        place = urlsplit(self.superuser_url).netloc.rpartition("@")[2]
        return f"postgresql://{role}:{self.password}@{place}/{name}"


@asynccontextmanager
async def databases_at(superuser_url: str, process: str) -> AsyncIterator[Databases]:
    """For one process of the run: roles are the whole server's, and processes may share a server."""
    owner, service = f"threadline_test_owner_{process}", f"threadline_test_service_{process}"
    password = secrets.token_hex(12)
    made = Databases(superuser_url, owner, service, password, f"test_template_{secrets.token_hex(4)}")
    connection = await asyncpg.connect(superuser_url)
    try:
        for role in (made.owner, made.service):
            there = await connection.fetchval("select 1 from pg_roles where rolname = $1", role)
            await connection.execute(f"{'alter' if there else 'create'} role {role} login password '{password}'")
        await connection.execute(f"create database {made.template} owner {made.owner}")
        settings = made.settings(made.template)
        async with owner_database(settings) as database:
            await migrate(database, settings.database_url)
        yield made
        await connection.execute(f"drop database {made.template} with (force)")
    finally:
        await connection.close()
