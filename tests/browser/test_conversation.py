"""People and an agent talk: mentions, threads, reactions, edits, commands, direct messages."""

from typing import Any

from playwright.async_api import expect
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import AddChannel, ChangeApp
from services.slack_sim.control.conditions import AMessage, AReaction
from tests.browser.agents import connected, made
from tests.browser.chat import Chat, Opener
from tests.slack_sim.first import First


async def test_a_mention_is_completed_and_answered_in_a_thread(chat: Chat, sim: SlackSim, first: First) -> None:
    agent = made(sim, first)

    @agent.event("app_mention")
    async def answer(event: dict[str, Any], say: Any) -> None:
        await say(text="*Certainly* :tada:", thread_ts=event["ts"])

    async with connected(agent, sim, first):
        await chat.composer.fill("Hello @ma")
        await expect(chat.page.get_by_role("option", name="Mara")).to_be_visible()
        await chat.composer.press("Enter")
        await expect(chat.composer).to_have_value("Hello @Mara ")
        await chat.composer.press_sequentially("how are you?")
        await chat.composer.press("Enter")
        said = await sim.wait(AMessage(channel_id=first.general, contains="how are you"), 30)
        assert said["text"] == f"Hello <@{first.bot_user}> how are you?"
        await expect(chat.message("how are you?").locator(".mention")).to_have_text("@Mara")
        await chat.message("how are you?").get_by_role("link", name="1 reply").click()
        await expect(chat.thread.get_by_role("article")).to_have_count(2)
        await expect(chat.thread.locator("strong")).to_have_text("Certainly")
        await expect(chat.thread).to_contain_text("🎉")


async def test_a_reply_in_a_thread_appears_without_a_reload(
    chat: Chat, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    await chat.say("Who is there?")
    await chat.message("Who is there?").hover()
    await chat.message("Who is there?").get_by_role("link", name="Reply").click()
    await chat.answering.fill("I am")
    await chat.answering.press("Enter")
    await expect(chat.thread).to_contain_text("I am")
    root = await sim.wait(AMessage(channel_id=first.general, contains="Who is"), 30)
    await bot.chat_postMessage(channel=first.general, thread_ts=root["ts"], text="Me, too")
    await expect(chat.thread).to_contain_text("Me, too")
    await expect(chat.message("Who is there?")).to_contain_text("2 replies")
    await chat.page.get_by_label("Also send to the channel").check()
    await chat.answering.fill("For all to see")
    await chat.answering.press("Enter")
    await expect(chat.message("For all to see")).to_contain_text("replied to a thread")


async def test_shift_and_enter_begins_a_line(chat: Chat) -> None:
    await chat.composer.press_sequentially("one")
    await chat.composer.press("Shift+Enter")
    await chat.composer.press_sequentially("two")
    await expect(chat.composer).to_have_value("one\ntwo")
    await chat.composer.press("Enter")
    await expect(chat.message("two")).to_contain_text("one")


async def test_emoji_are_put_on_messages_and_taken_off(
    chat: Chat, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    ts = await sim.say(first.colleague, first.general, "Done")
    await bot.reactions_add(channel=first.general, timestamp=ts, name="eyes")
    eyes = chat.message("Done").locator(".reaction")
    await expect(eyes).to_have_text("👀1")
    await eyes.click()
    await expect(eyes).to_have_text("👀2")
    await expect(eyes).to_have_attribute("aria-pressed", "true")
    await eyes.click()
    await expect(eyes).to_have_text("👀1")
    await chat.message("Done").hover()
    await chat.message("Done").get_by_role("button", name="React").click()
    await chat.page.get_by_role("menuitem", name="tada").click()
    await sim.wait(AReaction(channel_id=first.general, ts=ts, name="tada"), 30)
    await chat.message("Done").hover()
    await chat.message("Done").get_by_role("button", name="React").click()
    await chat.page.get_by_label("Emoji's name").fill("party_parrot")
    await chat.page.get_by_label("Emoji's name").press("Enter")
    await expect(chat.message("Done")).to_contain_text(":party_parrot:")


async def test_own_messages_are_edited_and_deleted(chat: Chat, sim: SlackSim, first: First) -> None:
    ts = await sim.say(first.you, first.general, f"Hi <@{first.colleague}> &amp; all")
    await chat.message("& all").hover()
    await chat.message("& all").get_by_role("button", name="More").click()
    await chat.page.get_by_role("menuitem", name="Copy its link").click()
    link = await chat.measure("navigator.clipboard.readText()")
    assert link.endswith(f"/archives/{first.general}/p{ts.replace('.', '')}")
    await chat.message("& all").get_by_role("button", name="More").click()
    await chat.page.get_by_role("menuitem", name="Edit").click()
    editing = chat.page.locator("#editing textarea")
    await expect(editing).to_have_value("Hi @A Colleague & all")
    await editing.fill("Hello @A Colleague")
    await editing.press("Enter")
    await expect(chat.message("Hello")).to_contain_text("(edited)")
    await expect(chat.message("Hello").locator(".mention")).to_have_text("@A Colleague")
    await chat.message("Hello").hover()
    await chat.message("Hello").get_by_role("button", name="More").click()
    await chat.page.get_by_role("menuitem", name="Delete").click()
    await chat.page.get_by_role("button", name="Delete").click()
    await expect(chat.message("Hello")).to_have_count(0)


async def test_a_command_is_answered_to_one_person(chat: Chat, opened: Opener, sim: SlackSim, first: First) -> None:
    agent = made(sim, first)

    @agent.command("/agent-task")
    async def take(ack: Any, body: dict[str, Any]) -> None:
        await ack(f"Noted: {body['text']}")

    other = await opened(user=first.colleague)
    async with connected(agent, sim, first):
        await chat.composer.press_sequentially("/ag")
        await expect(chat.page.get_by_role("option", name="/agent-task")).to_be_visible()
        await chat.composer.press("Tab")
        await expect(chat.composer).to_have_value("/agent-task ")
        await chat.composer.press_sequentially("tidy up")
        await chat.composer.press("Enter")
        await expect(chat.message("Noted: tidy up")).to_contain_text("Only visible to you")
    await sim.say(first.you, first.general, "after it")
    await expect(other.message("after it")).to_be_visible()
    await expect(other.message("Noted")).to_have_count(0)


async def test_a_message_shortcut_reaches_its_app(chat: Chat, sim: SlackSim, first: First) -> None:
    agent = made(sim, first)

    @agent.shortcut("threadline:ask")
    async def take(ack: Any, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.chat_postMessage(channel=body["channel"]["id"], text=f"About: {body['message']['text']}")

    await sim.say(first.colleague, first.general, "odd")
    async with connected(agent, sim, first):
        await chat.message("odd").hover()
        await chat.message("odd").get_by_role("button", name="More").click()
        await chat.page.get_by_role("menuitem", name="Ask about this").click()
        await expect(chat.message("About: odd")).to_be_visible()


async def test_an_app_is_opened_at_its_messages_and_its_home(chat: Chat, sim: SlackSim, first: First) -> None:
    agent = made(sim, first)

    @agent.event("app_home_opened")
    async def opened(event: dict[str, Any], client: AsyncWebClient) -> None:
        text = {"type": "plain_text", "text": f"Opened at {event['tab']}"}
        home = {"type": "home", "blocks": [{"type": "header", "text": text}]}
        await client.views_publish(user_id=event["user"], view=home)

    async with connected(agent, sim, first):
        await chat.visit("Mara")
        await expect(chat.page.get_by_role("heading", name="Mara")).to_be_visible()
        await chat.say("Just us")
        await chat.page.get_by_role("button", name="Home").click()
        await expect(chat.page.get_by_role("heading", name="Opened at home")).to_be_visible()
        await chat.page.get_by_role("button", name="Messages").click()
        await expect(chat.message("Just us")).to_be_visible()


async def test_suggested_prompts_and_the_status_line(chat: Chat, sim: SlackSim, bot: AsyncWebClient) -> None:
    await chat.visit("Mara")
    await chat.say("hey")
    direct = str(await chat.measure("document.getElementById('app').dataset.channel"))
    root = (await sim.wait(AMessage(channel_id=direct, contains="hey"), 30))["ts"]
    await chat.message("hey").hover()
    await chat.message("hey").get_by_role("link", name="Reply").click()
    place = {"channel_id": direct, "thread_ts": root}
    prompts = [{"title": "Sum up", "message": "Please sum it up"}]
    await bot.assistant_threads_setSuggestedPrompts(**place, prompts=prompts)
    await bot.assistant_threads_setTitle(**place, title="A short talk")
    await bot.assistant_threads_setStatus(**place, status="is thinking…")
    await expect(chat.page.locator("#thread-title")).to_have_text("A short talk")
    await expect(chat.page.locator("#thread-status")).to_contain_text("Mara is thinking…")
    await chat.page.get_by_role("button", name="Sum up").click()
    await expect(chat.thread).to_contain_text("Please sum it up")
    await expect(chat.page.get_by_role("button", name="Sum up")).to_have_count(0)
    await bot.chat_postMessage(channel=direct, thread_ts=root, text="There is little")
    await expect(chat.page.locator("#thread-status")).to_have_text("")


async def test_an_assistant_of_the_older_kind_begins_a_thread(chat: Chat, sim: SlackSim, first: First) -> None:
    await sim.ask(ChangeApp(app_id=first.app.id, surface="assistant"))
    agent = made(sim, first)

    @agent.event("assistant_thread_started")
    async def began(event: dict[str, Any], client: AsyncWebClient) -> None:
        thread = event["assistant_thread"]
        prompts = [{"title": "Begin", "message": "Please begin"}]
        await client.assistant_threads_setSuggestedPrompts(
            channel_id=thread["channel_id"], thread_ts=thread["thread_ts"], title="Where from?", prompts=prompts
        )

    async with connected(agent, sim, first):
        await chat.visit("Mara")
        await chat.page.get_by_role("button", name="New thread").click()
        await expect(chat.page.locator("#thread")).to_contain_text("Where from?")
        await chat.page.get_by_role("button", name="Begin").click()
        await expect(chat.thread).to_contain_text("Please begin")


async def test_everybodys_shortcuts_are_among_the_commands(chat: Chat, sim: SlackSim, first: First) -> None:
    agent = made(sim, first)

    @agent.shortcut("new_task")
    async def take(ack: Any, client: AsyncWebClient) -> None:
        await ack()
        await client.chat_postMessage(channel=first.general, text="A task then")

    async with connected(agent, sim, first):
        await chat.composer.press_sequentially("/new")
        await chat.page.get_by_role("option", name="New task").click()
        await expect(chat.message("A task then")).to_be_visible()
        await expect(chat.composer).to_have_value("")


async def test_what_was_said_elsewhere_is_marked(chat: Chat, sim: SlackSim, first: First) -> None:
    support = chat.conversation("support")
    await expect(support).to_be_visible()
    await sim.say(first.colleague, first.support, "Anyone?")
    await expect(support.get_by_role("img", name="unread")).to_be_visible()
    await support.click()
    await expect(chat.message("Anyone?")).to_be_visible()
    await expect(support.get_by_role("img", name="unread")).to_have_count(0)


async def test_a_channel_is_joined(chat: Chat, sim: SlackSim, first: First) -> None:
    await sim.ask(AddChannel(team_id=first.team, name="quiet", members=[first.colleague]))
    await chat.visit("quiet")
    await chat.page.get_by_role("button", name="Join #quiet").click()
    await chat.say("Here I am")
    await expect(chat.message("Here I am")).to_be_visible()


async def test_somebody_else_can_be_played(chat: Chat, sim: SlackSim, first: First) -> None:
    await chat.page.get_by_label("You are").select_option(label="A Customer")
    await expect(chat.page.locator("#app")).not_to_have_attribute("data-user", first.you)
    await chat.say("I have a question")
    said = await sim.wait(AMessage(channel_id=first.general, contains="question"), 30)
    assert said["user"] not in {first.you, first.colleague}
    await expect(chat.message("I have a question")).to_contain_text("A Customer")


async def test_a_long_conversation_shows_its_end_and_more_when_asked(chat: Chat, sim: SlackSim, first: First) -> None:
    for number in range(130):
        await sim.say(first.you, first.general, f"number {number}!")
    await expect(chat.message("number 129!")).to_be_in_viewport()
    await chat.page.reload()
    await expect(chat.message("number 129!")).to_be_in_viewport()
    await expect(chat.message("number 29!")).to_have_count(0)
    await chat.page.get_by_role("button", name="Earlier messages").click()
    await expect(chat.message("number 0!")).to_be_attached()
