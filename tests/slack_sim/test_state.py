"""A world that is kept in a file."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from services.slack_sim.app import slack_sim
from services.slack_sim.client import SlackSim, slack_sim_at
from services.slack_sim.control.asks import (
    Advance,
    Edit,
    React,
    Reset,
    Say,
)
from services.slack_sim.settings import SlackSimSettings
from services.slack_sim.world.storage import WRITTEN_EVERY_S, UnreadableState
from tests.slack_sim.calling import call
from tests.slack_sim.first import First


@asynccontextmanager
async def kept_in(file: Path) -> AsyncIterator[SlackSim]:
    settings = SlackSimSettings(slack_sim_port=0, slack_sim_state=file)
    async with slack_sim(settings) as slack, slack_sim_at(slack.address) as sim:
        yield sim


@asynccontextmanager
async def killed(file: Path) -> AsyncIterator[SlackSim]:
    """One in a process of its own, with a seed, which is killed at the end."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "threadline", "slack-sim", "--port", "0", "--seed", "7", "--state", str(file)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert program.stdout is not None
    try:
        line = (await program.stdout.readline()).decode()
        async with slack_sim_at(line.split()[5]) as sim:
            yield sim
    finally:
        os.kill(program.pid, signal.SIGKILL)
        await program.wait()
        program.stdout.feed_eof()


async def a_life(sim: SlackSim, first: First) -> None:
    """Something of every kind."""
    ts = await sim.say(first.you, first.general, f"<@{first.bot_user}> hi")
    await sim.say(first.colleague, first.general, "a reply", ts)
    gone = await sim.say(first.you, first.general, "gone")
    await call(sim, "chat.postMessage", first.bot_token, channel=first.general, thread_ts=ts, text="ours")
    await call(sim, "chat.postEphemeral", first.bot_token, channel=first.general, user=first.you, text="psst")
    await sim.ask(Edit(user_id=first.you, channel_id=first.general, ts=gone, text="gone soon"))
    await sim.ask(React(user_id=first.you, channel_id=first.general, ts=ts, name="eyes"))
    await sim.ask(Say(user_id=first.you, channel_id=first.general, files=["plan.pdf"]))
    stream = {"channel": first.general, "thread_ts": ts, "markdown_text": "and so on"}
    stream |= {"recipient_user_id": first.you, "recipient_team_id": first.team}
    await call(sim, "chat.startStream", first.bot_token, **stream)
    status = {"channel_id": first.general, "thread_ts": ts, "status": "processing"}
    await call(sim, "agents.sessions.setStatus", first.bot_token, **status)
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    await call(sim, "views.publish", first.bot_token, user_id=first.you, view=home)
    await sim.ask(Advance(seconds=100))


async def everything(sim: SlackSim, first: First) -> list[object]:
    transcript = await sim.transcript(first.general, viewer=first.you)
    threads = [await sim.transcript(first.general, each["ts"]) for each in transcript.messages]
    return [await sim.world(), transcript, threads]


async def test_all_of_it_is_there_again(tmp_path: Path) -> None:
    async with kept_in(tmp_path / "state.sqlite") as sim:
        first = First.of(await sim.world())
        await a_life(sim, first)
        before = await everything(sim, first)
    async with kept_in(tmp_path / "state.sqlite") as sim:
        assert await everything(sim, first) == before
        assert (await call(sim, "auth.test", first.bot_token))["ok"]
        later = await sim.say(first.you, first.general, "later")
        messages = (await sim.transcript(first.general)).messages
        assert [message["ts"] for message in messages].index(later) == len(messages) - 1
        streaming = [
            each
            for each in (await sim.transcript(first.general, messages[0]["ts"])).messages
            if "streaming_state" in each
        ]
        assert [each["streaming_state"] for each in streaming] == ["in_progress"]
        await sim.ask(Advance(seconds=201))
        thread = await sim.transcript(first.general, messages[0]["ts"])
        assert [each["streaming_state"] for each in thread.messages if "streaming_state" in each] == ["completed"]


async def test_a_reset_empties_the_file(tmp_path: Path) -> None:
    async with kept_in(tmp_path / "state.sqlite") as sim:
        first = First.of(await sim.world())
        await a_life(sim, first)
        await sim.ask(Reset())
        assert First.of(await sim.world()) == first
    async with kept_in(tmp_path / "state.sqlite") as sim:
        assert not (await sim.transcript(first.general)).messages


async def test_kill_9_loses_no_more_than_what_was_about_to_be_written(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    async with killed(file) as sim:
        first = First.of(await sim.world())
        said = [await sim.say(first.you, first.general, f"message {number}") for number in range(300)]
        await asyncio.sleep(WRITTEN_EVERY_S * 4)
        await sim.say(first.you, first.general, "the last one")
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    async with kept_in(file) as sim:
        kept = [each["ts"] for each in (await sim.transcript(first.general)).messages]
        assert kept[:300] == said


async def test_after_kill_9_nothing_that_was_named_is_named_again(tmp_path: Path) -> None:
    """However early it comes, and whether or not a name of that kind was drawn before."""
    names: list[tuple[str, ...]] = []
    async with kept_in(tmp_path / "state.sqlite"):
        pass
    for _ in range(2):
        async with killed(tmp_path / "state.sqlite") as sim:
            first = First.of(await sim.world())
            ts = await sim.say(first.you, first.general, "hi")
            shared = await sim.ask(Say(user_id=first.you, channel_id=first.general, files=["a.txt"]))
            told = await sim.envelopes()
            names.append((ts, shared.ts, *(str(each.event_id) for each in told)))
    assert not set(names[0]) & set(names[1])


async def test_two_simulators_do_not_share_a_file(tmp_path: Path) -> None:
    async with kept_in(tmp_path / "state.sqlite"):
        with pytest.raises(UnreadableState, match="another simulator may be using it"):
            async with kept_in(tmp_path / "state.sqlite"):
                pass


async def test_a_file_that_is_something_else_is_named(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(b"rubbish" * 1000)
    with pytest.raises(UnreadableState, match="rubbish cannot be used as state"):
        async with kept_in(rubbish):
            pass
    other = tmp_path / "other"
    with sqlite3.connect(other) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(UnreadableState, match="another release"):
        async with kept_in(other):
            pass
    async with kept_in(tmp_path / "broken"):
        pass
    with sqlite3.connect(tmp_path / "broken") as database:
        database.execute("UPDATE entities SET body = '{}' WHERE kind = 'user'")
    database.close()
    with pytest.raises(UnreadableState, match="holds a user that this release cannot read"):
        async with kept_in(tmp_path / "broken"):
            pass
