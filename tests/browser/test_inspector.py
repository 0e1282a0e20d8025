"""The inspector: what apps called, what they were told, what went wrong, and nothing that is secret."""

import json
import re
from typing import Any

import pytest
from playwright.async_api import Locator, expect
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import FailCalls
from services.slack_sim.control.conditions import Settled
from tests.browser.agents import connected, made
from tests.browser.chat import Chat, Opener
from tests.slack_sim.first import First


def rows(chat: Chat, name: str = "") -> Locator:
    return chat.page.locator("#records > li:visible").filter(has_text=name)


async def test_it_lists_calls_and_deliveries_as_they_come(
    chat: Chat, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    agent = made(sim, first)

    @agent.event(re.compile("app_mention|message"))
    async def take() -> None: ...

    await chat.page.get_by_role("button", name="Inspector").click()
    await expect(chat.page.get_by_role("heading", name="Inspector")).to_be_visible()
    async with connected(agent, sim, first):
        await sim.say(first.you, first.general, f"<@{first.bot_user}> hi")
        await sim.wait(Settled(), 30)
        await expect(rows(chat, "app_mention")).to_contain_text("ack ")
        await bot.chat_postMessage(channel=first.general, text="Hello")
        await expect(rows(chat, "chat.postMessage")).to_contain_text(" ms")
        await expect(rows(chat).first.locator("b")).to_have_text("message")
        await expect(chat.page.locator("#record-counts")).to_contain_text("1 socket")
    await expect(chat.page.locator("#record-counts")).to_contain_text("0 sockets")


async def test_it_is_filtered(opened: Opener, sim: SlackSim, bot: AsyncWebClient) -> None:
    await sim.ask(FailCalls(method="auth.test", kind="error", error="fatal_error", times=1))
    await bot.api_test()
    with pytest.raises(SlackApiError, match="fatal_error"):
        await bot.auth_test()
    chat = await opened(inspector="1")
    await expect(rows(chat)).to_have_count(2)
    await chat.page.get_by_label("Filter", exact=True).fill("api.te")
    await expect(rows(chat)).to_have_count(1)
    await bot.api_test()
    await expect(rows(chat)).to_have_count(2)
    await chat.page.get_by_label("Filter", exact=True).fill("")
    await chat.page.get_by_label("Kind").select_option(label="Errors")
    await expect(rows(chat)).to_have_count(1)
    await expect(rows(chat)).to_contain_text("fatal_error")
    await expect(rows(chat)).to_contain_text("fault: error")
    await chat.page.get_by_label("Kind").select_option(label="Events")
    await expect(rows(chat)).to_have_count(0)


async def test_details_are_shown_and_copied_without_secrets(
    opened: Opener, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    chat = await opened(inspector="1")
    text = f"my token is {first.bot_token}"
    await bot.chat_postMessage(channel=first.general, text=text, metadata={"event_type": "x", "event_payload": {}})
    await sim.say(first.you, first.general, "told")
    await rows(chat, "chat.postMessage").click()
    details = chat.page.get_by_role("region", name="Details")
    await expect(details).to_contain_text('"method": "chat.postMessage"')
    await details.get_by_role("button", name="Copy").click()
    await expect(chat.page.get_by_text("Copied.")).to_be_visible()
    copied = await copied_by(chat)
    assert copied["arguments"]["channel"] == first.general
    assert "[redacted]" in copied["arguments"]["text"]
    await chat.page.get_by_role("button", name="Copy JSON").click()
    await expect(chat.page.get_by_text("Copied.")).to_have_count(2)
    everything = await copied_by(chat)
    told = [each for each in everything if each["kind"] == "events_api"]
    assert {each["payload"]["token"] for each in told} == {"[redacted]"}
    written = json.dumps(everything)
    for secret in (first.bot_token, first.app.app_token, first.app.verification_token, first.app.signing_secret):
        assert secret not in written
    await details.get_by_role("button", name="Close").click()
    await expect(details).to_have_count(0)


async def copied_by(chat: Chat) -> Any:
    return json.loads(await chat.measure("navigator.clipboard.readText()"))


async def test_it_stays_open_while_somebody_looks_elsewhere(opened: Opener) -> None:
    chat = await opened(inspector="1")
    await chat.visit("support")
    await expect(chat.page.get_by_role("heading", name="Inspector")).to_be_visible()
    await chat.page.get_by_role("link", name="Close the inspector").click()
    await expect(chat.page.get_by_role("heading", name="Inspector")).to_have_count(0)
    await chat.visit("general")
    await expect(chat.page.get_by_role("heading", name="Inspector")).to_have_count(0)
