"""A relay before a Postgres, and how to sign in by it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from bench.beds.relay import Relay, relay
from services.kit.groups import DatabaseSettings


def by_port(database: DatabaseSettings, port: int) -> DatabaseSettings:
    """The same database, reached by another port of this machine."""
    place = _place(database)
    through = place._replace(netloc=place.netloc.rpartition("@")[0] + f"@127.0.0.1:{port}")
    return DatabaseSettings(database_url=SecretStr(through.geturl()))


@asynccontextmanager
async def database_link(database: DatabaseSettings) -> AsyncIterator[tuple[Relay, DatabaseSettings]]:
    """A relay, and the settings that lead through it."""
    place = _place(database)
    async with relay(place.hostname or "", place.port or 0) as between:
        yield between, by_port(database, between.port)


def _place(database: DatabaseSettings) -> SplitResult:
    url = database.database_url
    return urlsplit(url.get_secret_value() if url is not None else "")
