"""What a person sees and presses in the chat page, with the whole product behind it."""

import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, expect

from bench.beds.models import Fails, ModelServer, Says
from services.slack_sim.control.conditions import AMessage
from tests.browser.chat import Chat, Opener
from tests.browser.conftest import PATIENCE_MS, browser
from tests.pipeline.town import Town
from tests.slack_sim.first import First

__all__ = ["browser"]

WORDS = " ".join(f"word{number}" for number in range(2000))


@pytest.fixture
async def opened(browser: Browser, town: Town) -> AsyncIterator[Opener]:
    """Opens pages on the town's Slack. None of them may have said that something went wrong in it."""
    opener = Opener(browser, town.slack.address, town.acme.first, PATIENCE_MS)
    try:
        yield opener
    finally:
        await opener.close()
    assert opener.problems == []


async def asked(opened: Opener, first: First, text: str) -> Chat:
    """Somebody mentions the agent in the page, and opens the thread when something stands in it."""
    chat = await opened(team=first.team, user=first.you, channel=first.general)
    await chat.composer.fill("@Ma")
    await expect(chat.page.get_by_role("option", name="Mara")).to_be_visible()
    await chat.composer.press("Enter")
    await chat.composer.press_sequentially(text)
    await chat.composer.press("Enter")
    await chat.message(text).get_by_role("link", name="1 reply").click()
    await expect(chat.thread).to_be_visible()
    return chat


def answer_in(chat: Chat) -> Locator:
    """What stands under the question."""
    return chat.thread.get_by_role("article").nth(1)


def press(answer: Locator, name: str) -> Locator:
    """A button in it."""
    return answer.get_by_role("button", name=name)


async def test_an_answer_grows_in_the_page_and_is_stopped_by_its_button(
    opened: Opener, town: Town, model: ModelServer
) -> None:
    first = town.acme.first
    model.does(Says(WORDS, chunk=9, pause_s=0.1))
    chat = await asked(opened, first, "Vera, go on")
    answer = answer_in(chat)
    await expect(press(answer, "Stop")).to_be_visible()
    await expect(answer).to_contain_text("word3")
    before = len(await answer.inner_text())
    await expect(answer).to_contain_text("word30 ")
    assert len(await answer.inner_text()) > before
    await press(answer, "Stop").click()
    await expect(answer).to_contain_text("Stopped by @You")
    await expect(answer).to_contain_text("word30 ")
    await expect(press(answer, "Stop")).to_have_count(0)
    await expect(press(answer, "Why?")).to_be_visible()


async def test_what_failed_can_be_tried_again(opened: Opener, town: Town, model: ModelServer) -> None:
    first = town.acme.first
    model.does(Fails(404, "model_not_found"), Says("Now it works: **42**."))
    chat = await asked(opened, first, "Vera, try this")
    failed = answer_in(chat)
    await expect(failed).to_contain_text("The language model that is set does not exist")
    await press(failed, "Try again").click()
    await expect(chat.thread).to_contain_text("Now it works: 42.")
    await expect(chat.thread.locator("strong", has_text="42")).to_be_visible()


async def test_why_is_shown_to_who_asks_and_a_thumb_is_thanked(opened: Opener, town: Town) -> None:
    first = town.acme.first
    chat = await asked(opened, first, "what do you see?")
    answer = answer_in(chat)
    await expect(press(answer, "Why?")).to_be_visible()
    root = await town.acme.sim.wait(AMessage(channel_id=first.general, contains="what do you see?"))
    other = await opened(team=first.team, user=first.colleague, channel=first.general, thread=root["ts"])
    await press(answer, "Why?").click()
    await expect(chat.thread).to_contain_text("Why this reply")
    await expect(chat.thread).to_contain_text(re.compile(r"received \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"))
    for words in ("@You mentioned the agent", "mara", "rehearsal", "It was answered in full."):
        await expect(chat.thread).to_contain_text(words)
    await press(answer, "Good answer").click()
    await expect(chat.thread).to_contain_text("Thank you, noted: this helped.")
    await expect(other.thread).to_contain_text("what do you see?")
    await expect(other.thread).not_to_contain_text("Why this reply")
    await expect(other.thread).not_to_contain_text("Thank you")
