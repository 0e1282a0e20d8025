"""What can go wrong with the database, in words of ours: without its address, and without anybody's data."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from services.kit.fault import Fault


class DatabaseAway(Fault):
    """Postgres does not answer. What it would have said is not known."""


class NotMigrated(Fault):
    """The tables are not there, or are not as this version needs them."""


class WrongRole(Fault):
    """Postgres does not let us in, or as somebody whom row-level security does not bind."""


AWAY = (
    OSError,  # TimeoutError among them
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it stops, or only starts
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was cut while something was prepared or copied
)
NOT_LET_IN = (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError)
NOT_THERE = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.UndefinedColumnError,
)


@contextmanager
def told() -> Iterator[None]:
    """Within it, what the driver raises becomes a fault where we have words for it."""
    try:
        yield
    except Fault:
        raise
    except Exception as error:
        fault = fault_of(error)
        if fault is None:
            raise
        raise fault from None


def fault_of(error: BaseException) -> Fault | None:
    """The fault that an error of the driver stands for, however it is wrapped."""
    cause = root_of(error)
    if isinstance(cause, NOT_LET_IN):
        return WrongRole(
            f"Postgres does not let us in ({type(cause).__name__}): mend the role, the password or the database's name "
            "in DATABASE_URL or THREADLINE_DATABASE_OWNER_URL"
        )
    if isinstance(cause, NOT_THERE):
        return NotMigrated("the directory's tables are not as this version needs them: `threadline directory migrate`")
    if isinstance(cause, AWAY) and not isinstance(cause, ValueError):  # an argument that asyncpg cannot send
        return DatabaseAway(
            f"Postgres does not answer ({type(cause).__name__}), and nothing was changed. A service tries again by "
            "itself; `threadline doctor` says more"
        )
    return None


def root_of(error: BaseException) -> BaseException:
    """What the driver raised, below what SQLAlchemy makes of it. Below a timeout there is only a cancellation."""
    while isinstance(inner := getattr(error, "orig", None) or error.__cause__, Exception):
        error = inner
    return error
