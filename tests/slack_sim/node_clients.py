"""Starts agents made of Slack's own clients for Node, and reads what they tell."""

import asyncio
import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright._impl._driver import compute_driver_executable

from services.slack_sim.client import SlackSim
from tests.slack_sim.first import First
from tests.slack_sim.peers import PATIENCE_S

HERE = Path(__file__).parent / "node"
INSTALL = ("ci", "--no-audit", "--no-fund", "--ignore-scripts")
OLDEST_NODE = 20
INSTALLED_WITHIN_S = 100.0


def installed() -> str:
    """Node, once the clients that the lock names are there. They are installed once for each lock."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("Slack's clients for Node need npm, and it is not here")
    wanted = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    stamp = HERE / "node_modules" / ".lock.sha256"
    with (HERE / ".installing").open("w") as alone:
        fcntl.flock(alone, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != wanted:
            subprocess.run([npm, *INSTALL], cwd=HERE, check=True, timeout=INSTALLED_WITHIN_S, capture_output=True)
            stamp.write_text(wanted)
    return _node()


def _node() -> str:
    """The machine's own Node; Playwright's, where that is older than Slack's clients need."""
    node = shutil.which("node")
    if node is not None:
        version = subprocess.run([node, "--version"], check=True, capture_output=True, text=True).stdout
        if int(version.removeprefix("v").partition(".")[0]) >= OLDEST_NODE:
            return node
    return str(compute_driver_executable()[0])


class Program:
    """A program in Node that runs, and what it told so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._changed = asyncio.Condition()
        self.told: list[dict[str, Any]] = []
        self._noise: list[str] = []
        self._ended = False

    async def line(self, what: str, count: int = 1) -> dict[str, Any]:
        """The last of so many lines that tell of it."""
        try:
            async with asyncio.timeout(PATIENCE_S), self._changed:
                await self._changed.wait_for(lambda: len(self.lines(what)) >= count or self._ended)
            return self.lines(what)[count - 1]
        except (TimeoutError, IndexError) as error:
            raise AssertionError(f"there was no {what!r}, but {self.told} and {self._noise}") from error

    def lines(self, what: str) -> list[dict[str, Any]]:
        """Every line that tells of it."""
        return [each for each in self.told if each["what"] == what]

    async def read(self) -> None:
        """Takes lines until there are no more."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            async with self._changed:
                if line.startswith(b"{"):
                    self.told.append(json.loads(line))
                else:
                    self._noise.append(line.decode())
                self._changed.notify_all()
        async with self._changed:
            self._ended = True
            self._changed.notify_all()


@asynccontextmanager
async def connected(node: str, program: str, sim: SlackSim, first: First) -> AsyncIterator[Program]:
    """Runs a program until its socket is open, and ends it afterwards."""
    environment = {
        "SLACK_API_URL": sim.api_url,
        "SLACK_BOT_TOKEN": first.bot_token,
        "SLACK_APP_TOKEN": first.app.app_token,
    }
    process = await asyncio.create_subprocess_exec(
        node, str(HERE / program), env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    running = Program(process)
    reading = asyncio.create_task(running.read())
    try:
        await running.line("connected")
        yield running
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading
