"""A Slack that is slow, refuses, forgets or breaks off: one visible reply all the same."""

import pytest

from services.slack_sim.control import asks
from tests.responder.conftest import Talk, words_of


@pytest.fixture(autouse=True)
async def sound(talk: Talk) -> None:
    """Nothing is left of the test before."""
    await talk.sim.ask(asks.ClearFaults())


@pytest.mark.parametrize(
    "fault",
    [
        asks.FailCalls(method="chat.postMessage", kind="lost_after", times=1),
        asks.FailCalls(method="chat.postMessage", kind="lost_before", times=2),
        asks.FailCalls(method="chat.postMessage", kind="cut", times=1),
        asks.FailCalls(method="chat.postMessage", kind="status", status=503, times=2),
        asks.FailCalls(method="chat.postMessage", kind="ratelimited", retry_after_s=1, times=2),
        asks.FailCalls(method="chat.update", kind="lost_after", times=3),
        asks.FailCalls(method="chat.update", kind="ratelimited", retry_after_s=1, times=3),
        asks.FailCalls(method="chat.update", kind="status", status=500, times=3),
        asks.FailCalls(method="chat.update", kind="error", error="internal_error", times=3),
        asks.FailCalls(method="chat.*", delay_s=1.0, times=4),
    ],
)
async def test_the_answer_stands_once(talk: Talk, fault: asks.FailCalls) -> None:
    await talk.sim.ask(fault)
    ts = await talk.mention("count to 30")
    answer = await talk.answer(ts, "30.")
    await talk.ended(answer)
    assert [words_of(each).splitlines()[-1] for each in await talk.thread(ts)] == ["30."]


async def test_an_edit_that_is_slow_does_not_come_after_the_last_words(talk: Talk) -> None:
    await talk.sim.ask(asks.FailCalls(method="chat.update", delay_s=1.5, times=1))
    ts = await talk.mention("count to 40")
    answer = await talk.answer(ts, "40.")
    await talk.ended(answer)
    [said] = await talk.thread(ts)
    assert words_of(said).endswith("40.")


async def test_where_blocks_are_refused_the_words_are_said_plainly(talk: Talk) -> None:
    ts = await talk.mention("count to 60")
    await talk.sim.ask(asks.FailCalls(method="chat.update", kind="error", error="invalid_blocks", times=1))

    async def plain() -> bool:
        return any("60." in (each.get("text") or "") for each in await talk.thread(ts))

    await talk.until(plain)
    assert len(await talk.thread(ts)) == 1


async def test_where_a_message_may_not_be_changed_the_answer_is_posted(talk: Talk) -> None:
    await talk.sim.ask(asks.FailCalls(method="chat.update", kind="error", error="edit_window_closed"))
    ts = await talk.mention("count to 5")
    answer = await talk.answer(ts, "5.")
    ended = await talk.ended(answer)
    assert ended.state == "complete"


async def test_a_channel_that_was_archived_ends_the_run_and_not_the_responder(talk: Talk) -> None:
    await talk.sim.ask(asks.FailCalls(method="chat.postMessage", kind="error", error="is_archived", times=1))
    errored = await talk.pipeline.responder.metric("threadline_responder_runs_total", outcome="errored")
    ts = await talk.mention("anybody there?")
    await talk.pipeline.responder.until("threadline_responder_runs_total", errored + 1, outcome="errored")
    assert await talk.thread(ts) == []
    await talk.answer(await talk.mention("and here?"), "and here?")
