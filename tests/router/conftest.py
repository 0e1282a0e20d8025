"""A directory with two tenants, and routers in processes of their own."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from bench.beds.inbox import Inbox
from bench.beds.router import describe, own_router, router_environment
from bench.beds.service import OwnService
from services.directory.document import Agent, Connection, Document, Installation, Tenant
from services.kit.groups import DatabaseSettings, KafkaSettings
from tests.commands import Command, said

Runs = Callable[..., AbstractAsyncContextManager[OwnService]]


def tenant(name: str, workspace: str) -> Tenant:
    """One with an agent."""
    return Tenant(
        id=name,
        name=name.title(),
        connections=(Connection(workspace=workspace),),
        installations=(Installation(app="A1", workspace=workspace, bot_user="UBOT"),),
        agents=(Agent(id="mara", name="Mara", default=True),),
    )


@pytest.fixture
async def described(database: DatabaseSettings) -> DatabaseSettings:
    """A directory with two tenants."""
    await describe(database, Document(version=1, tenants=(tenant("acme", "T1"), tenant("globex", "T2"))))
    return database


@pytest.fixture
def routers(topics: KafkaSettings, described: DatabaseSettings, tmp_path: Path) -> Runs:
    """Runs one; each keyword is a variable of its environment."""

    def runs(name: str = "one", *, ready: bool = True, **more: str) -> AbstractAsyncContextManager[OwnService]:
        return own_router(tmp_path / name, router_environment(topics, described, **more), ready=ready)

    return runs


@pytest.fixture
async def inbox(topics: KafkaSettings) -> Inbox:
    """Puts envelopes on slack.inbound."""
    return Inbox(topics)


@pytest.fixture
def threadline(topics: KafkaSettings, described: DatabaseSettings, tmp_path: Path) -> Command:
    """Runs a command; gives all that it says."""
    owner = described.database_owner_url
    given = router_environment(topics, described) | {
        "THREADLINE_HOME": str(tmp_path / "home"),
        "THREADLINE_DATABASE_OWNER_URL": owner.get_secret_value() if owner is not None else "",
    }

    async def run(*arguments: str, code: int = 0) -> str:
        return await said(given, tmp_path, *arguments, code=code)

    return run
