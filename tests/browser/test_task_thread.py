"""A supervised task's thread as people use it in Slack: they watch, approve, reject, choose, answer and command."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Locator, expect

from bench.beds.supervisor import Reporter
from tests.browser.chat import Chat, Opener
from tests.browser.conftest import PATIENCE_MS
from tests.conftest import fresh, topics_of
from tests.databases import Databases
from tests.supervisor.conftest import Watch, watching

ARGUMENTS = {"to": "production <eu & us>", "hosts": [f"shop-{number}.acme.example" for number in range(120)]}
REASON = "Not on a Friday\nTry again on Monday"


@pytest.fixture(scope="module")
async def watch(brokers: str, databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watch]:
    """One for all tests of a module."""
    async with topics_of(fresh(brokers)) as kafka, watching(kafka, databases, tmp_path_factory.mktemp("t")) as found:
        yield found


@pytest.fixture
async def opened(browser: Browser, watch: Watch) -> AsyncIterator[Opener]:
    """Opens pages at the Slack that is watched. None of them may have said that something went wrong in it."""
    opener = Opener(browser, watch.sim.address, watch.first, PATIENCE_MS)
    try:
        yield opener
    finally:
        await opener.close()
    assert opener.problems == []


def head(chat: Chat) -> Locator:
    """A task's own message, at the top of its channel."""
    return chat.message("Deploy version 4").filter(has_not_text="Only visible to you")


def request(chat: Chat, action: str) -> Locator:
    """What a program asks for, in its task's thread."""
    return chat.thread.get_by_role("article").filter(has_text="deployer asks").filter(has_text=action)


def controls(message: Locator) -> Locator:
    """What the app lets people press or choose under a message."""
    return message.locator("[data-action]")


def whisper(log: Locator, words: str) -> Locator:
    """What whoever looks is told alone."""
    return log.get_by_role("article").filter(has_text="Only visible to you").filter(has_text=words)


async def look_into(chat: Chat, agent: Reporter) -> None:
    """Goes to a task's channel, and opens its thread once something stands in it."""
    await chat.visit(agent.task_id)
    await head(chat).get_by_role("link", name="1 reply").click()
    await expect(chat.thread).to_be_visible()


async def write(chat: Chat, label: str, words: str, send: str) -> None:
    """Fills in the form that is opened, and sends it."""
    await expect(chat.modal.get_by_role("heading", name="Agent deployer")).to_be_visible()
    await chat.modal.get_by_label(label).fill(words)
    await chat.modal.get_by_role("button", name=send).click()
    await expect(chat.modal).not_to_be_visible()


async def test_a_task_is_watched_approved_and_ends_in_its_thread(watch: Watch, opened: Opener) -> None:
    agent, chat = await watch.reporter("watched"), await opened(user=watch.first.you)
    await agent.start(repo_scope="acme/shop", context_size=100_000)
    await chat.visit(agent.task_id)
    await expect(head(chat)).to_contain_text("🚀 Agent deployer – STARTING")
    await agent.checkpoint("Running the tests", progress=0.4, context_used=42_000)
    await expect(head(chat)).to_contain_text("⚙️ Agent deployer – WORKING")
    for words in ("▓▓▓▓░░░░░░ 40%", "Running the tests", "acme/shop", "42,000 / 100,000 (42%)", agent.task_id):
        await expect(head(chat)).to_contain_text(words)
    await expect(controls(head(chat))).to_have_text(["Cancel"])
    name = await agent.ask_to("deploy version 4 to production", ARGUMENTS)
    await look_into(chat, agent)
    await expect(head(chat)).to_contain_text("✋ Agent deployer – WAITING FOR APPROVAL")
    asking = request(chat, "deploy version 4 to production")
    await expect(asking).to_contain_text("✋ deployer asks to be allowed")
    shown = "".join(await asking.locator("pre").all_text_contents())
    assert shown == json.dumps(ARGUMENTS, indent=2, sort_keys=True)
    await expect(controls(asking)).to_have_text(["Approve", "Reject…"])
    await asking.get_by_role("button", name="Approve").click()
    answer = await agent.answer(name)
    assert (answer["state"], answer["decided_by"]) == ("approved", watch.first.you)
    await expect(asking).to_contain_text("Approved by @You")
    await expect(controls(asking)).to_have_count(0)
    await agent.end(summary="All is green")
    await expect(head(chat)).to_contain_text("✅ Agent deployer – COMPLETE")
    await expect(head(chat)).to_contain_text("All is green")
    await expect(controls(head(chat))).to_have_count(0)
    await expect(chat.thread).to_contain_text("deployer: complete after")


async def test_somebody_rejects_with_a_reason_in_a_form(watch: Watch, opened: Opener) -> None:
    agent, chat = await watch.reporter("rejected"), await opened(user=watch.first.you)
    await agent.start()
    name = await agent.ask_to("deploy to production", {"version": 4})
    await look_into(chat, agent)
    asking = request(chat, "deploy to production")
    await expect(controls(asking)).to_have_text(["Approve", "Reject…"])
    await asking.get_by_role("button", name="Reject…").click()
    await expect(chat.modal).to_contain_text("deploy to production")
    await write(chat, "Why not?", REASON, "Reject")
    answer = await agent.answer(name)
    assert (answer["state"], answer["reason"], answer["decided_by"]) == ("rejected", REASON, watch.first.you)
    await expect(asking).to_contain_text("Rejected by @You")
    await expect(asking.locator("blockquote")).to_have_text(REASON)
    await expect(controls(asking)).to_have_count(0)
    await agent.end("cancelled")


async def test_a_choice_and_a_question_are_answered_in_the_page(watch: Watch, opened: Opener) -> None:
    agent, chat = await watch.reporter("asked"), await opened(user=watch.first.you)
    await agent.start()
    choice = await agent.ask_to("Which region", {}, kind="choice", choices=["Frankfurt", "Oregon", "Tokyo"])
    await look_into(chat, agent)
    asking = request(chat, "Which region")
    await expect(asking).to_contain_text("✋ deployer asks for a choice")
    await expect(controls(asking)).to_have_count(2)
    await asking.get_by_label("Choose…").select_option(label="Oregon")
    answer = await agent.answer(choice)
    assert (answer["state"], answer["answer"], answer["decided_by"]) == ("chosen", "Oregon", watch.first.you)
    await expect(asking).to_contain_text("Chosen by @You: Oregon")
    await expect(controls(asking)).to_have_count(0)
    question = await agent.ask_to("What is it called", {}, kind="question")
    asking = request(chat, "What is it called")
    await expect(controls(asking)).to_have_text(["Answer…", "Reject…"])
    await asking.get_by_role("button", name="Answer…").click()
    await write(chat, "Your answer", "The new one", "Send")
    answer = await agent.answer(question)
    assert (answer["state"], answer["answer"], answer["decided_by"]) == ("answered", "The new one", watch.first.you)
    await expect(asking).to_contain_text("Answered by @You")
    await expect(asking.locator("blockquote")).to_have_text("The new one")
    await expect(controls(asking)).to_have_count(0)
    await agent.end()


async def expect_unheard(chat: Chat) -> None:
    """Whoever looks sees what was said after it, and not what somebody else was told alone."""
    await expect(chat.thread).to_contain_text("I cannot approve it")
    await expect(chat.page.get_by_text("You may not decide this")).to_have_count(0)


async def test_who_may_not_is_told_alone_in_the_page(watch: Watch, opened: Opener) -> None:
    agent, you = await watch.reporter("may-not"), await opened(user=watch.first.you)
    colleague = await opened(user=watch.first.colleague)
    await agent.start()
    name = await agent.ask_to("deploy to production", {"version": 4})
    for chat in (you, colleague):
        await look_into(chat, agent)
    await request(colleague, "deploy to production").get_by_role("button", name="Approve").click()
    await expect(whisper(colleague.thread, "You may not decide this")).to_be_visible()
    await colleague.answering.fill("I cannot approve it")
    await colleague.answering.press("Enter")
    await expect_unheard(you)
    await you.page.reload()
    await expect_unheard(you)
    for chat in (you, colleague):
        await expect(controls(request(chat, "deploy to production"))).to_have_text(["Approve", "Reject…"])
    await request(you, "deploy to production").get_by_role("button", name="Approve").click()
    answer = await agent.answer(name)
    assert (answer["state"], answer["decided_by"]) == ("approved", watch.first.you)
    await expect(request(colleague, "Approved by @You")).to_be_visible()
    await agent.end()


async def test_commands_are_typed_in_the_page(watch: Watch, opened: Opener) -> None:
    agent, chat = await watch.reporter("commanded"), await opened(user=watch.first.you)
    colleague = await opened(user=watch.first.colleague)
    await agent.start()
    await agent.checkpoint("Reading the manual", progress=0.3)
    for each in (chat, colleague):
        await each.visit(agent.task_id)
        await expect(head(each)).to_contain_text("Reading the manual")
    await chat.say("/agent-task list")
    line = f"⚙️ Agent deployer – WORKING: Deploy version 4 ({agent.task_id}, 30%)"
    await expect(whisper(chat.channel, f"• {line}")).to_be_visible()
    await chat.say(f"/agent-task show {agent.task_id}")
    await expect(whisper(chat.channel, "Last action: Reading the manual")).to_contain_text(line)
    listening = asyncio.create_task(agent.alive(wait_s=20))
    await chat.say(f"/agent-task cancel {agent.task_id}")
    await expect(whisper(chat.channel, "Its agent is told to end it.")).to_be_visible()
    orders = await listening
    assert (orders["version"], orders["cancel"]["by"]) == (1, watch.first.you)
    for each in (chat, colleague):
        await look_into(each, agent)
        await expect(each.thread).to_contain_text("@You wants the task to end")
    await expect(colleague.channel.get_by_role("article")).to_have_count(1)
    await agent.end("cancelled")
    await expect(head(chat)).to_contain_text("🛑 Agent deployer – CANCELLED")
