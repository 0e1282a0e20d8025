"""A command line, and topics to read from."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from services.kit.groups import KafkaSettings
from services.kit.settings import as_environment, child_environment

Command = Callable[..., Awaitable[str]]


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Runs `threadline report …`; gives all that it says."""

    async def run(*arguments: str, code: int = 0, given: KafkaSettings | None = None, key: str | None = None) -> str:
        environment = {"THREADLINE_HOME": str(tmp_path / "home"), "COLUMNS": "200"}
        environment |= as_environment(given) if given is not None else {}
        environment |= {"THREADLINE_REPORT_KEY": key} if key is not None else {}
        program = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "threadline", "report", *arguments),
            env=child_environment(environment),
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await program.communicate()
        assert program.returncode == code, said.decode()
        assert b"Traceback" not in said, said.decode()
        return said.decode()

    return run
