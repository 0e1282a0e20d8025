"""The Events API over HTTP: verified, signed, sent again, limited, and switched off."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from services.kit.http import served
from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import Advance, ChangeApp, ReadCounts, Reset, SetPolicy
from services.slack_sim.control.conditions import Settled
from services.slack_sim.delivery.http import signed
from tests.slack_sim.first import First


@dataclass
class Receiver:
    """An app's HTTP endpoint: what it answers, and what it was sent."""

    verifier: SignatureVerifier
    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    knows_challenges: bool = True
    wait_s: float = 0.0
    bodies: list[dict[str, object]] = field(default_factory=list)
    retries: list[tuple[str, str] | None] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.text()
        assert self.verifier.is_valid_request(body, dict(request.headers))
        parsed = json.loads(body)
        if parsed["type"] == "url_verification":
            return web.json_response({"challenge": parsed["challenge"] if self.knows_challenges else ""})
        self.bodies.append(parsed)
        number = request.headers.get("X-Slack-Retry-Num")
        self.retries.append((number, request.headers["X-Slack-Retry-Reason"]) if number else None)
        await asyncio.sleep(self.wait_s)
        return web.Response(status=self.status, headers=self.headers)


@pytest.fixture
async def receiver(sim: SlackSim, first: First) -> AsyncIterator[Receiver]:
    receiver = Receiver(SignatureVerifier(first.app.signing_secret))
    application = web.Application()
    application.router.add_post("/slack/events", receiver.take)
    async with served(application, "127.0.0.1", 0) as address:
        receiver.url = f"{address}/slack/events"
        await sim.ask(ChangeApp(app_id=first.app.id, socket_mode=False, request_url=receiver.url))
        yield receiver


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a condition of the test's own
            await asyncio.sleep(0.01)


async def test_an_event_is_signed_and_comes_once(sim: SlackSim, first: First, receiver: Receiver) -> None:
    await sim.say(first.you, first.general, "hi")
    await sim.wait(Settled())
    (body,) = receiver.bodies
    assert body["type"] == "event_callback"
    assert receiver.retries == [None]
    assert (await sim.world()).apps[0].verified_url == receiver.url


async def test_an_address_that_does_not_answer_its_challenge_gets_nothing(
    sim: SlackSim, first: First, receiver: Receiver
) -> None:
    receiver.knows_challenges = False
    await sim.ask(ChangeApp(app_id=first.app.id, request_url=f"{receiver.url}?other"))
    await sim.ask(SetPolicy(redelivery_s=()))
    await sim.say(first.you, first.general, "hi")
    await sim.wait(Settled())
    (envelope,) = await sim.envelopes("message")
    assert (envelope.state, envelope.attempts[0].failure) == ("given up", "url_not_verified")
    assert not receiver.bodies


async def test_a_failure_is_tried_again_with_number_and_reason(sim: SlackSim, first: First, receiver: Receiver) -> None:
    receiver.status = 500
    await sim.say(first.you, first.general, "hi")
    await until(lambda: len(receiver.bodies) == 2)
    await sim.ask(Advance(seconds=60))
    await until(lambda: len(receiver.bodies) == 3)
    receiver.status = 200
    await sim.ask(Advance(seconds=300))
    await sim.wait(Settled())
    assert receiver.retries == [None, ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]
    assert len({body["event_id"] for body in map(dict, receiver.bodies)}) == 1
    (envelope,) = await sim.envelopes("message")
    assert (envelope.state, envelope.late) == ("acknowledged", True)


async def test_forgetting_records_lets_what_is_on_its_way_arrive(
    sim: SlackSim, first: First, receiver: Receiver
) -> None:
    receiver.wait_s = 0.5
    await sim.say(first.you, first.general, "hi")
    await until(lambda: len(receiver.bodies) == 1)
    await sim.ask(Reset(what="records"))
    await sim.wait(Settled())
    assert [each.state for each in await sim.envelopes()] == ["acknowledged"]
    assert len(receiver.bodies) == 1


async def test_no_retry_is_honoured(sim: SlackSim, first: First, receiver: Receiver) -> None:
    receiver.status, receiver.headers = 500, {"X-Slack-No-Retry": "1"}
    await sim.say(first.you, first.general, "hi")
    await sim.wait(Settled())
    await sim.ask(Advance(seconds=1000))
    assert len(receiver.bodies) == 1
    assert (await sim.envelopes("message"))[0].state == "given up"


async def test_slow_and_absent_receivers_have_their_reasons(sim: SlackSim, first: First, receiver: Receiver) -> None:
    await sim.ask(SetPolicy(deadline_s=0.3, redelivery_s=(0.0,)))
    receiver.wait_s = 60
    await sim.say(first.you, first.general, "hi")
    await sim.wait(Settled())
    assert receiver.retries == [None, ("1", "http_timeout")]
    await sim.ask(ChangeApp(app_id=first.app.id, request_url="http://127.0.0.1:9/slack/events"))
    await sim.say(first.you, first.general, "hi")
    await sim.wait(Settled())
    (*_, absent) = await sim.envelopes("message")
    assert [each.failure for each in absent.attempts] == ["url_not_verified"] * 2


async def test_beyond_its_hourly_share_an_app_is_told_so_once_a_minute(
    sim: SlackSim, first: First, receiver: Receiver
) -> None:
    await sim.ask(SetPolicy(events_per_hour=3))
    for number in range(6):
        await sim.say(first.you, first.general, f"hi {number}")
    await sim.wait(Settled())
    await until(lambda: len(receiver.bodies) == 4)
    limited = [body for body in receiver.bodies if body["type"] == "app_rate_limited"]
    assert len(limited) == 1
    assert limited[0]["minute_rate_limited"] % 60 == 0  # type: ignore[operator]
    assert (await sim.ask(ReadCounts())).deliveries["given up"] == 3
    await sim.ask(Advance(seconds=3601))
    await sim.say(first.you, first.general, "a new hour")
    await sim.wait(Settled())
    assert len(receiver.bodies) == 5


async def test_an_app_whose_deliveries_nearly_all_fail_is_switched_off(
    sim: SlackSim, first: First, receiver: Receiver
) -> None:
    await sim.ask(SetPolicy(disabled_from=20, redelivery_s=()))
    receiver.status = 500
    for number in range(25):
        await sim.say(first.you, first.general, f"hi {number}")
        await sim.wait(Settled())
    assert (await sim.world()).apps[0].disabled
    assert len(receiver.bodies) == 20
    receiver.status = 200
    await sim.ask(ChangeApp(app_id=first.app.id))
    await sim.say(first.you, first.general, "switched on again")
    await sim.wait(Settled())
    assert len(receiver.bodies) == 21


def test_a_signature_is_refused_when_it_is_old() -> None:
    verifier = SignatureVerifier("secret")
    assert verifier.is_valid_request("{}", signed("secret", int(time.time()), b"{}"))  # noqa: TID251 - the SDK asks the machine's clock
    assert not verifier.is_valid_request("{}", signed("secret", int(time.time()) - 301, b"{}"))  # noqa: TID251 - likewise
    assert not verifier.is_valid_request("{}", signed("other", int(time.time()), b"{}"))  # noqa: TID251 - likewise
