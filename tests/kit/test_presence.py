"""A service that starts before there is a broker."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bench.beds.child import Child, child
from services.local import ports


async def until_said(running: Child, what: str) -> str:
    """Waits for a line."""
    async with asyncio.timeout(60):
        while True:
            for line in running.said().splitlines():
                if what in line:
                    return line
            assert running.is_running, running.said()
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("service", ["router", "responder"])
async def test_it_waits_and_says_for_whom_and_leaves_when_it_is_told_to(service: str, tmp_path: Path) -> None:
    port = ports.free()
    nobody = {"THREADLINE_KAFKA_BROKERS": f"127.0.0.1:{port}", "DATABASE_URL": "postgresql://a:b@127.0.0.1:9/c"}
    command = (sys.executable, "-m", f"services.{service}")
    async with child(command, nobody, tmp_path / "log", tmp_path) as running:
        address = (await until_said(running, "/health and /metrics")).partition(" serves ")[2].partition("/health")[0]
        await until_said(running, f"no broker listens at 127.0.0.1:{port}: {service} waits for one")
        async with ClientSession() as session, session.get(f"{address}/health") as answer:
            health = await answer.json()
        assert (answer.status, health["live"]) == (503, True)
        assert health["reasons"]["broker"] == f"no broker listens at 127.0.0.1:{port}"
        assert await running.stop() == 0
        assert "Traceback" not in running.said()
        assert running.said().count("no broker listens") == 1


async def test_it_goes_on_as_soon_as_somebody_listens(tmp_path: Path) -> None:
    port = ports.free()
    nobody = {
        "THREADLINE_KAFKA_BROKERS": f"127.0.0.1:9,127.0.0.1:{port}",
        "DATABASE_URL": "postgresql://a:b@127.0.0.1:9/c",
    }
    async with child((sys.executable, "-m", "services.router"), nobody, tmp_path / "log", tmp_path) as running:
        await until_said(running, "router waits for one")
        with socket.create_server(("127.0.0.1", port)):
            await until_said(running, f"a broker listens at 127.0.0.1:9,127.0.0.1:{port}: it goes on")


@asynccontextmanager
async def a_door_that_closes() -> AsyncIterator[tuple[int, asyncio.Server]]:
    """Who calls is taken, and hung up on: so is a broker that is about to go."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], server
    finally:
        server.close()


@pytest.mark.parametrize("service", ["router", "responder", "supervisor"])
async def test_one_that_goes_before_all_is_connected_is_waited_for_again(service: str, tmp_path: Path) -> None:
    async with a_door_that_closes() as (port, door):
        surroundings = {
            "THREADLINE_KAFKA_BROKERS": f"127.0.0.1:{port}",
            "DATABASE_URL": "postgresql://a:b@127.0.0.1:9/c",
            "THREADLINE_STATE_FOLDER": str(tmp_path / "state"),
        }
        command = (sys.executable, "-m", f"services.{service}")
        async with child(command, surroundings, tmp_path / "log", tmp_path) as running:
            await until_said(running, f"{service} does not connect to a broker at 127.0.0.1:{port}")
            door.close()
            await until_said(running, f"no broker listens at 127.0.0.1:{port}: {service} waits for one")
            assert await running.stop() == 0
            assert "Traceback" not in running.said()
            assert "Unclosed" not in running.said()


async def test_one_that_lets_nobody_in_is_told_of_and_not_tried_for_ever(tmp_path: Path) -> None:
    async with a_door_that_closes() as (port, _):
        surroundings = {
            "THREADLINE_KAFKA_BROKERS": f"127.0.0.1:{port}",
            "DATABASE_URL": "postgresql://a:b@127.0.0.1:9/c",
            "THREADLINE_STATE_FOLDER": str(tmp_path / "state"),
        }
        command = (sys.executable, "-m", "services.supervisor")
        async with child(command, surroundings, tmp_path / "log", tmp_path) as running:
            async with asyncio.timeout(60):
                code = await running.process.wait()
            assert code == 1
            assert f"somebody listens at 127.0.0.1:{port}, and supervisor did not connect in 5 tries" in running.said()
            assert "Traceback" not in running.said()
