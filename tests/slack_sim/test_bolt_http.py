"""Events, interactivity and commands over HTTP, as Bolt's own server takes them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from slack_bolt.async_app import AsyncApp, AsyncBoltRequest, AsyncSay
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from services.kit.http import served
from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import ChangeApp, Press, ReadViews, RunCommand, SetPolicy, SubmitView
from services.slack_sim.control.conditions import AMessage, AnEphemeral, AView
from tests.slack_sim.first import First
from tests.slack_sim.interactive_peers import BUTTONS, answer_people
from tests.slack_sim.peers import PATIENCE_S, Json, assert_prompt, bolt, settled

NO_RETRY = {"X-Slack-No-Retry": ["1"]}
Next = Callable[[], Awaitable[BoltResponse]]


@asynccontextmanager
async def listening(app: AsyncApp, sim: SlackSim, first: First) -> AsyncIterator[str]:
    """Bolt's own server, on a free port, to which the app's address is set. Gives that address."""
    async with served(app.web_app(), "127.0.0.1", 0) as address:
        url = f"{address}/slack/events"
        await sim.ask(ChangeApp(app_id=first.app.id, socket_mode=False, request_url=url, interactivity_url=url))
        yield url


def answering(sim: SlackSim, first: First) -> AsyncApp:
    """An app that answers a mention in its thread."""
    app = bolt(sim, first)

    @app.event("app_mention")
    async def answer(event: Json, say: AsyncSay) -> None:
        await say(text="Here I am", thread_ts=event["ts"])

    answer_people(app)
    return app


def failing_first(app: AsyncApp, headers: dict[str, list[str]]) -> list[Json]:
    """Has an app refuse the first request that no challenge is; gives what each said of retries."""
    heard: list[Json] = []

    @app.use
    async def refuse_first(req: AsyncBoltRequest, next_: Next) -> BoltResponse:
        if req.body.get("type") != "url_verification":
            heard.append({name: each for name, each in req.headers.items() if name.startswith("x-slack-retry")})
        return BoltResponse(status=503, headers=dict(headers)) if len(heard) == 1 else await next_()

    return heard


async def test_an_address_proves_itself_and_signed_events_are_taken(sim: SlackSim, first: First) -> None:
    async with listening(answering(sim, first), sim, first) as url:
        ts = await sim.say(first.you, first.general, f"<@{first.bot_user}> hello")
        await sim.wait(AMessage(channel_id=first.general, thread_ts=ts, contains="Here I am"), PATIENCE_S)
        envelopes = await settled(sim)
    assert (await sim.world()).apps[0].verified_url == url
    assert_prompt(envelopes)
    assert {each.attempts[0].over for each in envelopes} == {"http"}


async def test_bolt_refuses_what_another_secret_signed(sim: SlackSim, first: First) -> None:
    await sim.ask(SetPolicy(redelivery_s=()))
    app = AsyncApp(client=AsyncWebClient(first.bot_token, base_url=sim.api_url), signing_secret="another one")
    async with listening(app, sim, first):
        await sim.say(first.you, first.general, "hello")
        (envelope,) = await settled(sim)
        stopped = RunCommand(user_id=first.you, channel_id=first.general, line="/stop")
        await sim.ask(stopped)
        (command,) = await settled(sim, "/stop")
    assert (await sim.world()).apps[0].verified_url is None
    assert (envelope.state, envelope.attempts[0].failure) == ("given up", "url_not_verified")
    assert (command.state, command.attempts[0].failure) == ("given up", "http_error")
    await sim.wait(AnEphemeral(channel_id=first.general, user_id=first.you, contains="operation_timeout"), PATIENCE_S)


async def test_an_event_that_failed_comes_again_and_says_why(sim: SlackSim, first: First) -> None:
    app = answering(sim, first)
    heard = failing_first(app, {})
    async with listening(app, sim, first):
        await sim.say(first.you, first.general, "hello")
        (envelope,) = await settled(sim)
    assert heard == [{}, {"x-slack-retry-num": ["1"], "x-slack-retry-reason": ["http_error"]}]
    assert [each.failure for each in envelope.attempts] == ["http_error", None]
    assert envelope.state == "acknowledged"


async def test_an_event_that_is_refused_for_good_does_not_come_again(sim: SlackSim, first: First) -> None:
    app = answering(sim, first)
    heard = failing_first(app, NO_RETRY)
    async with listening(app, sim, first):
        await sim.say(first.you, first.general, "hello")
        (envelope,) = await settled(sim)
    assert (heard, envelope.state) == ([{}], "given up")


async def test_a_modal_is_opened_refused_changed_and_closed_over_http(
    sim: SlackSim, first: First, bot: AsyncWebClient
) -> None:
    async with listening(answering(sim, first), sim, first):
        posted = await bot.chat_postMessage(channel=first.general, text="What shall I do?", blocks=BUTTONS)
        button = Press(user_id=first.you, channel_id=first.general, ts=str(posted["ts"]), action_id="open")
        await sim.ask(button)
        view = await sim.wait(AView(user_id=first.you, callback_id="task"), PATIENCE_S)
        await sim.ask(SubmitView(user_id=first.you, view_id=view["id"], values={"what": "no"}))
        await sim.wait(AView(user_id=first.you, callback_id="task", errors=True), PATIENCE_S)
        await sim.ask(SubmitView(user_id=first.you, view_id=view["id"], values={"what": "water the plants"}))
        await sim.wait(AView(user_id=first.you, callback_id="confirm"), PATIENCE_S)
        await sim.ask(SubmitView(user_id=first.you, view_id=view["id"]))
        assert_prompt([each for each in await settled(sim) if each.kind == "interactive"])
    assert (await sim.ask(ReadViews(user_id=first.you))).views == []


async def test_a_command_is_answered_with_the_response_and_later(sim: SlackSim, first: First) -> None:
    async with listening(answering(sim, first), sim, first):
        await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/agent-task water the plants"))
        await sim.wait(AnEphemeral(channel_id=first.general, user_id=first.you, contains="On it"), PATIENCE_S)
        await sim.wait(AMessage(channel_id=first.general, contains="Done: water the plants"), PATIENCE_S)
        assert_prompt(await settled(sim, "/agent-task"))
