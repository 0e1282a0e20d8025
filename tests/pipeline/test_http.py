"""Where Slack calls instead of being called: signed requests, and the same answer."""

import json

from aiohttp import ClientSession

from services.slack_sim.control.asks import ChangeApp
from tests.ingress.test_http import EVENTS, HTTP, signed
from tests.responder.conftest import Talks


async def test_over_http_a_mention_is_answered_and_a_forged_one_is_not(talks: Talks) -> None:
    async with talks(**HTTP) as talk:
        first = talk.first
        address = talk.pipeline.ingress.http_address()
        await talk.sim.ask(
            ChangeApp(
                app_id=first.app.id,
                socket_mode=False,
                request_url=f"{address}{EVENTS}",
                interactivity_url=f"{address}{EVENTS}",
            )
        )
        ts = await talk.mention("do you hear me?")
        await talk.answer(ts, "> do you hear me?")
        [envelope, *_] = [each for each in await talk.sim.envelopes() if each.payload["event"].get("ts") == ts]
        forged = json.dumps({**envelope.payload, "event_id": "Ev0FORGED"}).encode()
        async with ClientSession(address) as session:
            async with session.post(EVENTS, data=forged, headers=signed("another secret", forged)) as answer:
                assert answer.status == 401
            async with session.post(EVENTS, data=forged, headers={"Content-Type": "application/json"}) as answer:
                assert answer.status == 401
            async with session.get("/health") as answer:
                assert (answer.status, (await answer.json())["ready"]) == (200, True)
        assert len(await talk.thread(ts)) == 1
