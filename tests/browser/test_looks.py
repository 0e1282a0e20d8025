"""How it looks and is used: at a phone's width, in the dark, with the keyboard alone, and again after a reload."""

from itertools import combinations
from typing import Any

from playwright.async_api import expect
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.conditions import AMessage
from tests.browser.chat import Chat, Opener
from tests.browser.test_blocks import button, option, section
from tests.slack_sim.first import First

WIDE = "https://example.com/" + "very-long-" * 40
TOUCHED = """[...document.querySelectorAll('button, a.row, a.icon, select, textarea')]
    .filter(each => each.checkVisibility({visibilityProperty: true}) && !each.closest('.tools, .text'))
    .map(each => ({name: each.textContent.trim() || each.ariaLabel, height: each.getBoundingClientRect().height}))"""
PARTS = """ids => ids.flatMap(id => {
    const part = document.getElementById(id);
    if (!part?.checkVisibility()) return [];
    const {left, top, right, bottom} = part.getBoundingClientRect();
    return bottom > top ? [[id, left, top, right, bottom]] : [];
})"""
IDS = ["sidebar", "messages", "channel-status", "channel-prompts", "channel-composer"]
IDS_OF_THREAD = ["replies", "thread-status", "thread-prompts", "thread-composer"]


async def overlapping(chat: Chat, ids: list[str]) -> list[tuple[str, str]]:
    """Those that lie over each other."""
    parts: list[Any] = await chat.page.evaluate(PARTS, ids)
    return [
        (one[0], two[0])
        for one, two in combinations(parts, 2)
        if one[1] < two[3] - 1 and two[1] < one[3] - 1 and one[2] < two[4] - 1 and two[2] < one[4] - 1
    ]


async def furnish(sim: SlackSim, bot: AsyncWebClient, first: First) -> str:
    """A conversation with everything that could be too wide."""
    root = await sim.say(first.you, first.general, f"Look at {WIDE} `{'x' * 200}`")
    table = "| a | b |\n|---|---|\n| " + "wide " * 60 + " | two |"
    await bot.chat_postMessage(
        channel=first.general, thread_ts=root, markdown_text=f"```\n{'code ' * 80}\n```\n\n{table}"
    )
    stream = await bot.chat_startStream(
        channel=first.general, thread_ts=root, recipient_user_id=first.you, recipient_team_id=first.team
    )
    await bot.chat_appendStream(channel=first.general, ts=stream["ts"], markdown_text=f"{table}\n\n```\n{WIDE}\n```")
    elements = [
        {"type": "static_select", "action_id": "s", "options": [option("An option that is long " * 3)]},
        *(button(f"Button number {number}", f"b{number}") for number in range(6)),
    ]
    blocks = [
        section(f"*Wide* {WIDE}", accessory=button("Go", "go")),
        {"type": "section", "fields": [{"type": "mrkdwn", "text": WIDE}] * 4},
        {"type": "actions", "elements": elements},
    ]
    await bot.chat_postMessage(channel=first.general, text="x", blocks=blocks)
    await bot.reactions_add(channel=first.general, timestamp=root, name="eyes")
    return root


async def test_everything_fits_on_a_phone(opened: Opener, sim: SlackSim, bot: AsyncWebClient, first: First) -> None:
    root = await furnish(sim, bot, first)
    chat = await opened(phone=True, channel=first.general)
    assert await chat.fits()
    assert await overlapping(chat, IDS) == []
    for each in await chat.measure(TOUCHED):
        assert each["height"] >= 36, each
    await chat.message("Look at").locator(".summary").click()
    await expect(chat.thread).to_be_visible()
    await expect(chat.channel).not_to_be_visible()
    await expect(chat.page.get_by_role("button", name="Stop")).to_be_visible()
    assert await chat.fits()
    assert await overlapping(chat, IDS_OF_THREAD) == []
    await chat.page.get_by_role("link", name="Close the thread").click()
    await expect(chat.channel).to_be_visible()
    await chat.page.get_by_role("link", name="All conversations").click()
    await expect(chat.conversation("support")).to_be_visible()
    assert await chat.fits()
    await chat.conversation("support").click()
    await expect(chat.page.get_by_role("heading", name="#support")).to_be_visible()
    inspected = await opened(phone=True, channel=first.general, thread=root, inspector="1")
    await expect(inspected.page.get_by_role("heading", name="Inspector")).to_be_visible()
    assert await inspected.fits()


async def test_a_touched_message_offers_what_can_be_done(opened: Opener, sim: SlackSim, first: First) -> None:
    await sim.say(first.colleague, first.general, "Touch me")
    chat = await opened(phone=True, channel=first.general)
    message = chat.message("Touch me")
    await message.tap()
    await expect(message.get_by_role("link", name="Reply")).to_be_in_viewport(ratio=1)
    await message.get_by_role("button", name="React").tap()
    await chat.page.get_by_role("menuitem", name="heart").tap()
    await expect(message.locator(".reaction")).to_have_text("❤️1")
    await message.tap()
    await message.get_by_role("link", name="Reply").tap()
    await expect(chat.thread).to_contain_text("Touch me")


async def test_nothing_overlaps_at_any_width(opened: Opener, sim: SlackSim, bot: AsyncWebClient, first: First) -> None:
    root = await furnish(sim, bot, first)
    chat = await opened(channel=first.general, thread=root)
    for width in (320, 390, 600, 761, 900, 1100, 1440, 1920):
        await chat.page.set_viewport_size({"width": width, "height": 700})
        assert await chat.fits(), width
        assert await overlapping(chat, [*IDS, *IDS_OF_THREAD]) == [], width


async def test_the_dark_is_dark_and_everything_can_be_read(
    opened: Opener, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    await furnish(sim, bot, first)
    colours = """[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"""
    dark, light = await opened(scheme="dark"), await opened(scheme="light")
    for chat, brightest in ((dark, 1), (light, 0)):
        ground, ink = [luminance(each) for each in await chat.measure(colours)]
        assert (ground < ink) is (brightest == 1)
        assert contrast(ground, ink) >= 7
        faint = await chat.page.locator("#main header small").evaluate("part => getComputedStyle(part).color")
        assert contrast(ground, luminance(faint)) >= 4.5


def luminance(colour: str) -> float:
    parts = [float(each) / 255 for each in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


async def test_long_words_break_on_a_phone(opened: Opener, bot: AsyncWebClient, first: First) -> None:
    word = "x" * 600
    choice = {"text": {"type": "plain_text", "text": word[:75]}, "value": "v"}
    radio = {"type": "radio_buttons", "action_id": "r", "options": [choice | {"description": choice["text"]}]}
    said = {"type": "markdown", "text": f"{word}\n\n- {word}\n\n**{word}**"}
    await bot.chat_postMessage(
        channel=first.general,
        text=word,
        username=word[:80],
        blocks=[said, {"type": "section", "text": {"type": "mrkdwn", "text": word}, "accessory": radio}],
    )
    chat = await opened(phone=True, channel=first.general)
    await expect(chat.channel.get_by_role("article")).to_be_visible()
    assert await chat.fits()
    assert await chat.channel.evaluate("log => log.scrollWidth - log.clientWidth") <= 0


async def test_no_text_of_an_app_holds_up_the_page(chat: Chat, bot: AsyncWebClient, first: First) -> None:
    ticks = {"type": "markdown", "text": "a " + "`" * 11_000}
    await bot.chat_postMessage(channel=first.general, text="x", blocks=[ticks])
    await bot.chat_postMessage(channel=first.general, text="And on it goes")
    await expect(chat.message("And on it goes")).to_be_visible()


def contrast(one: float, two: float) -> float:
    return (max(one, two) + 0.05) / (min(one, two) + 0.05)


async def test_the_keyboard_is_enough(chat: Chat, sim: SlackSim, bot: AsyncWebClient, first: First) -> None:
    await bot.chat_postMessage(channel=first.support, text="How can I help?")
    keyboard = chat.page.keyboard
    await keyboard.press("Control+k")
    await expect(chat.page.get_by_label("Find a conversation")).to_be_focused()
    await keyboard.type("supp")
    await keyboard.press("Enter")
    await expect(chat.page.get_by_role("heading", name="#support")).to_be_visible()
    await expect(chat.composer).to_be_focused()
    await keyboard.type("Hello")
    await keyboard.press("Enter")
    await expect(chat.message("Hello")).to_be_visible()
    await chat.channel.focus()
    await keyboard.press("ArrowUp")
    await expect(chat.message("Hello")).to_be_focused()
    await keyboard.press("ArrowUp")
    await expect(chat.message("How can I help?")).to_be_focused()
    await keyboard.press("Tab")
    await expect(chat.message("How can I help?").get_by_role("link", name="Reply")).to_be_focused()
    await keyboard.press("Tab")
    await keyboard.press("Enter")
    await expect(chat.page.get_by_role("menuitem", name="+1")).to_be_focused()
    await keyboard.press("ArrowRight")
    await keyboard.press("Enter")
    await expect(chat.message("How can I help?").locator(".reaction")).to_have_text("✅1")
    await expect(chat.message("How can I help?").get_by_role("button", name="React")).to_be_focused()
    await keyboard.press("Shift+Tab")
    await keyboard.press("Enter")
    await expect(chat.answering).to_be_focused()
    await keyboard.type("With this")
    await keyboard.press("Enter")
    await expect(chat.thread).to_contain_text("With this")
    await keyboard.press("Escape")
    await expect(chat.thread).to_have_count(0)
    said = await sim.wait(AMessage(channel_id=first.support, contains="With this"), 30)
    assert said["thread_ts"]


async def test_what_is_looked_for_stays_found_while_others_talk(chat: Chat, sim: SlackSim, first: First) -> None:
    await chat.page.get_by_label("Find a conversation").fill("supp")
    await expect(chat.conversation("random")).to_be_hidden()
    await sim.say(first.colleague, first.random, "Anybody?")
    await expect(chat.page.locator("#sidebar .unread", has_text="random")).to_be_attached()
    await expect(chat.conversation("random")).to_be_hidden()
    await expect(chat.conversation("support")).to_be_visible()


async def test_a_reload_and_the_way_back_keep_the_place(chat: Chat, sim: SlackSim, first: First) -> None:
    root = await sim.say(first.colleague, first.support, "A root")
    await chat.visit("support")
    await chat.message("A root").hover()
    await chat.message("A root").get_by_role("link", name="Reply").click()
    await expect(chat.thread).to_be_visible()
    await chat.answering.fill("half a sen")
    await chat.page.reload()
    await expect(chat.thread.locator(f"[id='t-{root}']")).to_be_visible()
    await expect(chat.answering).to_have_value("half a sen")
    await chat.page.go_back()
    await expect(chat.thread).to_have_count(0)
    await expect(chat.page.get_by_role("heading", name="#support")).to_be_visible()
    await chat.page.go_back()
    await expect(chat.page.get_by_role("heading", name="#general")).to_be_visible()
