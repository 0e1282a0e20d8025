"""Programs' messages where responders die, share their work, or cannot write: each is said once."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from bench.beds.broker import own_broker
from bench.beds.responder import own_responder
from services.kit.groups import KafkaSettings
from services.slack_sim.control import asks
from tests.databases import Databases
from tests.responder.desk import Desk, opened

Desks = Callable[[], AbstractAsyncContextManager[Desk]]


@pytest.fixture
def desks(topics: KafkaSettings, databases: Databases, tmp_path: Path) -> Desks:
    """One of a test's own."""
    return lambda: opened(topics, databases, tmp_path)


@pytest.mark.parametrize("fault", ["lost_before", "lost_after"])
async def test_killed_before_it_could_say_it_the_next_one_says_it_once(desks: Desks, fault: Any) -> None:
    async with desks() as desk:
        posted = await desk.ended(await desk.say("0 %", post_id="p"))
        await desk.sim.ask(asks.FailCalls(method="chat.postMessage", kind=fault))
        await desk.sim.ask(asks.FailCalls(method="chat.update", kind=fault))
        body = {"channel": desk.first.support, "text": "Kept", "key": "kept"}
        _, told = await desk.ask("/v1/messages", body)
        changed = [await desk.say(f"{number} %", post_id="p") for number in (50, 100)]
        await desk.responder.child.kill()
        await desk.sim.ask(asks.ClearFaults())
        async with desk.again():
            status, again = await desk.ask("/v1/messages", body)
            assert (status, again["effect_id"]) == (202, told["effect_id"])
            status, other = await desk.ask("/v1/messages", {**body, "text": "Another"})
            assert (status, other["error"]) == (409, "key_used")
            assert (await desk.ended(told["effect_id"]))["state"] == "confirmed"
            assert [(await desk.ended(each))["ts"] for each in changed] == [posted["ts"]] * 2
            assert (await desk.stands("Kept"), await desk.stands("100 %")) == (1, 1)
            last = await desk.ended(await desk.say("Done", post_id="p"))
            assert last["ts"] == posted["ts"], "the next one finds it in the ledger"
            await desk.ended(await desk.say("Below", thread_of="p"))
            assert await desk.stands("Below", posted["ts"]) == 1
            await desk.responder.until("threadline_responder_unfinished", 0)
            assert await desk.responder.metric("threadline_responder_requests_total", result="refused") == 1


async def test_two_responders_that_are_asked_for_the_same_say_it_once(desks: Desks, tmp_path: Path) -> None:
    async with desks() as desk:
        environment = {**desk.environment, "THREADLINE_RESPONDER_NAME": "r2"}
        async with own_responder(tmp_path / "2", environment) as two:
            await two.until("threadline_responder_partitions", 2)
            other = desk.at(two)
            bodies = [
                {"channel": desk.first.support, "text": f"Same {number}", "key": f"{number}"} for number in range(4)
            ]
            asked = [each.ask("/v1/messages", body) for body in bodies for each in (desk, other)]
            told = await asyncio.gather(*asked)
            assert [status for status, _ in told] == [202] * 8
            effects = [answer["effect_id"] for _, answer in told]
            assert effects[::2] == effects[1::2]
            for effect in effects[::2]:
                assert await desk.ended(effect) == await other.ended(effect)
            assert [await desk.stands(body["text"]) for body in bodies] == [1] * 4
            status, refused = await other.ask("/v1/messages", {**bodies[0], "text": "Other"})
            assert (status, refused["error"]) == (409, "key_used")


async def test_what_the_broker_does_not_keep_is_told_and_asked_for_again_is_said_once(
    databases: Databases, tmp_path: Path
) -> None:
    async with own_broker(tmp_path / "broker") as broker:
        await broker.make_topics()
        async with opened(broker.settings, databases, tmp_path / "responder") as desk:
            await desk.ended(await desk.say("Before"))
            body = {"channel": desk.first.support, "text": "Kept at last", "key": "k"}
            broker.hold_up()
            try:
                signed = {"Authorization": f"Bearer {desk.tokens['acme']}"}
                async with desk.session.post(f"{desk.address}/v1/messages", json=body, headers=signed) as answer:
                    assert (answer.status, (await answer.json())["error"]) == (503, "not_kept")
                    assert int(answer.headers["Retry-After"]) > 0
            finally:
                broker.let_go()
            status, refused = await desk.ask("/v1/messages", {**body, "text": "Another"})
            assert (status, refused["error"]) == (409, "key_used"), "the broker may have the first one"
            async with asyncio.timeout(60):
                while (await desk.ask("/v1/messages", body))[0] == 503:  # noqa: ASYNC110 - a broker has no event
                    await asyncio.sleep(0.2)
            _, again = await desk.ask("/v1/messages", body)
            assert (await desk.ended(again["effect_id"]))["state"] == "confirmed"
            await desk.ended(await desk.say("Behind", key="behind"))
            assert await desk.stands("Kept at last") == 1
