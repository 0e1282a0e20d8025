"""Postgres stopped and started, killed and frozen under load: known workspaces never fail, unknown ones wait."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from services.directory.holding import Known, Unknown
from services.directory.lookup import Directory, Surroundings, directory
from services.directory.owner import owner_database
from services.directory.settings import DirectorySettings
from services.kit.clock import SystemClock
from services.kit.telemetry.emitter import NoEmitter
from services.local import control, postgres, state
from services.local.home import Home, LocalSettings
from tests.directory.samples import applied, tenant
from tests.directory.test_lookup import heard, until

KNOWN = [f"T0KNOWN{number}" for number in range(20)]


class Postgres:
    """One of this test's own, that may be stopped."""

    def __init__(self, root: Path) -> None:
        self.settings = LocalSettings(home=root)
        self.home = Home.of(self.settings)

    def start(self) -> None:
        control.start(self.settings, [postgres.NAME])

    def stop(self) -> None:
        control.stop(self.settings)

    @property
    def directory(self) -> DirectorySettings:
        found = state.running(self.home)
        assert found is not None
        database = postgres.Database.at(self.home, found.address_of(postgres.NAME)).settings()
        return DirectorySettings.model_validate(database.model_dump())

    def processes(self) -> list[psutil.Process]:
        found = state.running(self.home)
        assert found is not None
        mark = found.programs[postgres.NAME].process
        process = mark.process() if mark else None
        assert process is not None
        return [process, *process.children(recursive=True)]


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    found = Postgres(tmp_path_factory.mktemp("postgres"))
    found.start()
    yield found
    found.stop()


class Load:
    """Questions without a pause for what is known; each must be answered rightly, and within a moment."""

    def __init__(self, live: Directory) -> None:
        self.live = live
        self.answers = 0
        self.wrong: list[object] = []

    async def ask(self) -> None:
        while True:
            for workspace in KNOWN:
                try:
                    async with asyncio.timeout(1):
                        found = await self.live.owner(workspace)
                except Exception as error:  # noqa: BLE001 - whatever it is, it is what must not happen
                    self.wrong.append(error)
                    continue
                if not isinstance(found, Known) or found.facts.connections[0].workspace != workspace:
                    self.wrong.append(found)
                self.answers += 1
            await asyncio.sleep(0.002)

    async def goes_on(self) -> None:
        """At least so much more is answered from now on."""
        answered = self.answers + 500
        await until(lambda: self.answers >= answered)


@asynccontextmanager
async def loaded(own: Postgres, tmp_path: Path, *unknown: str) -> AsyncIterator[Load]:
    """A directory that knows some workspaces, and is asked for them all the time. `unknown` have owners, too."""
    async with owner_database(own.directory) as owner:
        names = [tenant(each.lower(), each) for each in (*KNOWN, *unknown)]
        await applied(owner, *names)
    settings = own.directory
    async with directory(settings, Surroundings(SystemClock(), NoEmitter(), tmp_path / "snapshot.json")) as live:
        await heard(live)
        for each in KNOWN:
            await live.owner(each)
        load = Load(live)
        asking = [asyncio.create_task(load.ask()) for _ in range(4)]
        try:
            yield load
        finally:
            for task in asking:
                task.cancel()
            await asyncio.gather(*asking, return_exceptions=True)
    assert load.wrong == []


async def test_stopped_and_started_under_load(own_postgres: Postgres, tmp_path: Path) -> None:
    async with loaded(own_postgres, tmp_path, "T0LATER") as load:
        await load.goes_on()
        await asyncio.to_thread(own_postgres.stop)
        await until(lambda: load.live.trouble() is not None)
        later = asyncio.create_task(load.live.owner("T0LATER"))
        stranger = asyncio.create_task(load.live.owner("T0STRANGER"))
        await load.goes_on()
        assert not later.done()
        assert not stranger.done(), "an outage is never taken for an unknown workspace"
        await asyncio.to_thread(own_postgres.start)
        async with asyncio.timeout(10):
            found = await later
            assert isinstance(found, Known)
            assert found.tenant_id == "t0later"
            assert isinstance(await stranger, Unknown)
        await heard(load.live)
        await load.goes_on()


async def test_killed_again_and_again_under_load(own_postgres: Postgres, tmp_path: Path) -> None:
    unknown = [f"T0KILL{number}" for number in range(3)]
    async with loaded(own_postgres, tmp_path, *unknown) as load:
        for each in unknown:
            for process in own_postgres.processes():
                with suppress(psutil.NoSuchProcess):
                    os.kill(process.pid, signal.SIGKILL)
            async with asyncio.timeout(30):
                found = await load.live.owner(each)
            assert isinstance(found, Known)
            assert found.tenant_id == each.lower()
            await until(lambda: bool(_ready(own_postgres)), within=30)
            await heard(load.live)
        await load.goes_on()


async def test_frozen_so_that_connections_are_open_and_dead(own_postgres: Postgres, tmp_path: Path) -> None:
    async with loaded(own_postgres, tmp_path, "T0FROZEN") as load:
        frozen = own_postgres.processes()
        for process in frozen:
            process.suspend()
        try:
            waiting = asyncio.create_task(load.live.owner("T0FROZEN"))
            await until(lambda: load.live.trouble() is not None)
            await load.goes_on()
            assert not waiting.done()
        finally:
            for process in frozen:
                process.resume()
        async with asyncio.timeout(30):
            found = await waiting
        assert isinstance(found, Known)
        await heard(load.live)


async def test_a_change_made_in_an_outage_of_the_listener_is_seen_when_it_is_back(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    async with loaded(own_postgres, tmp_path) as load:
        await asyncio.to_thread(own_postgres.stop)
        await until(lambda: load.live.trouble() is not None)
        await asyncio.to_thread(own_postgres.start)
        async with owner_database(own_postgres.directory) as owner:
            await applied(owner, *(tenant(each.lower(), each) for each in KNOWN[1:]), prune=False)
            await applied(owner, tenant("t0known1", "T0KNOWN1").replace("name: t0known1", "name: Changed"), prune=False)

        def name() -> str | None:
            found = load.live.known("T0KNOWN1")
            return found.facts.name if isinstance(found, Known) else None

        await until(lambda: name() == "Changed", within=5)


def _ready(own: Postgres) -> bool:
    found = state.running(own.home)
    return found is not None and found.is_ready
