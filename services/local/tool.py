"""A program that does one thing and ends, whose output matters only where it fails."""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

from services.kit.settings import child_environment

NOTHING: Mapping[str, str] = {}


class Failed(Exception):
    """It ended with an error; the message is the end of what it said."""


async def done(
    command: tuple[str, ...], folder: Path, environment: Mapping[str, str] = NOTHING, user: int | None = None
) -> None:
    """Runs it to its end. Whoever is told to stop in the middle of it leaves nothing running."""
    child = await asyncio.create_subprocess_exec(
        *command,
        cwd=folder,
        env=child_environment(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
    )
    try:
        output, _ = await child.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
    if child.returncode:
        raise Failed(output.decode("utf-8", "replace")[-500:])
