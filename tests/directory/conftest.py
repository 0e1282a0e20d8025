"""A directory in a database of its own, and services that read it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from services.directory.lookup import Directory, Surroundings, directory
from services.directory.owner import OwnerDatabase, owner_database
from services.directory.service import ServiceDatabase, service_database
from services.directory.settings import DirectorySettings
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings
from services.kit.telemetry.emitter import NoEmitter

Opened = Callable[..., AbstractAsyncContextManager[Directory]]


@pytest.fixture
async def owner(database: DatabaseSettings) -> AsyncIterator[OwnerDatabase]:
    async with owner_database(database) as opened:
        yield opened


@pytest.fixture
async def service(database: DatabaseSettings) -> AsyncIterator[ServiceDatabase]:
    async with service_database(database) as opened:
        yield opened


@pytest.fixture
def open_directory(database: DatabaseSettings, tmp_path: Path) -> Opened:
    """Another process's directory, as it were: with a memory and, by name, a snapshot of its own."""

    def opened(name: str = "one", **changes: object) -> AbstractAsyncContextManager[Directory]:
        settings = DirectorySettings.model_validate({**database.model_dump(), **changes})
        return directory(settings, Surroundings(SystemClock(), NoEmitter(), tmp_path / f"{name}.json"))

    return opened


@pytest.fixture
async def live(open_directory: Opened) -> AsyncIterator[Directory]:
    async with open_directory() as opened:
        yield opened
