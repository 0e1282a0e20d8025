"""A responder whose topics are in trouble: the audit takes nothing, and retention was faster than it."""

import asyncio
from pathlib import Path

from bench.beds.inbox import Inbox
from bench.beds.responder import own_responder
from bench.beds.topics import AS_USUAL, NOTHING, delete_all, takes_up_to
from schemas.operation import CommandsGone
from schemas.run import RunState
from schemas.topics import AUDIT_OPERATIONS, AUDIT_RUNS, RUNS_COMMANDS
from services.responder.decisions.words import GONE_REQUEST
from tests.responder.conftest import Talk, Talks

NAMED = {"THREADLINE_RESPONDER_NAME": "r1", "THREADLINE_RESPONDER_SESSION_S": "6"}


async def ends(talk: Talk) -> list[str]:
    """How runs ended, as the audit has it."""
    found = [each.event for each in await Inbox(talk.kafka).found(AUDIT_RUNS)]
    return [each.state for each in found if isinstance(each, RunState) and each.state != "start"]


async def test_while_the_audit_takes_nothing_a_thread_goes_on_and_all_of_it_is_written_later(talks: Talks) -> None:
    async with talks(**NAMED) as talk:
        responder = talk.pipeline.responder
        root = await talk.mention("hello")
        await talk.answer(root, "hello")
        await responder.until("threadline_responder_runs_total", 1, outcome="completed")
        await takes_up_to(talk.kafka, AUDIT_RUNS, NOTHING)
        last = ""
        for words in ("count to 5", "count to 6", "count to 7"):
            await talk.mention(words, thread=root)
            last = (await talk.answer(root, f"{words[-1]}.", after=last))["ts"]
        await responder.until("threadline_responder_audit_down", 1)
        assert "audit.runs takes nothing" in (await responder.health())["reasons"]["audit"]
        assert await ends(talk) == ["complete"]
        await takes_up_to(talk.kafka, AUDIT_RUNS, AS_USUAL)
        await responder.until("threadline_responder_audit_down", 0)
        await responder.until_ready()
        assert await ends(talk) == ["complete"] * 4
        assert responder.child.is_running


async def test_commands_that_retention_deleted_are_told_of_and_what_was_begun_ends_with_a_word(
    talks: Talks, tmp_path: Path
) -> None:
    async with talks(**NAMED) as talk:
        begun = await talk.mention("count to 200")
        await talk.growing(begun)
        await talk.pipeline.responder.child.kill()
        never_begun = await talk.mention("hello")
        inbox = Inbox(talk.kafka)
        async with asyncio.timeout(20):
            while len(commands := await inbox.found(RUNS_COMMANDS)) < 2:  # noqa: ASYNC110 - a topic has no event
                await asyncio.sleep(0.1)
        await delete_all(talk.kafka, RUNS_COMMANDS)
        later = await talk.mention("count to 7")
        async with own_responder(tmp_path / "responder", talk.environment) as again:
            await talk.answer(later, "7.")
            await talk.answer(begun, GONE_REQUEST)
            await again.child_says("retention deleted commands of partition")
            await again.until_ready()
        assert [each for each in await talk.thread(never_begun) if each.get("app_id")] == []
        gone = [each.event for each in await inbox.found(AUDIT_OPERATIONS)]
        assert all(isinstance(each, CommandsGone) for each in gone)
        assert sum(each.go_on_at - each.first_lost for each in gone) == len(commands)
        assert [name for each in gone for name in each.begun] == [commands[0].event.run_id] or len(gone) == 1
        assert sorted(await ends(talk)) == ["complete", "error"]
