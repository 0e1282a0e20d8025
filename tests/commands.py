"""The command line, as people run it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from services.kit.settings import child_environment

Command = Callable[..., Awaitable[str]]


async def said(environment: Mapping[str, str], folder: Path, *arguments: str, code: int = 0) -> str:
    """Runs `threadline …` in a folder; gives all that it says."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", *arguments),
        env=child_environment({"COLUMNS": "200", **environment}),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    told, _ = await program.communicate()
    assert program.returncode == code, told.decode()
    assert b"Traceback" not in told, told.decode()
    return told.decode()
