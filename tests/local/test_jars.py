"""Downloads from a real HTTP server that is laid out as a Maven repository."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from services.local.home import LocalFault
from services.local.jars import Jar, Store, fetch, wanted

BODIES = {"one": b"first jar" * 1000, "two": b"second jar" * 1000}
JARS = [Jar("org.example", name, "1.0", hashlib.sha256(body).hexdigest(), len(body)) for name, body in BODIES.items()]


class Repository:
    """Serves the jars, and counts what was asked for."""

    def __init__(self) -> None:
        self.bodies = dict(BODIES)
        self.asked: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        name = request.path.rsplit("/", 1)[1]
        if not name.endswith(".jar"):
            raise web.HTTPNotFound
        self.asked.append(name)
        body = self.bodies.get(name.removesuffix("-1.0.jar"))
        if body is None:
            raise web.HTTPNotFound
        return web.Response(body=body)


@pytest.fixture
async def repository() -> AsyncIterator[Repository]:
    repository = Repository()
    application = web.Application()
    application.router.add_get("/{path:.*}", repository.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    repository.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield repository
    await runner.cleanup()


def left(folder: Path) -> list[Path]:
    """The jars there, and whatever else was not cleared away."""
    return [path for path in folder.iterdir() if path.name != ".lock"]


async def fetched(jars: list[Jar], store: Store) -> list[Path]:
    """In a thread, since the server runs in this loop."""
    return await asyncio.to_thread(fetch, jars, store)


async def test_jars_are_downloaded_once_and_then_need_no_network(repository: Repository, tmp_path: Path) -> None:
    paths = await fetched(JARS, Store(tmp_path, repository.url))
    assert [path.read_bytes() for path in paths] == list(BODIES.values())
    await fetched(JARS, Store(tmp_path, "http://127.0.0.1:9"))
    assert sorted(repository.asked) == ["one-1.0.jar", "two-1.0.jar"]
    assert sorted(paths) == sorted(left(tmp_path))


async def test_who_comes_at_the_same_time_waits_and_downloads_nothing_twice(
    repository: Repository, tmp_path: Path
) -> None:
    store = Store(tmp_path, repository.url)
    for paths in await asyncio.gather(*(fetched(JARS, store) for _ in range(3))):
        assert [path.read_bytes() for path in paths] == list(BODIES.values())
    assert sorted(repository.asked) == ["one-1.0.jar", "two-1.0.jar"]


async def test_a_jar_that_is_not_what_it_should_be_is_thrown_away_and_named(
    repository: Repository, tmp_path: Path
) -> None:
    repository.bodies["two"] = b"something else" * 1000
    with pytest.raises(LocalFault, match=r"two-1\.0\.jar is not what it should be.*thrown away"):
        await fetched(JARS, Store(tmp_path, repository.url))
    assert not (tmp_path / "two-1.0.jar").exists()


async def test_a_damaged_jar_in_the_cache_is_downloaded_again(repository: Repository, tmp_path: Path) -> None:
    store = Store(tmp_path, repository.url)
    await fetched(JARS, store)
    (tmp_path / "one-1.0.jar").write_bytes(bytes(len(BODIES["one"])))
    (tmp_path / "two-1.0.jar").write_bytes(b"cut sh")
    paths = await fetched(JARS, store)
    assert [path.read_bytes() for path in paths] == list(BODIES.values())


async def test_without_a_network_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LocalFault, match=r"could not download (one|two)-1\.0\.jar.*is the network there"):
        await fetched(JARS, Store(tmp_path, "http://127.0.0.1:9"))


def test_the_list_of_jars_is_whole() -> None:
    jars = wanted()
    assert len(jars) == 46
    assert {len(jar.sha256) for jar in jars} == {64}
    assert "kafka_2.13-4.3.0.jar" in {jar.filename for jar in jars}
