"""Block Kit: what people press, choose and fill in, and what agents make of it."""

import re
from typing import Any

from playwright.async_api import expect
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.conditions import Settled
from tests.browser.agents import connected, made
from tests.browser.chat import Chat, Opener
from tests.slack_sim.first import First

Json = dict[str, Any]


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def option(text: str) -> Json:
    return {"text": plain(text), "value": text.lower()}


def button(text: str, action_id: str, **more: Any) -> Json:
    return {"type": "button", "text": plain(text), "action_id": action_id, "value": text, **more}


def section(text: str, **more: Any) -> Json:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


ASKED = {"type": "plain_text_input", "action_id": "name", "placeholder": plain("A name")}
MODAL: Json = {
    "type": "modal",
    "callback_id": "new",
    "title": plain("New thing"),
    "submit": plain("Make"),
    "blocks": [
        {"type": "input", "block_id": "name", "label": plain("Its name"), "element": ASKED},
        {
            "type": "input",
            "block_id": "kind",
            "label": plain("Its kind"),
            "element": {"type": "static_select", "action_id": "kind", "options": [option("Red"), option("Blue")]},
        },
        {
            "type": "input",
            "block_id": "where",
            "label": plain("Where it goes"),
            "element": {"type": "checkboxes", "action_id": "where", "options": [option("Here"), option("There")]},
        },
        {
            "type": "input",
            "block_id": "when",
            "optional": True,
            "label": plain("When"),
            "element": {"type": "datepicker", "action_id": "when"},
        },
    ],
}


async def test_an_approval_is_pressed_and_the_message_says_so(
    chat: Chat, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    agent = made(sim, first)

    @agent.action("approve")
    async def approve(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        text = f"Approved by <@{body['user']['id']}>"
        await client.chat_update(
            channel=body["channel"]["id"], ts=body["message"]["ts"], text=text, blocks=[section(text)]
        )

    buttons = [button("Approve", "approve", style="primary"), button("Deny", "deny", style="danger")]
    async with connected(agent, sim, first):
        await bot.chat_postMessage(
            channel=first.general,
            text="Deploy?",
            blocks=[section("*Deploy?*"), {"type": "actions", "elements": buttons}],
        )
        await chat.message("Deploy?").get_by_role("button", name="Approve").click()
        await expect(chat.message("Approved by @You")).to_be_visible()
        await expect(chat.page.get_by_role("button", name="Approve")).to_have_count(0)


APPROVAL: list[Json] = [
    section("*Delete 12 branches?*", fields=[plain("Repo"), plain("acme/site")]),
    {
        "type": "actions",
        "elements": [
            button("Approve", "approval:yes", style="primary"),
            button("Reject…", "reject", style="danger"),
            {
                "type": "static_select",
                "action_id": "choose",
                "placeholder": plain("Or some"),
                "options": [option("Six")],
            },
        ],
    },
]
REASON: Json = {
    "type": "modal",
    "callback_id": "reason",
    "title": plain("Reject"),
    "submit": plain("Send"),
    "private_metadata": "ap1:abcd:reject",
    "blocks": [
        {
            "type": "input",
            "block_id": "why",
            "label": plain("Why not?"),
            "element": {"type": "plain_text_input", "action_id": "why", "multiline": True},
        }
    ],
}


async def test_beside_a_coloured_bar_people_press_choose_and_say_why(
    opened: Opener, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    agent = made(sim, first)
    acted: list[Json] = []
    submitted: list[Json] = []

    async def take(ack: Any, body: Json) -> None:
        await ack()
        acted.append(body)

    for action_id in ("approval:yes", "choose"):
        agent.action(action_id)(take)

    @agent.action("reject")
    async def reject(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=REASON)

    @agent.view("reason")
    async def hear(ack: Any, body: Json, view: Json, client: AsyncWebClient) -> None:
        await ack()
        submitted.append(view)
        await client.chat_postEphemeral(channel=first.general, user=body["user"]["id"], text="Noted, and not done")

    beside = [{"color": "#ECB22E", "fallback": "x", "blocks": APPROVAL}]
    async with connected(agent, sim, first):
        await bot.chat_postMessage(channel=first.general, text="⏸️ Agent tidy: WAITING", attachments=beside)
        chat = await opened(scheme="dark")
        message = chat.message("WAITING")
        bar = message.locator(".attachment > .bar rect")
        fill = await bar.evaluate("part => getComputedStyle(part).fill")
        height = await bar.evaluate("part => part.getBoundingClientRect().height")
        assert (fill, height > 60) == ("rgb(236, 178, 46)", True)
        await message.get_by_role("button", name="Approve").click()
        await message.get_by_label("Or some").select_option(label="Six")
        await message.get_by_role("button", name="Reject…").click()
        await chat.modal.get_by_label("Why not?").fill("Too many.\n\nSix would do.")
        await chat.modal.get_by_role("button", name="Send").click()
        await expect(chat.message("Noted, and not done")).to_contain_text("Only visible to you")
        await expect(chat.modal).not_to_be_visible()
    pressed, chosen = acted
    assert (pressed["container"]["type"], pressed["container"]["attachment_id"]) == ("message_attachment", 1)
    assert pressed["container"]["message_ts"] == chosen["message"]["ts"]
    assert chosen["actions"][0]["selected_option"]["value"] == "six"
    assert submitted[0]["private_metadata"] == "ap1:abcd:reject"
    assert submitted[0]["state"]["values"]["why"]["why"]["value"] == "Too many.\n\nSix would do."


async def test_what_needs_a_second_thought_asks_first(
    chat: Chat, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    agent = made(sim, first)
    pressed: list[Json] = []

    @agent.action("remove")
    async def remove(ack: Any, body: Json, respond: Any) -> None:
        await ack()
        pressed.append(body)
        await respond("It is gone", replace_original=True)

    confirm = {
        "title": plain("Sure?"),
        "text": plain("It is gone then."),
        "confirm": plain("Go"),
        "deny": plain("Keep"),
    }
    actions = {"type": "actions", "elements": [button("Remove", "remove", confirm=confirm)]}
    async with connected(agent, sim, first):
        await bot.chat_postEphemeral(channel=first.general, user=first.you, text="x", blocks=[section("Old"), actions])
        await chat.message("Old").get_by_role("button", name="Remove").click()
        await chat.page.get_by_role("button", name="Keep").click()
        assert pressed == []
        await chat.message("Old").get_by_role("button", name="Remove").click()
        await chat.page.get_by_role("button", name="Go").click()
        await expect(chat.message("It is gone")).to_contain_text("Only visible to you")
    assert len(pressed) == 1


async def test_every_choice_is_told(chat: Chat, sim: SlackSim, bot: AsyncWebClient, first: First) -> None:
    agent = made(sim, first)

    @agent.action(re.compile(".+"))
    async def take(ack: Any) -> None:
        await ack()

    async def told(action_id: str) -> Json:
        """What the agent was told last; it is told in turn."""
        while True:
            await sim.wait(Settled(), 30)
            acted = [each.payload["actions"][0] for each in await sim.envelopes("block_actions")]
            if acted and acted[-1]["action_id"] == action_id:
                return dict(acted[-1])

    elements = [
        {"type": "static_select", "action_id": "size", "options": [option("Small"), option("Large")]},
        {"type": "users_select", "action_id": "who"},
        {"type": "datepicker", "action_id": "day"},
        {"type": "radio_buttons", "action_id": "pick", "options": [option("One"), option("Two")]},
        {"type": "multi_static_select", "action_id": "many", "options": [option("North"), option("South")]},
        {"type": "overflow", "action_id": "more", "options": [option("Archive")]},
    ]
    async with connected(agent, sim, first):
        await bot.chat_postMessage(
            channel=first.general, text="x", blocks=[section("Decide"), {"type": "actions", "elements": elements}]
        )
        message = chat.message("Decide")
        await message.locator("[data-action=size]").select_option(label="Large")
        assert (await told("size"))["selected_option"]["value"] == "large"
        await message.locator("[data-action=who]").select_option(label="A Colleague")
        assert (await told("who"))["selected_user"] == first.colleague
        await message.locator("[data-action=day]").fill("2030-05-17")
        assert (await told("day"))["selected_date"] == "2030-05-17"
        await message.get_by_label("Two").check()
        assert (await told("pick"))["selected_option"]["value"] == "two"
        await message.locator("summary").click()
        await message.get_by_label("South").check()
        assert [each["value"] for each in (await told("many"))["selected_options"]] == ["south"]
        await message.get_by_label("More actions").select_option(label="Archive")
        assert (await told("more"))["selected_option"]["value"] == "archive"


async def test_a_modal_is_filled_in_corrected_and_submitted(
    chat: Chat, sim: SlackSim, bot: AsyncWebClient, first: First
) -> None:
    agent = made(sim, first)
    submitted: list[Json] = []

    @agent.action("open")
    async def show(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    @agent.view("new")
    async def take(ack: Any, view: Json, client: AsyncWebClient) -> None:
        values = view["state"]["values"]
        if values["name"]["name"]["value"] == "bad":
            await ack(response_action="errors", errors={"name": "That name is taken."})
            return
        await ack()
        submitted.append(values)
        await client.chat_postMessage(channel=first.general, text=f"Made {values['name']['name']['value']}")

    async with connected(agent, sim, first):
        await bot.chat_postMessage(
            channel=first.general, text="x", blocks=[{"type": "actions", "elements": [button("Begin", "open")]}]
        )
        await chat.page.get_by_role("button", name="Begin").click()
        await expect(chat.modal.get_by_role("heading", name="New thing")).to_be_visible()
        name = chat.modal.get_by_label("Its name")
        await expect(name).to_be_focused()
        make = chat.modal.get_by_role("button", name="Make")
        await make.click()
        await expect(name).to_be_focused()
        await name.fill("bad")
        await chat.modal.get_by_label("Its kind").select_option(label="Blue")
        await chat.modal.get_by_label("There", exact=True).check()
        await make.click()
        await expect(chat.modal.get_by_role("alert")).to_have_text("That name is taken.")
        await expect(name).to_have_attribute("aria-invalid", "true")
        await expect(name).to_have_value("bad")
        await name.fill("good")
        await make.click()
        await expect(chat.message("Made good")).to_be_visible()
        await expect(chat.modal).not_to_be_visible()
    (values,) = submitted
    assert values["kind"]["kind"]["selected_option"]["value"] == "blue"
    assert [each["value"] for each in values["where"]["where"]["selected_options"]] == ["there"]
    assert values["when"]["when"]["selected_date"] is None


async def test_what_is_typed_is_told_with_every_press_and_outlives_another_modal(
    chat: Chat, sim: SlackSim, first: First
) -> None:
    agent = made(sim, first)
    told: list[Json] = []
    first_view = MODAL | {"blocks": [*MODAL["blocks"], {"type": "actions", "elements": [button("More", "more")]}]}
    second = {"type": "modal", "title": plain("More of it"), "blocks": [{"type": "divider"}]}

    @agent.command("/agent-task")
    async def show(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=first_view)

    @agent.action("more")
    async def push(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        told.append(body["view"]["state"]["values"])
        await client.views_push(trigger_id=body["trigger_id"], view=second)

    async with connected(agent, sim, first):
        await chat.say("/agent-task")
        await chat.modal.get_by_label("Its name").fill("half a name")
        await chat.modal.get_by_role("button", name="More").click()
        await expect(chat.modal.get_by_role("heading", name="More of it")).to_be_visible()
        await chat.page.keyboard.press("Escape")
        await expect(chat.modal.get_by_label("Its name")).to_have_value("half a name")
    assert told[0]["name"]["name"]["value"] == "half a name"


async def test_escape_closes_a_modal_and_the_app_hears_of_it(chat: Chat, sim: SlackSim, first: First) -> None:
    agent = made(sim, first)
    closed: list[Json] = []

    @agent.command("/agent-task")
    async def show(ack: Any, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL | {"notify_on_close": True})

    @agent.view_closed("new")
    async def take(ack: Any, body: Json) -> None:
        await ack()
        closed.append(body)

    async with connected(agent, sim, first):
        await chat.say("/agent-task")
        await expect(chat.modal).to_be_visible()
        await chat.page.keyboard.press("Escape")
        await expect(chat.modal).not_to_be_visible()
        await sim.wait(Settled(), 30)
    assert len(closed) == 1


async def test_an_app_completes_what_is_typed(chat: Chat, sim: SlackSim, bot: AsyncWebClient, first: First) -> None:
    agent = made(sim, first)
    chosen: list[Json] = []

    @agent.options("city")
    async def complete(ack: Any, payload: Json) -> None:
        await ack(options=[option(each) for each in ("Bern", "Berlin") if each.startswith(payload["value"])])

    @agent.action("city")
    async def take(ack: Any, action: Json, respond: Any) -> None:
        await ack()
        chosen.append(action["selected_option"])
        await respond("Off you go")

    select = {"type": "external_select", "action_id": "city", "min_query_length": 2, "placeholder": plain("A city")}
    async with connected(agent, sim, first):
        await bot.chat_postMessage(channel=first.general, text="x", blocks=[{"type": "actions", "elements": [select]}])
        await chat.page.get_by_label("A city").press_sequentially("Ber")
        await chat.page.get_by_role("option", name="Berlin").click()
        await expect(chat.message("Off you go")).to_be_visible()
    assert chosen[0]["value"] == "berlin"


async def test_every_block_is_drawn_and_rubbish_in_them_does_no_harm(
    chat: Chat, bot: AsyncWebClient, first: First
) -> None:
    blocks: list[Json] = [
        {"type": "header", "text": plain("A header")},
        {"type": "divider"},
        {"type": "image", "image_url": "https://example.com/x.png", "alt_text": "A chart"},
        {"type": "markdown", "text": "Some **bold** words"},
        {"type": "context", "elements": [plain("Small"), {"type": "image", "alt_text": "tiny", "image_url": "x"}]},
        {"type": "rich_text", "elements": [{"type": "rich_text_list", "style": "bullet", "elements": [{}]}]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "A cell"}]]},
        {"type": "table", "rows": [[{"type": "rich_text", "elements": 5}]]},
        {"type": "alert", "text": plain("Careful"), "level": "warning"},
        {"type": "card", "title": plain("A card"), "actions": [button("Go", "go")]},
        {"type": "carousel", "elements": [{"title": plain("In a row")}]},
        {"type": "carousel", "elements": [{"actions": 5}]},
        {"type": "container", "title": plain("Within"), "child_blocks": [section("inner")]},
        {"type": "task_card", "task_id": "1", "title": "A task", "status": "error", "details": {"elements": "no"}},
        {"type": "plan", "title": "A plan", "tasks": [{"task_id": "2", "title": "Another", "status": "pending"}]},
        {"type": "data_visualization"},
    ]
    await bot.chat_postMessage(channel=first.general, text="x", blocks=blocks)
    message = chat.message("A header")
    for words in ("A chart", "bold", "Small", "A cell", "Careful", "A card", "In a row", "inner", "A task", "Another"):
        await expect(message).to_contain_text(words)
    await expect(message).to_contain_text("[data_visualization]")
    odd: list[Json] = [{"title": 7, "text": {"a": 1}, "fields": 5}, {"blocks": None, "footer": ["x"]}]
    await bot.chat_postMessage(channel=first.general, text="odd", attachments=odd)
    await expect(chat.message("This message cannot be shown")).to_be_visible()
    await bot.chat_postMessage(channel=first.general, markdown_text="It **goes** on")
    await expect(chat.message("It goes on").locator("strong")).to_have_text("goes")
