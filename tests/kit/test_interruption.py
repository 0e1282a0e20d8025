"""Ctrl-C ends a command in one line and without a traceback, whatever it was about to do."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from services.kit.settings import child_environment
from tests.terminal import Terminal


@pytest.mark.parametrize(
    ("arguments", "module"),
    [
        (("--help",), "typer"),
        (("--help",), "pydantic"),
        (("replay",), "services.router.replay"),
        (("report", "baseline"), "polars"),
        (("report", "export", "--to", "log.jsonl"), "confluent_kafka"),
    ],
)
async def test_while_it_is_imported(tmp_path: Path, arguments: tuple[str, ...], module: str) -> None:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-X", "importtime", "-m", "threadline", *arguments),
        env=child_environment({"THREADLINE_HOME": str(tmp_path / "home")}),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert program.stderr is not None
    while module not in (line := await program.stderr.readline()).decode():
        assert line, f"{module} was never imported"
    program.send_signal(signal.SIGINT)
    _, rest = await program.communicate()
    said = [line for line in rest.decode().splitlines() if not line.startswith("import time:")]
    assert said == ["threadline: interrupted before it began; nothing was done"]
    assert program.returncode == 130


async def test_where_it_has_nothing_to_say_about_it(tmp_path: Path) -> None:
    terminal = Terminal(120, 24)
    told = {
        "THREADLINE_SECRETS_GATEWAY_URL": "http://127.0.0.1:9",
        "THREADLINE_SECRETS_GATEWAY_WRITER_TOKEN": "a-token-that-is-long-enough-to-be-one",
    }
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", "secrets", "put", "slack_app_token"),
        stdin=terminal.theirs,
        stdout=terminal.theirs,
        stderr=terminal.theirs,
        env=child_environment(told),
        cwd=tmp_path,
    )
    await terminal.shows("type the secret")
    program.send_signal(signal.SIGINT)
    await terminal.shows("threadline: interrupted", 30)
    assert await program.wait() == 130
    assert "Traceback" not in terminal.written
    terminal.close()
