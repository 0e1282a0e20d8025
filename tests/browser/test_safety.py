"""What is wrong, strange or meant badly does no harm; and a page that nobody looks at costs nothing."""

import json
from typing import Any

import aiohttp
import pytest
from playwright.async_api import expect
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import Reset
from services.slack_sim.page.server import STATIC
from services.slack_sim.simulation import Simulation
from tests.browser.chat import Chat, Opener
from tests.browser.test_blocks import button, plain, section
from tests.slack_sim.first import First

EVIL = "<script>document.title='caught'</script><img src=x onerror=\"document.title='caught'\">"
LINKS = (
    "<javascript:alert(1)|one> [two](javascript:alert(2)) <data:text/html,x|three> <https://a.example/?\"'><b>|four>"
)


async def test_markup_in_messages_is_only_text(
    chat: Chat, opened: Opener, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    await sim.say(first.you, first.general, f"user {EVIL} {LINKS}")
    evil = {"type": "button", "text": plain(EVIL[:70]), "action_id": '"><b>', "value": EVIL}
    blocks = [section(f"blocks {EVIL}", block_id='"><i>'), {"type": "actions", "elements": [evil]}]
    await bot.chat_postMessage(channel=first.general, text="x", blocks=blocks, username=EVIL)
    await bot.chat_postMessage(
        channel=first.general, text="x", attachments=[{"title": EVIL, "title_link": "javascript:1", "text": EVIL}]
    )
    await bot.chat_postEphemeral(channel=first.general, user=first.you, text=f"only {EVIL}")
    begin = {"channel": first.general, "recipient_user_id": first.you, "recipient_team_id": first.team}
    stream = await bot.api_call("chat.startStream", json=begin)
    await bot.chat_appendStream(
        channel=first.general, ts=str(stream["ts"]), markdown_text=f"stream {EVIL}\n\n{LINKS}\n\n# {EVIL}"
    )
    for page in (chat, await opened(inspector="1")):
        for words in ("user <script>", "blocks <script>", "only <script>", "stream <script>"):
            await expect(page.message(words)).to_be_visible()
        assert await page.page.locator("#messages :is(script, img, i)").count() == 0
        hrefs = await page.page.locator("#messages a[href]").evaluate_all("all => all.map(each => each.protocol)")
        assert set(hrefs) <= {"http:", "https:"}
        assert await page.page.title() != "caught"


async def test_an_address_that_names_nothing_leads_to_what_comes_first(opened: Opener, first: First) -> None:
    chat = await opened(team="T-none", user="<b>", channel="C-none", thread="x", inspector="perhaps", tab="home")
    await expect(chat.page.get_by_role("heading", name="#general")).to_be_visible()
    other = await opened(user=first.colleague, channel=first.support, thread="1.000000")
    await expect(other.page.get_by_role("heading", name="#support")).to_be_visible()
    await expect(other.thread).to_have_count(0)


@pytest.mark.parametrize(
    "query", ["team=%ff%fe", "channel=" + "x" * 5000, "thread=%00", "user=%F0%9F%98%80", "a&b=&=c"]
)
async def test_odd_addresses_are_served(slack: Simulation, query: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{slack.address}/?{query}") as answer:
        assert answer.status == 200
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]


ODD: list[Any] = [
    None,
    7,
    [],
    {},
    {"what": "say"},
    {"what": "fly", "user": "U1"},
    {"what": "say", "user": 7, "channel": "C", "text": "x"},
    {"what": "press", "user": "U1", "action": "a", "value": {"deep": {}}},
    {"what": "react", "user": "U1", "channel": "C", "ts": "1", "name": "<b>"},
]


@pytest.mark.parametrize("said", ODD)
async def test_odd_acts_are_refused_with_a_reason(slack: Simulation, said: Any) -> None:
    told = json.dumps(said)
    async with aiohttp.ClientSession() as session, session.post(f"{slack.address}/page/act", data=told) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]


async def test_acts_that_cannot_be_are_refused_with_a_reason(
    slack: Simulation, bot: AsyncWebClient, first: First
) -> None:
    when = {"type": "datetimepicker", "action_id": "when"}
    posted = await bot.chat_postMessage(
        channel=first.general, text="x", blocks=[{"type": "actions", "elements": [when]}]
    )
    place = {"user": first.you, "channel": first.general}
    acts = [
        (409, {"what": "say", "user": "U-none", "channel": first.general, "text": "x"}),
        (409, {"what": "say", "user": first.bot_user, "channel": first.general, "text": "x"}),
        (409, {"what": "say", **place, "text": "  "}),
        (409, {"what": "delete", **place, "ts": "1.000000"}),
        (409, {"what": "submit", "user": first.you, "view": "V-none", "values": []}),
        (409, {"what": "stop", **place, "thread": "1.000000", "app": first.app.id}),
        (409, {"what": "open", "user": first.you, "app": "A-none"}),
        (409, {"what": "command", **place, "line": "/none"}),
        (409, {"what": "press", **place, "ts": posted["ts"], "action": "when", "value": "never"}),
    ]
    async with aiohttp.ClientSession() as session:
        for status, act in acts:
            async with session.post(f"{slack.address}/page/act", json=act) as answer:
                assert (answer.status, bool((await answer.json())["error"])) == (status, True), act
        async with session.post(f"{slack.address}/page/act", data=b"\xff{") as answer:
            assert answer.status == 400
        async with session.post(
            f"{slack.address}/page/act", json=acts[0][1], headers={"Origin": "http://evil"}
        ) as answer:
            assert answer.status == 403
        for path in ("/static/none.css", "/static/..%2fserver.py", "/static/../server.py"):
            async with session.get(f"{slack.address}{path}") as answer:
                assert answer.status == 404
        async with session.get(f"{slack.address}/page/records?of=call-x,told-%00,{'9' * 400}") as answer:
            assert (answer.status, await answer.json()) == (200, [])


async def test_a_socket_that_says_rubbish_is_still_told(slack: Simulation, sim: SlackSim, first: First) -> None:
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{slack.address}/page/live") as socket:
        for said in ("", "{", "7", '{"go": 7}', '{"more": "x"}', "[" * 5000, '{"go": "?team=%ff&channel=[]"}'):
            await socket.send_str(said)
        assert (await socket.receive_json())[0]["id"] == "app"
        await sim.say(first.you, first.general, "still here")
        assert "still here" in json.dumps(await socket.receive_json())


async def test_nothing_watches_while_no_page_is_open(slack: Simulation, opened: Opener, sim: SlackSim) -> None:
    watched = (slack.world.watchers, slack.calls.watchers, slack.dispatcher.watchers, slack.sockets.watchers)
    before = [len(each) for each in watched]
    chat = await opened()
    other = await opened()
    assert [len(each) for each in watched] == [each + 1 for each in before]
    await chat.page.close()
    await other.page.close()
    async with aiohttp.ClientSession() as session:
        while [len(each) for each in watched] != before:
            async with session.get(f"{sim.address}/_sim/") as answer:
                assert answer.ok


async def test_a_world_that_begins_anew_is_shown(chat: Chat, sim: SlackSim, first: First) -> None:
    await sim.say(first.you, first.general, "before")
    await expect(chat.message("before")).to_be_visible()
    await sim.ask(Reset())
    await expect(chat.message("before")).to_have_count(0)
    await chat.say("after")
    await expect(chat.message("after")).to_be_visible()


async def test_a_reaction_to_what_has_gone_is_told_as_a_note(chat: Chat, bot: AsyncWebClient, first: First) -> None:
    blocks = [{"type": "actions", "elements": [button("Press", "press")]}]
    posted = await bot.chat_postMessage(channel=first.general, text="x", blocks=blocks)
    await chat.page.get_by_role("button", name="Press").wait_for()
    await chat.page.evaluate("document.querySelector('[data-action=press]').dataset.action = 'gone'")
    await chat.page.get_by_role("button", name="Press").click()
    await expect(chat.page.get_by_role("alert")).to_contain_text("no longer there")
    await bot.chat_delete(channel=first.general, ts=str(posted["ts"]))
    await expect(chat.page.get_by_role("button", name="Press")).to_have_count(0)


def test_the_page_is_light() -> None:
    assert sum(each.stat().st_size for each in STATIC.iterdir()) < 62_000
