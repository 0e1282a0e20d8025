"""Postgres as services see it: one tenant at a time. Without SQLAlchemy, which would cost each 25 MB and a second."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias

import asyncpg

from services.directory.connecting import ANSWER_WITHIN_S, connect, log_warning
from services.directory.faults import WrongRole, told
from services.directory.tenancy import bound_tenant, needed_tenant
from services.kit.fault import Fault
from services.kit.groups import DatabaseSettings

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"

_BIND = "select set_config('threadline.tenant', $1, true)"

_WHO = """
    select current_user as role, r.rolsuper or r.rolbypassrls as bypasses, exists (
        select from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'threadline' and pg_has_role(c.relowner, 'member')) as owns
    from pg_roles r where r.rolname = current_user
"""


class ServiceDatabase:
    """A pool of connections, each bound for as long as a transaction lasts to the tenant of the task that began it."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        self._pool = pool

    @asynccontextmanager
    async def for_tenant(self) -> AsyncIterator[Connection]:
        """A transaction that sees the rows of the tenant who is bound. Nobody bound is a fault."""
        needed_tenant()
        async with self.for_nobody() as connection:
            yield connection

    @asynccontextmanager
    async def for_nobody(self) -> AsyncIterator[Connection]:
        """A transaction without asking who is bound: for whose workspace it is, the one question before that."""
        with told():
            async with self._pool.acquire(timeout=ANSWER_WITHIN_S) as connection, connection.transaction():
                if (tenant_id := bound_tenant()) is not None:
                    await connection.execute(_BIND, tenant_id)
                connection.add_log_listener(log_warning)
                try:
                    yield connection
                finally:
                    connection.remove_log_listener(log_warning)


async def bind(connection: "Connection | asyncpg.Connection[asyncpg.Record]", tenant_id: str) -> None:
    """From here on the transaction sees this tenant's rows: for work that is done for several, one after the other."""
    await connection.execute(_BIND, tenant_id)


@asynccontextmanager
async def service_database(
    settings: DatabaseSettings, connections: int | None = None
) -> AsyncIterator[ServiceDatabase]:
    """As services sign in. It connects when it is first asked something."""
    url = settings.database_url
    if url is None:
        raise Fault(
            "DATABASE_URL is not set; `threadline local start --only postgres` starts a Postgres on this machine"
        )
    pool = asyncpg.create_pool(
        min_size=0,
        max_size=connections or settings.database_connections,
        connect=lambda *_, **__: connect(url),
        init=_refuse_unbound_role,
    )
    async with pool:
        try:
            yield ServiceDatabase(pool)
        finally:
            pool.terminate()


async def _refuse_unbound_role(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Row-level security must bind the role that we are; one that it does not bind would see every tenant.

    Asked of each new connection, since Postgres may be away when a service starts.
    """
    who = await connection.fetchrow(_WHO)
    if who is None or not (who["bypasses"] or who["owns"]):
        return
    raise WrongRole(
        f"DATABASE_URL signs in as {who['role']}, whom row-level security does not bind: it "
        f"{'owns the tables' if who['owns'] else 'may bypass it'}. Give services a role of their own, and the owner's "
        "address as THREADLINE_DATABASE_OWNER_URL; `threadline directory migrate` sets the role up"
    )
