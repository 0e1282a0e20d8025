"""A reply that is written while people read it: it grows in its place, and can be stopped."""

from typing import Any

import pytest
from playwright.async_api import expect
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.conditions import AMessage, AReaction
from services.slack_sim.simulation import Simulation
from tests.browser.agents import connected, made
from tests.browser.chat import Opener
from tests.slack_sim.first import First

LINE = "- another thing that was found out while the reader reads\n"
AT_END = "(box => box.scrollHeight - box.scrollTop - box.clientHeight < 4)(document.getElementById('replies'))"
TOP = "document.getElementById('replies').scrollTop"


async def begun(bot: AsyncWebClient, sim: SlackSim, first: First) -> tuple[str, str]:
    """A question, and a stream below it."""
    root = await sim.say(first.you, first.general, f"<@{first.bot_user}> what is it?")
    started = await bot.chat_startStream(
        channel=first.general, thread_ts=root, recipient_user_id=first.you, recipient_team_id=first.team
    )
    return root, str(started["ts"])


async def test_it_grows_and_the_reader_stays_at_its_end(
    opened: Opener, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    root, ts = await begun(bot, sim, first)
    chat = await opened(channel=first.general, thread=root)
    growing = chat.page.locator(f"[id='t-{ts}']")
    await expect(growing).to_have_attribute("aria-busy", "true")
    other = await chat.page.locator(f"[id='t-{root}']").element_handle()
    same = await growing.element_handle()
    await bot.chat_appendStream(channel=first.general, ts=ts, markdown_text="# Found\n\n**Two** things")
    await expect(growing.locator("strong")).to_have_text("Two")
    await bot.chat_appendStream(channel=first.general, ts=ts, markdown_text=" are wrong:\n\n")
    await expect(growing).to_contain_text("Two things are wrong:")
    for _ in range(60):
        await bot.chat_appendStream(channel=first.general, ts=ts, markdown_text=LINE)
    await expect(growing.locator("li")).to_have_count(60)
    await expect(growing.locator("li").last).to_be_in_viewport()
    assert await chat.measure(AT_END)
    await bot.chat_stopStream(channel=first.general, ts=ts, markdown_text="\nThat is all.")
    await expect(growing).to_contain_text("That is all.")
    await expect(growing).not_to_have_attribute("aria-busy", "true")
    assert other is not None
    assert same is not None
    assert await other.evaluate("node => node.isConnected")
    assert await same.evaluate("node => node.isConnected"), "it was changed, and not put in anew"


async def test_who_reads_further_up_is_left_there(
    opened: Opener, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    root, ts = await begun(bot, sim, first)
    await bot.chat_appendStream(channel=first.general, ts=ts, markdown_text=LINE * 60)
    chat = await opened(channel=first.general, thread=root)
    await expect(chat.thread.locator("li").last).to_be_in_viewport()
    await chat.thread.hover()
    await chat.page.mouse.wheel(0, -100_000)
    await expect(chat.thread.locator("article").first).to_be_in_viewport()
    await chat.page.wait_for_function(f"{TOP} === 0")
    await bot.chat_appendStream(channel=first.general, ts=ts, markdown_text=LINE * 60)
    await expect(chat.thread.locator("li")).to_have_count(120)
    assert await chat.measure(TOP) == 0


async def test_a_reaction_can_be_put_on_it_while_it_grows(
    opened: Opener, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    root, ts = await begun(bot, sim, first)
    await bot.chat_appendStream(channel=first.general, ts=ts, markdown_text=LINE * 10)
    chat = await opened(channel=first.general, thread=root)
    await chat.thread.get_by_role("article").last.hover()
    await chat.thread.get_by_role("article").last.get_by_role("button", name="React").click()
    await bot.chat_appendStream(channel=first.general, ts=ts, markdown_text=LINE * 60)
    await expect(chat.thread.locator("li")).to_have_count(70)
    await expect(chat.thread.locator("li").last).to_be_in_viewport()
    await chat.page.get_by_role("menuitem", name="octagonal_sign").click()
    await sim.wait(AReaction(channel_id=first.general, ts=ts, name="octagonal_sign"), 30)


async def test_what_is_selected_stays_selected(
    opened: Opener, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    root, ts = await begun(bot, sim, first)
    await bot.chat_appendStream(channel=first.general, ts=ts, markdown_text="Copy these words.\n\n")
    chat = await opened(channel=first.general, thread=root)
    words = chat.thread.get_by_text("Copy these words.")
    await words.select_text()
    await bot.chat_appendStream(channel=first.general, ts=ts, markdown_text="And then more")
    await expect(chat.thread).to_contain_text("And then more")
    assert await chat.measure("String(getSelection())") == "Copy these words."


async def test_a_plan_and_its_tasks_are_shown(opened: Opener, sim: SlackSim, bot: AsyncWebClient, first: First) -> None:
    root, ts = await begun(bot, sim, first)
    chat = await opened(channel=first.general, thread=root)

    async def tell(*chunks: dict[str, Any]) -> None:
        await bot.chat_appendStream(channel=first.general, ts=ts, chunks=list(chunks))

    await tell({"type": "plan_update", "title": "The plan"})
    await tell({"type": "task_update", "id": "1", "title": "Look", "status": "in_progress"})
    await expect(chat.thread.get_by_role("img", name="in progress")).to_be_visible()
    await tell({"type": "task_update", "id": "1", "title": "Look", "status": "complete", "output": "Seen"})
    await expect(chat.thread.get_by_role("img", name="done")).to_be_visible()
    await expect(chat.thread).to_contain_text("Seen")


async def test_stop_ends_it(opened: Opener, sim: SlackSim, bot: AsyncWebClient, first: First) -> None:
    agent = made(sim, first)
    stopped: list[dict[str, Any]] = []

    @agent.event("agent_session_stopped")
    async def stop(event: dict[str, Any]) -> None:
        stopped.append(event)
        await bot.chat_postMessage(channel=first.general, thread_ts=root, text="I stopped")

    root, ts = await begun(bot, sim, first)
    await bot.chat_appendStream(channel=first.general, ts=ts, markdown_text="Once upon a time")
    async with connected(agent, sim, first):
        chat = await opened(channel=first.general, thread=root)
        await expect(chat.page.locator("#thread-status")).to_contain_text("Mara is working…")
        await chat.page.get_by_role("button", name="Stop").click()
        await expect(chat.thread).to_contain_text("I stopped")
        await expect(chat.page.get_by_role("button", name="Stop")).to_have_count(0)
        await expect(chat.page.locator(f"[id='t-{ts}']")).to_contain_text("Stopped")
    assert stopped[0]["streaming_message_ts"] == [ts]
    with pytest.raises(SlackApiError, match="stopped_by_user"):
        await bot.chat_appendStream(channel=first.general, ts=ts, markdown_text="more")


async def test_a_session_at_work_can_be_stopped_from_its_thread(
    opened: Opener, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    root = await sim.say(first.you, first.general, "do it")
    chat = await opened(channel=first.general)
    session = {"channel_id": first.general, "thread_ts": root, "status": "processing", "title": "Doing it"}
    await bot.api_call("agents.sessions.setStatus", json=session)
    await expect(chat.message("do it")).to_contain_text("working…")
    await chat.message("do it").locator(".summary").click()
    await expect(chat.page.locator("#thread-title")).to_have_text("Doing it")
    await expect(chat.page.get_by_role("button", name="Stop")).to_be_visible()
    await bot.api_call("agents.sessions.setStatus", json=session | {"status": "active"})
    await expect(chat.page.get_by_role("button", name="Stop")).to_have_count(0)


async def test_thousands_of_changes_are_told_in_few_frames(
    opened: Opener, slack: Simulation, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    root, ts = await begun(bot, sim, first)
    chat = await opened(channel=first.general, thread=root)
    frames: list[str] = []
    sockets = chat.page.context.pages[0]
    await sockets.evaluate("performance.clearResourceTimings()")
    sockets.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))))
    await chat.page.reload()
    await expect(chat.page.locator("body[data-live]")).to_be_attached()
    message = slack.world.conversations[first.general].messages[ts]
    for number in range(5000):
        message.text += f"{number} "
        slack.streams.touched(message)
    await expect(chat.thread).to_contain_text("4999")
    assert len(frames) < 50
    assert (await sim.wait(AMessage(channel_id=first.general, contains="4999", streaming=True)))["ts"] == ts
