"""Postgres as operators see it: the owner of the tables, whom row-level security does not bind."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.directory.connecting import CONNECT_WITHIN_S, connect
from services.directory.faults import DatabaseAway, told
from services.kit.fault import Fault
from services.kit.groups import DatabaseSettings

CONNECTIONS = 2
ANSWER_WITHIN_S = 300.0
"""An operator's change may be large, and may wait for another's."""


class OwnerDatabase:
    """What migrations and the directory's commands work with."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """A transaction: all of it or nothing."""
        with told():
            try:
                async with self._engine.begin() as connection:
                    yield connection
            except PoolTimeout:
                raise DatabaseAway("every connection to Postgres is taken; nothing was changed. Try again") from None


@asynccontextmanager
async def owner_database(settings: DatabaseSettings) -> AsyncIterator[OwnerDatabase]:
    """As operators sign in."""
    if settings.database_owner_url is None:
        raise Fault(
            "THREADLINE_DATABASE_OWNER_URL is not set: the role that owns the tables, which migrations and the "
            "directory's commands need. `threadline local start --only postgres` starts a Postgres on this machine"
        )
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=partial(connect, settings.database_owner_url, answer_within_s=ANSWER_WITHIN_S),
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_timeout=CONNECT_WITHIN_S,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    try:
        yield OwnerDatabase(engine)
    finally:
        await engine.dispose()
