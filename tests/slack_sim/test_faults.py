"""What is made to go wrong goes wrong just so, and nothing else does."""

import asyncio
import json

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import NotInTime, Refused, SlackSim
from services.slack_sim.control.asks import (
    Blackhole,
    ClearFaults,
    FailCalls,
    ReadCounts,
    RefuseSockets,
    Say,
    SetLimits,
    TroubleLinks,
)
from services.slack_sim.control.conditions import AMessage, Settled
from tests.slack_sim.calling import call, raw
from tests.slack_sim.first import First
from tests.slack_sim.listening import address, listening


async def texts(sim: SlackSim, first: First) -> list[str]:
    return [message["text"] for message in (await sim.transcript(first.general)).messages]


async def test_a_call_is_limited_as_often_as_it_is_said(sim: SlackSim, first: First) -> None:
    await sim.ask(FailCalls(method="chat.*", kind="ratelimited", retry_after_s=7, times=1))
    body = json.dumps({"channel": first.general, "text": "hi"}).encode()
    status, answer, headers = await raw(sim, "chat.postMessage", first.bot_token, body, "application/json")
    assert (status, json.loads(answer)["error"], headers["retry-after"]) == (429, "ratelimited", "7")
    assert (await call(sim, "chat.postMessage", first.bot_token, channel=first.general, text="hi"))["ok"]
    assert await texts(sim, first) == ["hi"]


async def test_calls_beyond_a_methods_tier_are_refused_until_there_is_room(sim: SlackSim, first: First) -> None:
    refused = 0
    for _ in range(21):
        status, _, headers = await raw(sim, "users.list", first.bot_token, b"", "application/x-www-form-urlencoded")
        refused += status == 429
    assert refused == 1
    assert int(headers["retry-after"]) >= 1
    await sim.ask(SetLimits(times=10))
    assert (await call(sim, "users.list", first.bot_token))["ok"]


@pytest.mark.parametrize(("kind", "took_effect"), [("lost_before", False), ("lost_after", True)])
async def test_a_connection_that_breaks(sim: SlackSim, first: First, kind: str, took_effect: bool) -> None:
    await sim.ask(FailCalls(method="chat.postMessage", kind=kind, times=1))
    with pytest.raises(aiohttp.ClientError):
        await call(sim, "chat.postMessage", first.bot_token, channel=first.general, text="hi")
    assert await texts(sim, first) == ["hi"] * took_effect


@pytest.mark.parametrize(("kind", "took_effect"), [("status", False), ("status_after", True)])
async def test_a_server_that_fails_before_or_after_the_work(
    sim: SlackSim, first: First, kind: str, took_effect: bool
) -> None:
    await sim.ask(FailCalls(method="chat.postMessage", kind=kind, status=503, times=1))
    body = json.dumps({"channel": first.general, "text": "hi"}).encode()
    assert (await raw(sim, "chat.postMessage", first.bot_token, body, "application/json"))[0] == 503
    assert await texts(sim, first) == ["hi"] * took_effect


async def test_an_answer_that_is_cut_off(sim: SlackSim, first: First) -> None:
    await sim.ask(FailCalls(method="auth.test", kind="cut", times=1))
    with pytest.raises(aiohttp.ClientError):
        await call(sim, "auth.test", first.bot_token)
    assert (await call(sim, "auth.test", first.bot_token))["ok"]


async def test_a_server_that_fails_and_an_error_by_name(sim: SlackSim, first: First) -> None:
    await sim.ask(FailCalls(method="auth.test", kind="status", status=502, times=1))
    await sim.ask(FailCalls(method="auth.test", kind="error", error="fatal_error", times=1, app_id=first.app.id))
    assert (await raw(sim, "auth.test", first.bot_token, b"{}", "application/json"))[0] == 502
    assert (await call(sim, "auth.test", first.bot_token))["error"] == "fatal_error"
    await sim.ask(FailCalls(kind="error", app_id="A0OTHER"))
    assert (await call(sim, "auth.test", first.bot_token))["ok"]
    (_, _, last) = await sim.calls("auth.test")
    assert (last.status, last.error, last.fault) == (200, None, None)


async def test_a_slow_call_and_all_well_again(sim: SlackSim, first: First) -> None:
    await sim.ask(FailCalls(method="auth.test", delay_s=30))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await call(sim, "auth.test", first.bot_token)
    await sim.ask(ClearFaults())
    assert (await call(sim, "auth.test", first.bot_token))["ok"]


async def test_some_of_the_calls_fail_by_chance(sim: SlackSim, first: First) -> None:
    await sim.ask(SetLimits(on=False))
    await sim.ask(FailCalls(method="auth.test", kind="error", share=0.5))
    failed = [not (await call(sim, "auth.test", first.bot_token))["ok"] for _ in range(60)]
    assert 10 < sum(failed) < 50


async def test_in_a_blackhole_nothing_passes_and_no_connection_ends(sim: SlackSim, first: First) -> None:
    async with listening(sim, first) as socket:
        await sim.ask(Blackhole(seconds=1.0))
        await sim.say(first.you, first.general, "into the dark")
        calling = asyncio.create_task(call(sim, "auth.test", first.bot_token))
        await socket.socket.ping(b"anybody there?")
        await asyncio.sleep(0.3)
        assert not socket.envelopes
        assert not calling.done()
        await socket.saying("into the dark")
        assert (await calling)["ok"]
        await sim.wait(Settled())
        assert not socket.socket.closed


async def test_new_sockets_are_refused_for_a_while(sim: SlackSim, first: First) -> None:
    url = await address(sim, first)
    await sim.ask(RefuseSockets(seconds=600, status=503))
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            await session.ws_connect(url)
        await sim.ask(ClearFaults())
        async with session.ws_connect(url) as socket:
            assert json.loads((await socket.receive()).data)["type"] == "hello"


async def test_acknowledgements_are_slow(sim: SlackSim, first: First) -> None:
    await sim.ask(TroubleLinks(ack_delay_s=0.2))
    async with listening(sim, first):
        await sim.say(first.you, first.general, "hi")
        await sim.wait(Settled())
    (delivery,) = await sim.envelopes()
    assert delivery.acknowledged_at is not None
    assert delivery.acknowledged_at - delivery.made_at >= 0.2


async def test_the_sdk_says_what_happened(first: First, bot: AsyncWebClient, sim: SlackSim) -> None:
    await sim.ask(FailCalls(method="chat.postMessage", kind="error", error="ekm_access_denied"))
    with pytest.raises(SlackApiError, match="ekm_access_denied"):
        await bot.chat_postMessage(channel=first.general, text="hi")
    assert (await sim.ask(ReadCounts())).errors == {"chat.postMessage ekm_access_denied": 1}


async def test_what_the_control_api_cannot_do_it_says(sim: SlackSim, first: First) -> None:
    with pytest.raises(Refused, match="say was refused: channel_not_found"):
        await sim.ask(Say(user_id=first.you, channel_id="C0", text="hi"))
    async with aiohttp.ClientSession() as session:
        for path, body, status, said in (
            ("say", b"{", 400, "Invalid JSON"),
            ("say", b'{"user_id": 1, "more": 2}', 400, "more: Extra inputs are not permitted"),
            ("shout", b"{}", 404, "there is no operation shout"),
            ("wait", b'{"until": {"what": "nothing"}}', 400, "until"),
        ):
            async with session.post(f"{sim.address}/_sim/{path}", data=body) as answer:
                assert answer.status == status
                assert said in (await answer.json())["message"]
        async with session.get(f"{sim.address}/_sim/") as answer:
            assert (await answer.json())["say"]["takes"]["required"] == ["user_id", "channel_id"]


async def test_another_page_in_the_browser_may_not_act_here(sim: SlackSim, first: First) -> None:
    said = {"user_id": first.you, "channel_id": first.general, "text": "hi"}
    async with aiohttp.ClientSession() as session:
        for headers in ({"Origin": "https://elsewhere.example"}, {"Host": "elsewhere.example"}, {"Origin": "null"}):
            async with session.post(f"{sim.address}/_sim/say", json=said, headers=headers) as answer:
                assert answer.status == 403
        async with session.post(f"{sim.address}/_sim/say", json=said, headers={"Origin": sim.address}) as answer:
            assert answer.status == 200


async def test_waiting_says_what_there_was_when_it_did_not_come(sim: SlackSim, first: First) -> None:
    await sim.say(first.you, first.general, "hi")
    with pytest.raises(NotInTime, match=r"did not come within 0\.2 s; there were"):
        await sim.wait(AMessage(channel_id=first.general, contains="hello"), timeout_s=0.2)
