"""Responders that are killed, or share their work: one visible reply, whatever happens."""

import asyncio
import signal
from pathlib import Path

from bench.beds.inbox import Inbox
from bench.beds.responder import own_responder
from schemas.run import RunState
from schemas.topics import AUDIT_RUNS, SLACK_EFFECTS
from services.slack_sim.control import asks
from tests.responder.conftest import Talk, Talks, words_of

NAMED = {"THREADLINE_RESPONDER_NAME": "r1", "THREADLINE_RESPONDER_SESSION_S": "6"}


async def replies(talk: Talk, ts: str) -> list[str]:
    """What our app says in a thread."""
    return [words_of(each) for each in await talk.thread(ts) if each.get("app_id")]


async def test_killed_in_the_middle_of_an_answer_the_next_one_ends_it_in_the_same_message(
    talks: Talks, tmp_path: Path
) -> None:
    async with talks(**NAMED) as talk:
        ts = await talk.mention("count to 200")
        await talk.growing(ts)
        await talk.pipeline.responder.child.kill()
        async with own_responder(tmp_path / "responder", talk.environment) as again:
            answer = await talk.answer(ts, "200.")
            assert await replies(talk, ts) == [words_of(answer)]
            await again.until("threadline_responder_runs_total", 1, outcome="completed")
            states = [each.event for each in await Inbox(talk.kafka).found(AUDIT_RUNS)]
            ended = [each.state for each in states if isinstance(each, RunState)]
            assert ended == ["start", "complete"]


async def test_a_post_whose_answer_was_lost_is_found_and_not_made_twice(talks: Talks) -> None:
    async with talks() as talk:
        await talk.sim.ask(asks.FailCalls(method="chat.postMessage", kind="lost_after", times=1))
        ts = await talk.mention("hello")
        await talk.answer(ts, "hello")
        assert len(await replies(talk, ts)) == 1
        await talk.pipeline.responder.until("threadline_responder_runs_total", 1, outcome="completed")
        ledger = [each.event for each in await Inbox(talk.kafka).found(SLACK_EFFECTS)]
        by = [each.settled_by for each in ledger if each.type == "effect.confirmed"]
        assert by[0] == "look_up"
        assert set(by[1:]) == {"response"}


async def test_twenty_runs_survive_three_kills(talks: Talks, tmp_path: Path) -> None:
    async with talks(**NAMED) as talk:
        stamps = [await talk.mention(f"count to {60 + number}") for number in range(20)]
        await talk.pipeline.responder.child.kill()
        for wait_s in (1.0, 2.0):
            async with own_responder(tmp_path / "responder", talk.environment) as again:
                await asyncio.sleep(wait_s)
                await again.child.kill()
        async with own_responder(tmp_path / "responder", talk.environment) as last:
            for number, ts in enumerate(stamps):
                await talk.answer(ts, f"{60 + number}.")
                assert len(await replies(talk, ts)) == 1
            await last.until("threadline_responder_unfinished", 0)
            states = [each.event for each in await Inbox(talk.kafka).found(AUDIT_RUNS)]
            ended = [each.run_id for each in states if isinstance(each, RunState) and each.state == "complete"]
            assert len(ended) == len(set(ended)) == 20


async def test_two_share_the_work_and_one_takes_over_what_the_other_leaves(talks: Talks, tmp_path: Path) -> None:
    async with (
        talks(THREADLINE_RESPONDER_SESSION_S="6") as talk,
        own_responder(tmp_path / "2", talk.environment) as two,
    ):
        one = talk.pipeline.responder
        await two.until("threadline_responder_partitions", 2)
        await one.until("threadline_responder_partitions", 2)
        stamps = [await talk.mention(f"count to {150 + number}") for number in range(12)]
        await asyncio.sleep(2)
        await one.child.kill()
        for number, ts in enumerate(stamps):
            await talk.answer(ts, f"{150 + number}.")
            assert len(await replies(talk, ts)) == 1


async def test_one_that_stood_still_says_nothing_after_others_took_over(talks: Talks, tmp_path: Path) -> None:
    """Paused in the middle of its runs, for longer than its session, and then let go on."""
    async with (
        talks(THREADLINE_RESPONDER_SESSION_S="6") as talk,
        own_responder(tmp_path / "2", talk.environment) as two,
    ):
        one = talk.pipeline.responder
        await two.until("threadline_responder_partitions", 2)
        stamps = [await talk.mention(f"count to {300 + number}") for number in range(8)]
        await asyncio.sleep(2)
        one.child.send(signal.SIGSTOP)
        await two.until("threadline_responder_partitions", 4)
        await asyncio.sleep(1)
        one.child.send(signal.SIGCONT)
        for number, ts in enumerate(stamps):
            await talk.answer(ts, f"{300 + number}.")
        await asyncio.sleep(3)
        for number, ts in enumerate(stamps):
            said = await replies(talk, ts)
            assert len(said) == 1
            assert said[0].endswith(f"{300 + number}.")


async def test_it_is_not_ready_before_it_has_its_partitions(talks: Talks, tmp_path: Path) -> None:
    """Not even while the library of its model loads, which takes seconds."""
    async with talks() as talk:
        told = {**talk.environment, "THREADLINE_MODEL": "openai:gpt-5", "OPENAI_API_KEY": "sk-test-key"}
        async with own_responder(tmp_path / "2", told, ready=False) as two:
            assert "group" in (await two.health())["reasons"]
            await two.until_ready()
            await two.until("threadline_responder_partitions", 2)


async def test_a_stop_while_nobody_was_there_ends_the_run_in_its_own_message(talks: Talks, tmp_path: Path) -> None:
    async with talks(**NAMED) as talk:
        ts = await talk.mention("count to 5000")
        shown = await talk.growing(ts)
        await talk.pipeline.responder.child.kill()
        place = {"user_id": talk.first.you, "channel_id": talk.first.support, "ts": shown["ts"]}
        await talk.sim.ask(asks.React(name="octagonal_sign", **place))
        async with own_responder(tmp_path / "responder", talk.environment):
            await talk.answer(ts, f"Stopped by <@{talk.first.you}>")
            assert len(await replies(talk, ts)) == 1


async def test_one_that_stood_still_does_not_undo_a_stop(talks: Talks, tmp_path: Path) -> None:
    """The stop was obeyed by who took over. What the paused one still had in hand comes to nothing."""
    async with talks(THREADLINE_RESPONDER_SESSION_S="6", THREADLINE_REHEARSAL_WORDS_PER_S="20") as talk:
        one = talk.pipeline.responder
        stamps = [await talk.mention(f"count to {150 + number}") for number in range(4)]
        await asyncio.sleep(2)
        one.child.send(signal.SIGSTOP)
        async with own_responder(tmp_path / "2", talk.environment) as two:
            await two.until("threadline_responder_partitions", 4)
            for ts in stamps:
                await talk.sim.say(talk.first.you, talk.first.support, "stop", ts)
            for ts in stamps:
                await talk.answer(ts, "Stopped by")
            one.child.send(signal.SIGCONT)
            await one.until("threadline_responder_partitions", 2)
            await asyncio.sleep(8)
            for ts in stamps:
                [said] = await replies(talk, ts)
                assert "Stopped by" in said
            ledger = [each.event for each in await Inbox(talk.kafka).found(SLACK_EFFECTS)]
            for run_id in {each.effect.run_id for each in ledger}:
                meant = [
                    each.effect.purpose
                    for each in ledger
                    if each.effect.run_id == run_id and each.type == "effect.intended"
                ]
                assert meant[-1] == "stopped"
                assert "answer" not in meant
