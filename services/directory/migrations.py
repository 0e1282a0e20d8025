"""Bringing the tables to what this version needs, and saying whether they are."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from pydantic import SecretStr
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.directory.faults import root_of
from services.directory.model import SCHEMA
from services.directory.owner import OwnerDatabase
from services.kit.fault import Fault

_HERE = Path(__file__).parent
_PLACES = (_HERE / "migrations_of_release", _HERE.parents[1] / "infra/migrations")
"""In a wheel the scripts stand beside this module; in a checkout under infra."""

_LOCK = "select pg_advisory_xact_lock(hashtext('threadline migrations'))"
"""Two that migrate at once would make everything twice."""

WRITTEN_BY_SERVICES = {
    "installations": "insert, update (bot_user, scopes, closed_at, sealed_bot_token, sealed_refresh_token, expires_at)",
    "agent_tasks": "insert, update, delete",
    "agent_checkpoints": "insert, delete",
    "human_interventions": "insert, update, delete",
    "task_artifacts": "insert, delete",
    "agent_heartbeats": "insert, update, delete",
    "agent_tellings": "insert, update, delete",
    "agent_projections": "insert, update",
}
"""What services may change. Everything else they only read; the directory's commands change it."""
CALLED_BY_SERVICES = (
    "bound_tenant()",
    "tenant_of(text, text)",
    "tenant_of_at(text, text, bigint)",
    "tenants_with_tasks(integer, timestamptz)",
    "tenants_with_old_tasks(integer, timestamptz)",
    "held_tasks(text[], text[])",
    "told_tasks(text[], text[])",
    "alive_tasks(text[], text[])",
    "write_agent_tasks(threadline.agent_tasks[])",
    "write_agent_checkpoints(threadline.agent_checkpoints[])",
    "write_human_interventions(threadline.human_interventions[])",
    "write_task_artifacts(threadline.task_artifacts[])",
    "write_agent_tellings(threadline.agent_tellings[])",
)


class CannotMigrate(Fault):
    """The tables could not be brought to what this version needs. They are as they were."""


def newest() -> str:
    """The version that this code needs."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise CannotMigrate("there are no migrations in this installation: it is not whole")
    return head


def is_known(version: str) -> bool:
    """Whether this code knows a version."""
    return version in {each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()}


async def current(owner: OwnerDatabase) -> str | None:
    """The version that the tables have; none where there are none."""
    async with owner.begin() as connection:
        there = await connection.scalar(text("select to_regclass(:name)"), {"name": f"{SCHEMA}.alembic_version"})
        if there is None:
            return None
        version: str | None = await connection.scalar(text(f"select version_num from {SCHEMA}.alembic_version"))  # noqa: S608 - our own name
        return version


async def migrate(owner: OwnerDatabase, service_url: SecretStr | None, to: str = "head") -> None:
    """Brings the tables to a version, all of it or nothing, and lets the services' role at them."""
    await _run(owner, lambda config: command.upgrade(config, to))
    if service_url is not None:
        await admit(owner, service_url)


async def migrate_back(owner: OwnerDatabase, to: str) -> None:
    """Undoes migrations down to a version; `base` is before the first."""
    await _run(owner, lambda config: command.downgrade(config, to))


async def admit(owner: OwnerDatabase, service_url: SecretStr) -> None:
    """Lets the services' role at the tables. Where it is not there yet it is made, if the owner may make roles."""
    try:
        role, password = _signs_in(service_url)
    except ValueError:
        raise CannotMigrate("DATABASE_URL is no address: postgresql://user:password@host/database") from None
    async with owner.begin() as connection:
        await connection.execute(text(_LOCK))
        if await connection.scalar(text("select current_user")) == role:
            raise CannotMigrate(
                "DATABASE_URL signs in as the owner of the tables, whom row-level security does not bind. Name another "
                "role there, such as threadline_service: this command makes it"
            )
        quote = connection.dialect.identifier_preparer.quote_identifier
        name = quote(role)
        if not await connection.scalar(
            text("select exists (select from pg_roles where rolname = :role)"), {"role": role}
        ):
            if not await connection.scalar(
                text("select rolsuper or rolcreaterole from pg_roles where rolname = current_user")
            ):
                raise CannotMigrate(
                    f"the role {role} of DATABASE_URL is not there, and the owner may not make it. Let somebody who "
                    f"may do it: create role {name} login password '…'; then run this again. The tables are migrated"
                )
            await _make_role(connection, name, password)
        for statement in _grants(name):
            await connection.execute(text(statement))


async def _make_role(connection: AsyncConnection, name: str, password: str) -> None:
    """The statement holds the password, so an error must not show it."""
    try:
        await connection.exec_driver_sql(f"create role {name} login nobypassrls password {_literal(password)}")
    except DBAPIError as error:
        raise CannotMigrate(
            f"the role {name} could not be made ({type(root_of(error)).__name__}). The tables are migrated; let "
            "somebody make it, and run this again"
        ) from None


def _grants(role: str) -> list[str]:
    return [
        f"grant usage on schema {SCHEMA} to {role}",
        f"revoke all on all tables in schema {SCHEMA} from {role}",
        f"grant select on all tables in schema {SCHEMA} to {role}",
        *(f"grant {what} on {SCHEMA}.{table} to {role}" for table, what in WRITTEN_BY_SERVICES.items()),
        f"revoke all on all functions in schema {SCHEMA} from public",
        *(f"grant execute on function {SCHEMA}.{each} to {role}" for each in CALLED_BY_SERVICES),
    ]


async def _run(owner: OwnerDatabase, do: Callable[[Config], None]) -> None:
    def on(connection: Connection) -> None:
        connection.exec_driver_sql(_LOCK)
        if connection.exec_driver_sql(f"select to_regnamespace('{SCHEMA}')").scalar() is None:
            connection.exec_driver_sql(f"create schema {SCHEMA}")
        config = _config()
        config.attributes["connection"] = connection
        do(config)

    async with owner.begin() as connection:
        try:
            await connection.run_sync(on)
        except CommandError as error:
            raise CannotMigrate(
                f"{error}: this version has no such migration. The database may have been migrated by a newer one; the "
                "tables are as they were"
            ) from None
        except Exception as error:
            if isinstance(cause := root_of(error), asyncpg.InsufficientPrivilegeError):
                raise CannotMigrate(
                    f"the role of THREADLINE_DATABASE_OWNER_URL may not do that: {cause}. Nothing was changed"
                ) from None
            raise


def _config() -> Config:
    config = Config()
    place = next(place for place in _PLACES if place.is_dir())
    config.set_main_option("script_location", str(place).replace("%", "%%"))
    return config


def _signs_in(url: SecretStr) -> tuple[str, str]:
    """The role and password in an address."""
    parts = urlsplit(url.get_secret_value())
    if not parts.username:
        raise ValueError("no role")
    return unquote(parts.username), unquote(parts.password or "")


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
