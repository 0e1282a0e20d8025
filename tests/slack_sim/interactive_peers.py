"""Agents that answer buttons, modals, commands, shortcuts and searches, made of Slack's own Python clients."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from services.slack_sim.client import SlackSim
from tests.slack_sim.first import First
from tests.slack_sim.peers import Json, ack, bolt, connected, socket_client

TOO_SHORT: Json = {"response_action": "errors", "errors": {"what": "Say more."}}
PRIORITIES = ("low", "high", "highest")


def plain(text: str) -> Json:
    """A text without markup."""
    return {"type": "plain_text", "text": text}


BUTTONS: list[Json] = [
    {
        "type": "actions",
        "block_id": "asks",
        "elements": [
            {"type": "button", "action_id": "open", "text": plain("New task"), "value": "t1"},
            {
                "type": "external_select",
                "action_id": "priority",
                "placeholder": plain("Priority"),
                "min_query_length": 0,
            },
        ],
    }
]


def modal(callback_id: str) -> Json:
    """A modal with one input."""
    what = {"type": "plain_text_input", "action_id": "what"}
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain("A task"),
        "submit": plain("Go"),
        "blocks": [{"type": "input", "block_id": "what", "label": plain("What?"), "element": what}],
    }


def answer_to_submission(view: Json) -> Json:
    """What a submission of either modal is answered."""
    if view["callback_id"] == "confirm":
        return {}
    said: str = view["state"]["values"]["what"]["what"]["value"]
    return TOO_SHORT if len(said) < 5 else {"response_action": "update", "view": modal("confirm")}


def options_for(typed: str) -> Json:
    """The priorities that begin with that."""
    found = [{"text": plain(each), "value": each} for each in PRIORITIES if each.startswith(typed)]
    return {"options": found}


@asynccontextmanager
async def with_sdk(sim: SlackSim, first: First) -> AsyncIterator[None]:
    """On the SDK alone."""
    bot = AsyncWebClient(first.bot_token, base_url=sim.api_url)

    async def respond(body: Json, text: str, response_type: str) -> None:
        answer = await AsyncWebhookClient(body["response_url"]).send(text=text, response_type=response_type)
        assert answer.body == "ok"

    async def take(client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        body = request.payload
        match body.get("type") or body.get("command"):
            case "block_actions":
                await ack(client, request)
                if body["actions"][0]["action_id"] == "open":
                    await bot.views_open(trigger_id=body["trigger_id"], view=modal("task"))
            case "view_submission":
                await ack(client, request, answer_to_submission(body["view"]))
            case "block_suggestion":
                await ack(client, request, options_for(body["value"]))
            case "message_action":
                await ack(client, request)
                await respond(body, f"About: {body['message']['text']}", "ephemeral")
            case "/agent-task":
                await ack(client, request, {"text": "On it"})
                await respond(body, f"Done: {body['text']}", "in_channel")
            case _:
                await ack(client, request)

    async with socket_client(sim, first, take):
        yield


@asynccontextmanager
async def with_bolt(sim: SlackSim, first: First) -> AsyncIterator[None]:
    """On Bolt."""
    app = bolt(sim, first)
    answer_people(app)
    async with connected(app, sim, first):
        yield


def answer_people(app: AsyncApp) -> None:
    """Bolt's listeners for all of it."""

    @app.action("open")
    async def open_modal(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal("task"))

    @app.action("priority")
    async def choose(ack: AsyncAck) -> None:
        await ack()

    @app.view("task")
    async def take_task(ack: AsyncAck, view: Json) -> None:
        answer: dict[str, Any] = answer_to_submission(view)
        await ack(**answer)

    @app.view("confirm")
    async def take_confirmation(ack: AsyncAck) -> None:
        await ack()

    @app.options("priority")
    async def suggest(ack: AsyncAck, payload: Json) -> None:
        await ack(**options_for(payload["value"]))

    @app.shortcut("threadline:ask")
    async def ask_about(ack: AsyncAck, body: Json, respond: AsyncRespond) -> None:
        await ack()
        await respond(f"About: {body['message']['text']}", response_type="ephemeral")

    @app.command("/agent-task")
    async def run_task(ack: AsyncAck, command: Json, respond: AsyncRespond) -> None:
        await ack("On it")
        await respond(f"Done: {command['text']}", response_type="in_channel")

    @app.event("message")
    async def hear() -> None:
        """Only acknowledges."""
