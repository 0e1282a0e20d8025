"""`threadline slack-sim`, as people start it."""

import asyncio
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slack_sdk.web.async_client import AsyncWebClient

from services.kit.settings import child_environment
from services.slack_sim.client import slack_sim_at
from tests.slack_sim.first import First


@asynccontextmanager
async def started(*options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", "slack-sim", *options),
        env=child_environment({}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield program
    finally:
        if program.returncode is None:
            program.kill()
        await program.communicate()


async def said_by(program: asyncio.subprocess.Process, last: str) -> str:
    """What it prints, up to a line that begins so."""
    assert program.stdout is not None
    text = ""
    while True:
        line = (await program.stdout.readline()).decode()
        assert line, text
        text += line
        if line.startswith(last):
            return text


async def test_it_prints_tokens_that_work_and_leaves_on_ctrl_c() -> None:
    async with started("--port", "0") as program:
        text = await said_by(program, "export SLACK_SIGNING_SECRET=")
        told = dict(re.findall(r"^export (\w+)=(\S+)$", text, re.MULTILINE))
        bot = AsyncWebClient(told["SLACK_BOT_TOKEN"], base_url=told["SLACK_API_URL"])
        assert (await bot.auth_test())["user"] == "mara"
        app = AsyncWebClient(base_url=told["SLACK_API_URL"])
        assert (await app.apps_connections_open(app_token=told["SLACK_APP_TOKEN"]))["url"].startswith("ws://127.0.0.1")
        program.send_signal(signal.SIGINT)
        _, errors = await program.communicate()
        assert (program.returncode, errors) == (0, b"")


async def test_a_seed_prints_the_same_tokens_again() -> None:
    texts = []
    for _ in range(2):
        async with started("--port", "0", "--seed", "7") as program:
            text = await said_by(program, "export SLACK_SIGNING_SECRET=")
            texts.append(re.sub(r"127\.0\.0\.1:\d+", "", text))
    assert texts[0] == texts[1]


async def test_an_address_that_others_reach_must_be_asked_for() -> None:
    async with started("--host", "0.0.0.0", "--port", "0") as program:  # noqa: S104 - it is refused
        _, errors = await program.communicate()
        assert program.returncode == 1
        assert b"0.0.0.0 can be reached from other machines" in errors
        assert b"--anywhere" in errors


async def test_a_port_that_is_taken_is_named_with_its_setting() -> None:
    async with started("--port", "0") as one:
        address = re.search(r"http://127\.0\.0\.1:(\d+)", await said_by(one, "A local Slack"))
        assert address is not None
        async with started("--port", address.group(1)) as two:
            _, errors = await two.communicate()
            assert two.returncode == 1
            assert b"set THREADLINE_SLACK_SIM_PORT to a free port" in errors
        async with slack_sim_at(address.group(0)) as sim:
            assert First.of(await sim.world()).team.startswith("T0")
