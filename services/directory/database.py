"""Postgres as the directory uses it: services see one tenant at a time, the owner sees all."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from pydantic import SecretStr
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from services.directory.model import SCHEMA
from services.directory.tenancy import bound_tenant, needed_tenant
from services.kit.fault import Fault
from services.kit.groups import DatabaseSettings

log = logging.getLogger(__name__)

CONNECT_WITHIN_S = 5.0
ANSWER_WITHIN_S = 10.0


class DatabaseAway(Fault):
    """Postgres does not answer. What it would have said is not known."""


class NotMigrated(Fault):
    """The tables are not there, or are not as this version needs them."""


class WrongRole(Fault):
    """A service signed in as somebody whom row-level security does not bind."""


class Database:
    """A pool of connections."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    @asynccontextmanager
    async def for_tenant(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees the rows of the tenant who is bound. Nobody bound is a fault."""
        needed_tenant()
        async with self.for_nobody() as connection:
            yield connection

    @asynccontextmanager
    async def for_nobody(self) -> AsyncIterator[AsyncConnection]:
        """A transaction without asking who is bound: for whose workspace it is, the one question before that."""
        with told():
            async with self.engine.begin() as connection:
                yield connection

    async def close(self) -> None:
        """Lets every connection go."""
        await self.engine.dispose()


@asynccontextmanager
async def service_database(settings: DatabaseSettings) -> AsyncIterator[Database]:
    """As services sign in: every transaction is bound to the tenant of the task that begins it."""
    if settings.database_url is None:
        raise Fault(
            "DATABASE_URL is not set; `threadline local start --only postgres` starts a Postgres on this machine"
        )
    engine = _engine(settings.database_url, settings.database_connections)
    event.listen(engine.sync_engine, "begin", _bind)
    database = Database(engine)
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def owner_database(settings: DatabaseSettings) -> AsyncIterator[Database]:
    """As operators sign in: the owner of the tables, whom row-level security does not bind."""
    if settings.database_owner_url is None:
        raise Fault(
            "THREADLINE_DATABASE_OWNER_URL is not set: the role that owns the tables, which migrations and the "
            "directory's commands need. `threadline local start --only postgres` starts a Postgres on this machine"
        )
    database = Database(_engine(settings.database_owner_url, 2))
    try:
        yield database
    finally:
        await database.close()


async def refuse_unbound_role(database: Database) -> None:
    """Row-level security must bind the role that we are. One that it does not bind would see every tenant."""
    question = text(
        "select current_user, rolsuper or rolbypassrls, exists (select from pg_class c join pg_namespace n "
        "on n.oid = c.relnamespace where n.nspname = :schema and pg_has_role(c.relowner, 'member')) "
        "from pg_roles where rolname = current_user"
    )
    async with database.for_nobody() as connection:
        role, bypasses, owns = (await connection.execute(question, {"schema": SCHEMA})).one()
    if bypasses or owns:
        raise WrongRole(
            f"DATABASE_URL signs in as {role}, whom row-level security does not bind: it "
            f"{'owns the tables' if owns else 'may bypass it'}. Give services a role of their own, and the owner's "
            "address as THREADLINE_DATABASE_OWNER_URL; `threadline directory migrate` sets the role up"
        )


def is_away(error: BaseException) -> bool:
    """Whether an error says that Postgres is not there, and not that it refused."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or is_away(error.__cause__ or error.orig or ValueError())
    away = (
        OSError,  # TimeoutError among them
        asyncpg.PostgresConnectionError,
        asyncpg.OperatorInterventionError,  # it stops, or only starts
        asyncpg.TooManyConnectionsError,
        asyncpg.InterfaceError,
        PoolTimeout,
        asyncio.IncompleteReadError,
    )
    return isinstance(error, away) or (error.__cause__ is not None and is_away(error.__cause__))


class told:  # noqa: N801 - it reads as a word where it is used
    """Says what went wrong with the database in words of ours, without its address or anybody's data."""

    def __enter__(self) -> None:
        """Nothing to do."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        """Turns what the driver raised into a fault."""
        if error is None or isinstance(error, Fault) or not isinstance(error, _DRIVERS):
            return
        if is_away(error):
            raise DatabaseAway(
                f"Postgres does not answer ({_kind(error)}); nothing was changed. It is tried again by itself where a "
                "service asks; `threadline doctor` says more"
            ) from None
        cause = _original(error)
        if isinstance(cause, asyncpg.InvalidAuthorizationSpecificationError | asyncpg.InvalidCatalogNameError):
            raise WrongRole(
                f"Postgres does not let us in ({type(cause).__name__}): mend the role, the password or the database's "
                "name in DATABASE_URL or THREADLINE_DATABASE_OWNER_URL"
            ) from None
        if isinstance(
            cause,
            asyncpg.UndefinedTableError
            | asyncpg.UndefinedFunctionError
            | asyncpg.InvalidSchemaNameError
            | asyncpg.UndefinedColumnError,
        ):
            raise NotMigrated(
                "the directory's tables are not as this version needs them: `threadline directory migrate`"
            ) from None


_DRIVERS = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


def _original(error: BaseException) -> BaseException:
    while isinstance(error, SQLAlchemyError) and (inner := error.__cause__ or getattr(error, "orig", None)) is not None:
        error = inner
    return error.__cause__ if isinstance(error.__cause__, asyncpg.PostgresError) else error


def _kind(error: BaseException) -> str:
    return type(_original(error)).__name__


def _engine(url: SecretStr, connections: int) -> AsyncEngine:
    """Asyncpg reads the address itself, so that everything that may stand in one holds (sslmode, several hosts)."""

    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        try:
            return await asyncpg.connect(
                url.get_secret_value(),
                timeout=CONNECT_WITHIN_S,
                command_timeout=ANSWER_WITHIN_S,
                server_settings={"application_name": "threadline"},
            )
        except (ValueError, asyncpg.ClientConfigurationError):
            raise Fault(
                "DATABASE_URL or THREADLINE_DATABASE_OWNER_URL is no address: postgresql://user:password@host/database"
            ) from None

    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        pool_size=connections,
        max_overflow=0,
        pool_timeout=CONNECT_WITHIN_S,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "connect", _hear_warnings)
    return engine


def _hear_warnings(dbapi_connection: Any, _: object) -> None:
    dbapi_connection.driver_connection.add_log_listener(_log_warning)


def _log_warning(_: object, message: Any) -> None:
    """The database says what was forgotten, for one: no tenant is bound."""
    if message.severity_en in {"WARNING", "ERROR"}:
        log.warning("Postgres: %s", message.message)


def _bind(connection: Connection) -> None:
    tenant_id = bound_tenant()
    if tenant_id is not None:
        connection.exec_driver_sql("select set_config('threadline.tenant', $1, true)", (tenant_id,))
