"""`threadline up`: the whole product, as a newcomer starts it."""

import asyncio
import signal
import sys
from pathlib import Path

import psutil
from aiohttp import ClientSession

from bench.beds.supervisor import Reporter
from services.kit.settings import child_environment
from services.local.sample import tenant_of
from services.slack_sim.app import slack_sim
from services.slack_sim.client import slack_sim_at
from services.slack_sim.settings import SlackSimSettings
from tests.local.product import answered, pid_of, up
from tests.slack_sim.first import First
from tests.terminal import Terminal


async def test_somebody_asks_and_is_answered_whatever_dies(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with up(home) as running:
        address = running.said().partition("chat at ")[2].split()[0]
        assert "Mara of the sample tenant answers there" in running.said()
        agents = running.said().partition("THREADLINE_AGENT_URL=")[2].split()[0]
        async with slack_sim_at(address) as sim:
            first = First.of(await sim.world())
            await answered(sim, first, "hello")
            for name in ("responder", "router", "ingress"):
                psutil.Process(pid_of(home, name)).kill()
            await answered(sim, first, "still there?")
            code, said = await beside(home, "doctor")
            assert code == 0, said
            assert f"signed in to {(await sim.world()).workspaces[0].name}" in said
            assert f"{home / 'state'} can be written" in said
            assert "they are keys" in said
            assert "do not hear plain words" not in said
            code, said = await beside(home, "ingress", "spools")
            assert code == 0, said
            assert "a process that runs" in said
            make_token = running.said().partition("their token: threadline ")[2].partition("\n")[0]
            assert f" {tenant_of(first.team)} " in make_token
            await an_agent_reports(home, agents, make_token.split())
        parts = psutil.Process(running.process.pid).children(recursive=True)
        running.send(signal.SIGKILL)
        await running.process.wait()
    async with up(home) as running:
        assert "was left behind by a supervisor that is gone" in running.said()
        said_again = running.said().rpartition("left behind")[2]
        assert "Mara of the sample tenant" not in said_again
        assert f"their token: threadline {make_token}\n" in said_again
        address = running.said().rpartition("chat at ")[2].split()[0]  # another one, where its port was taken before
        async with slack_sim_at(address) as sim:
            await answered(sim, first, "and now?")
        parts += psutil.Process(running.process.pid).children(recursive=True)
        running.send(signal.SIGINT)
        assert await running.process.wait() == 0
        assert f"stopped; its data stays in {home}" in running.said()
    assert not any(part.is_running() and part.status() != psutil.STATUS_ZOMBIE for part in parts)


async def an_agent_reports(home: Path, address: str, make_token: list[str]) -> None:
    """With the address that was said, and the token that is made as was said."""
    code, said = await beside(home, *make_token)
    assert code == 0, said
    (token,) = (word for word in said.split() if word.startswith("tl_"))
    async with ClientSession() as session:
        agent = Reporter(address, token, session)
        await agent.start()
        async with asyncio.timeout(30):
            while (await agent.shown()).get("status") != "starting":  # noqa: ASYNC110 - what is waited for is elsewhere
                await asyncio.sleep(0.05)


async def beside(home: Path, *command: str) -> tuple[int | None, str]:
    """What a command says beside it, told no more than the home."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", *command),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=child_environment({"THREADLINE_HOME": str(home)}),
        cwd=home.parent,
    )
    said, _ = await running.communicate()
    return running.returncode, said.decode()


async def test_on_a_terminal_it_shows_a_board_and_leaves_the_terminal_as_it_was(tmp_path: Path) -> None:
    terminal = Terminal(80, 24)
    home = tmp_path / "home"
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", "up"),
        stdin=terminal.theirs,
        stdout=terminal.theirs,
        stderr=terminal.theirs,
        env=child_environment({"THREADLINE_HOME": str(home), "TERM": "xterm-256color"}),
        cwd=tmp_path,
        start_new_session=True,
    )
    try:
        await terminal.shows("nobody has asked anything yet")
        await terminal.shows("threadline token create sample-")
        address = terminal.written.partition("http://127.0.0.1:")[2].partition("/")[0]
        async with slack_sim_at(f"http://127.0.0.1:{address}") as sim:
            await answered(sim, First.of(await sim.world()), "hello")
        await terminal.shows("answered")
        terminal.resize(200, 60)
        running.send_signal(signal.SIGWINCH)
        await terminal.shows("rehearsal", 10)
        psutil.Process(pid_of(home, "responder")).kill()
        await terminal.shows("ended by SIGKILL; it is restarted", 10)
        running.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(running.wait(), 30) == 0
        await asyncio.sleep(0.2)
        left = terminal.written.rpartition("\x1b[?1049l")[2]
        assert "stopped; its data stays in" in left
        assert terminal.written.rfind("\x1b[?25h") > terminal.written.rfind("\x1b[?25l")
        assert "xoxb-" not in terminal.written
    finally:
        terminal.close()
        if running.returncode is None:
            running.send_signal(signal.SIGINT)
            await running.wait()


async def checked(home: Path, **more: str) -> tuple[int | None, str]:
    """What `threadline up --check` says, and how it ends."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", "up", "--check"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=child_environment({"THREADLINE_HOME": str(home), "THREADLINE_CACHE": str(home / "cache"), **more}),
        cwd=home.parent,
    )
    said, _ = await running.communicate()
    return running.returncode, said.decode()


async def test_a_check_says_what_would_be_used_and_makes_nothing(tmp_path: Path) -> None:
    code, said = await checked(tmp_path / "home")
    assert code == 0, said
    for what in ("a local Slack of its own", "built-in rehearsal", f"{tmp_path / 'home'}, new", "MB are downloaded"):
        assert what in said
    assert not (tmp_path / "home").exists()


async def test_a_check_asks_slack_whose_the_tokens_are_and_shows_none(tmp_path: Path) -> None:
    settings = SlackSimSettings(slack_sim_port=0, slack_sim_seed="other")
    async with slack_sim(settings) as simulation, slack_sim_at(simulation.address) as sim:
        world = await sim.world()
        bot, app = First.of(world).bot_token, world.apps[0].app_token
        good = {"SLACK_API_URL": sim.api_url, "SLACK_BOT_TOKEN": bot, "SLACK_APP_TOKEN": app}
        code, said = await checked(tmp_path / "home", **good)
        assert code == 0, said
        assert f"signed in to {world.workspaces[0].name} ({world.workspaces[0].id})" in said
        code, turned = await checked(tmp_path / "home", **{**good, "SLACK_BOT_TOKEN": app, "SLACK_APP_TOKEN": bot})
        assert code == 1
        code, refused = await checked(tmp_path / "home", **{**good, "SLACK_BOT_TOKEN": f"{bot}x"})
        assert code == 1
        assert "Slack does not take the bot token (invalid_auth)" in refused
        assert not any(secret in each for secret in (bot, app) for each in (said, turned, refused))


async def test_a_check_says_what_keeps_it_from_starting(tmp_path: Path) -> None:
    wrong = {
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "SLACK_BOT_TOKEN": "xoxb-1-2-abcdef",
        "SLACK_APP_TOKEN": "xapp-1-A0-2-abcdef",
    }
    code, said = await checked(tmp_path / "home", **wrong)
    assert code == 1
    assert "SLACK_API_URL names another Slack" in said
    code, said = await checked(tmp_path / "home", SLACK_BOT_TOKEN="xoxb-1-2-abcdef")
    assert code == 1
    assert "SLACK_APP_TOKEN is not set, and the other one is" in said
    code, said = await checked(tmp_path / "home", THREADLINE_MODEL="anthropic:claude")
    assert code == 1
    assert "set ANTHROPIC_API_KEY" in said
