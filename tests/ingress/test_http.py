"""HTTP mode: Slack's requests, forged ones, stale ones, ones that came before, and rubbish."""

import asyncio
import hashlib
import hmac
import io
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import ClientConnectionError, ClientSession

from bench.beds.broker import OwnBroker
from bench.beds.inbound import stored
from bench.beds.ingress import OwnIngress, own_ingress
from schemas.envelope import SlackEnvelope
from schemas.letter import DeadLetter
from schemas.topics import DEAD_LETTERS
from services.kit.clock import SystemClock
from services.kit.groups import KafkaSettings
from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import AddApp, ChangeApp, ChooseShortcut, RunCommand
from services.slack_sim.control.conditions import AnEphemeral
from tests.ingress.conftest import Runs, environment
from tests.slack_sim.first import First
from tests.slack_sim.peers import assert_prompt, settled

HTTP = {
    "SLACK_APP_TOKEN": "",
    "THREADLINE_INGRESS_HTTP": "true",
    "THREADLINE_INGRESS_HTTP_PORT": "0",
    "THREADLINE_INGRESS_SOCKETS": "false",
}
EVENTS = "/slack/events"
FORM = "application/x-www-form-urlencoded"


def now() -> int:
    return int(SystemClock().now().timestamp())


def signed(secret: str, body: bytes, at: int | None = None, more: dict[str, str] | None = None) -> dict[str, str]:
    stamp = str(now() if at is None else at)
    digest = hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": f"v0={digest}",
        "Content-Type": "application/json",
        **(more or {}),
    }


def event(name: str, **more: object) -> bytes:
    about = {"api_app_id": "A1", "team_id": "T1", "event_id": name, "token": "planted", "type": "event_callback"}
    return json.dumps({**about, "event": {"type": "message", "text": name}, **more}).encode()


@asynccontextmanager
async def calling(running: OwnIngress) -> AsyncIterator[ClientSession]:
    async with ClientSession(running.http_address()) as session:
        yield session


async def post(session: ClientSession, body: bytes, headers: dict[str, str], path: str = EVENTS) -> tuple[int, str]:
    async with session.post(path, data=io.BytesIO(body), headers=headers) as answer:
        return answer.status, await answer.text()


async def test_slack_delivers_events_commands_and_clicks(
    sim: SlackSim, first: First, ingress: Runs, topics: KafkaSettings
) -> None:
    async with ingress(**HTTP) as running:
        url = f"{running.http_address()}{EVENTS}"
        await sim.ask(ChangeApp(app_id=first.app.id, socket_mode=False, request_url=url, interactivity_url=url))
        await sim.say(first.you, first.general, f"<@{first.bot_user}> hello")
        await sim.ask(RunCommand(user_id=first.you, channel_id=first.general, line="/stop now"))
        await sim.wait(AnEphemeral(channel_id=first.general, user_id=first.you, contains="Got it"))
        ts = (await sim.transcript(first.general)).messages[-1]["ts"]
        await sim.ask(
            ChooseShortcut(
                user_id=first.you, app_id=first.app.id, callback_id="threadline:ask", channel_id=first.general, ts=ts
            )
        )
        assert_prompt(await settled(sim))
    found = [each.event for each in await stored(topics)]
    envelopes = [each for each in found if isinstance(each, SlackEnvelope)]
    assert sorted(each.kind for each in envelopes) == ["events_api", "events_api", "interactive", "slash_commands"]
    for envelope in envelopes:
        assert envelope.connection == f"{first.app.id}:{first.team}"
        assert envelope.received.transport == "http"
        assert "token" not in envelope.payload
        assert "http" not in str(envelope.payload.get("response_url", ""))


async def test_forged_stale_and_replayed_requests_are_refused_and_counted(
    first: First, ingress: Runs, topics: KafkaSettings
) -> None:
    secret = first.app.signing_secret
    async with ingress(**HTTP) as running, calling(running) as session:
        good = signed(secret, event("good"))
        assert (await post(session, event("good"), good))[0] == 200
        cases = {
            "replayed": (event("good"), good),
            "forged": (event("x"), signed("another secret", event("x"))),
            "body changed": (event("y"), signed(secret, event("x"))),
            "stale": (event("x"), signed(secret, event("x"), now() - 301)),
            "from the future": (event("x"), signed(secret, event("x"), now() + 302)),
            "unsigned": (event("x"), {"Content-Type": "application/json"}),
            "no number": (event("x"), {**signed(secret, event("x")), "X-Slack-Request-Timestamp": "soon"}),
            "no ascii": (event("x"), {**signed(secret, event("x")), "X-Slack-Signature": "v0=é"}),
            "a challenge": (b'{"type":"url_verification","challenge":"c"}', signed("x", b"")),
            "no text": (b"\xff\xfe", signed(secret, b"\xff\xfe")),
        }
        for name, (body, headers) in cases.items():
            assert (await post(session, body, headers))[0] == 401, name
        assert await running.metric("threadline_ingress_http_refused_total", reason="replayed") == 1
        assert await running.metric("threadline_ingress_http_refused_total", reason="signature") == len(cases) - 1
        assert "planted" not in running.child.said()
    assert [each.text for each in await stored(topics)] == ["good"]
    assert await stored(topics, DEAD_LETTERS) == []


async def test_slack_may_verify_the_address(first: First, ingress: Runs, topics: KafkaSettings) -> None:
    secret = first.app.signing_secret
    async with ingress(**HTTP) as running, calling(running) as session:
        body = json.dumps({"type": "url_verification", "challenge": "abc", "token": "planted"}).encode()
        assert await post(session, body, signed(secret, body)) == (200, '{"challenge": "abc"}')
        probe = b"ssl_check=1&token=planted"
        assert await post(session, probe, signed(secret, probe, more={"Content-Type": FORM})) == (200, "")
        async with session.get("/health") as answer:
            assert (await answer.json())["ready"]
        async with session.get("/metrics") as answer:
            assert answer.status == 404
    assert await stored(topics) == []


async def test_a_retry_of_slacks_is_taken_in_with_what_slack_says_of_it(
    first: First, ingress: Runs, topics: KafkaSettings
) -> None:
    secret = first.app.signing_secret
    async with ingress(**HTTP) as running, calling(running) as session:
        assert (await post(session, event("one"), signed(secret, event("one"), now() - 4)))[0] == 200
        again = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
        assert (await post(session, event("one"), signed(secret, event("one"), more=again)))[0] == 200
    one, two = [each for each in await stored(topics) if isinstance(each.event, SlackEnvelope)]
    assert one.id == two.id == "A1:one"
    assert isinstance(two.event, SlackEnvelope)
    assert (two.event.received.retry_attempt, two.event.received.retry_reason) == (1, "http_timeout")


async def test_a_signature_proves_one_app_and_no_other(
    sim: SlackSim, first: First, ingress: Runs, topics: KafkaSettings
) -> None:
    """Whoever brings an app of their own knows its secret: it must not let them speak for other workspaces."""
    other = await sim.ask(AddApp(name="Other"))
    apps = {"THREADLINE_INGRESS_APPS": "A1=env,A2=env:other", "OTHER_SLACK_SIGNING_SECRET": other.signing_secret}
    async with ingress(**HTTP, **apps, ready=False) as running:
        await running.child_says("takes calls at")
        async with calling(running) as session:
            for app, secret in (("A1", first.app.signing_secret), ("A2", other.signing_secret)):
                body = event(f"by {app}", api_app_id=app)
                assert (await post(session, body, signed(secret, body)))[0] == 200
                crossed = event(f"not by {app}", api_app_id={"A1": "A2", "A2": "A1"}[app])
                assert (await post(session, crossed, signed(secret, crossed)))[0] == 401
    assert sorted(each.text for each in await stored(topics)) == ["by A1", "by A2"]


async def test_of_several_apps_each_must_be_named(sim: SlackSim, ingress: Runs) -> None:
    other = await sim.ask(AddApp(name="Other"))
    apps = {"THREADLINE_INGRESS_APPS": "env,env:other", "OTHER_SLACK_SIGNING_SECRET": other.signing_secret}
    async with ingress(**HTTP, **apps, ready=False) as running:
        assert await running.child.process.wait() == 1
        assert "A0123=files:acme" in running.child.said()


async def test_odd_headers_never_look_like_a_forgery(first: First, ingress: Runs, topics: KafkaSettings) -> None:
    secret = first.app.signing_secret
    async with ingress(**HTTP) as running, calling(running) as session:
        retried = {"X-Slack-Retry-Num": "9" * 5_000, "X-Slack-Retry-Reason": "x" * 5_000}
        assert (await post(session, event("one"), signed(secret, event("one"), more=retried)))[0] == 200
        packed = {"Content-Encoding": "gzip"}
        for _ in range(20):
            with suppress(ClientConnectionError):  # the server may hang up on it before it is read to its end
                assert (await post(session, event("two"), signed(secret, event("two"), more=packed)))[0] == 400
        assert (await post(session, event("three"), signed(secret, event("three"))))[0] == 200
        assert running.child.said().count("Traceback") <= 3, "one story, and not one for each request"
    assert [each.text for each in await stored(topics)] == ["one", "three"]


async def test_what_is_signed_and_cannot_be_read_is_a_dead_letter(
    first: First, ingress: Runs, topics: KafkaSettings
) -> None:
    secret = first.app.signing_secret
    rubbish = [b"no json", b"[]", b"{}", b'{"api_app_id":"A1"}', b"[" * 100_000, b'{"x":NaN,"token":"planted"}', b""]
    forms = [b"payload=no", b"payload=[]", b"x=1", b"payload={}&payload=2", b"command=%ff"]
    async with ingress(**HTTP) as running, calling(running) as session:
        for body in rubbish:
            assert (await post(session, body, signed(secret, body)))[0] == 200, body[:20]
        for body in forms:
            assert (await post(session, body, signed(secret, body, more={"Content-Type": FORM})))[0] == 200, body
        huge = event("huge", padding="x" * 1_200_000)
        assert (await post(session, huge, signed(secret, huge)))[0] == 200
        larger = event("larger", padding="x" * 2_200_000)
        assert (await post(session, larger, signed(secret, larger)))[0] == 413
        assert (await running.health())["ready"]
    letters = [each.event for each in await stored(topics, DEAD_LETTERS)]
    values = [each.value or b"" for each in letters if isinstance(each, DeadLetter)]
    assert len(values) == len(rubbish) + len(forms) + 1
    assert not any(b"planted" in value for value in values)


async def test_ten_thousand_random_bodies(first: First, ingress: Runs) -> None:
    chance = random.Random(6)
    secret = first.app.signing_secret
    pieces = [
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b",",
        b"payload",
        b"=",
        b"&",
        b"%",
        b"command",
        b"event",
        b"\xff",
        b"\x00",
    ]
    async with ingress(**HTTP) as running, calling(running) as session:
        before = 0.0

        async def one(number: int) -> None:
            body = b"".join(chance.choices(pieces, k=chance.randrange(30))) + str(number).encode()
            headers = (
                signed(secret, body) if number % 2 else {"X-Slack-Signature": chance.choice(["", "v0=", "x" * 500])}
            )
            headers["Content-Type"] = chance.choice([FORM, "application/json", "text/plain", "x/y; charset=klingon"])
            status, _ = await post(session, body, headers)
            undecodable = b"\xff" in body
            assert status == (200 if number % 2 and not undecodable else 401), (body, headers)

        for part in range(20):
            await asyncio.gather(*(one(part * 500 + number) for number in range(500)))
            if part == 9:
                before = running.child.rss_mb()
        assert running.child.rss_mb() - before < 15
        assert (await running.health())["ready"]
        assert "Traceback" not in running.child.said()


async def test_what_cannot_be_kept_is_not_acknowledged_and_may_come_again(
    sim: SlackSim, first: First, fragile: OwnBroker, fragile_topics: KafkaSettings, tmp_path: Path
) -> None:
    given = environment(sim, first, fragile_topics, **HTTP, THREADLINE_SPOOL_SIZE=str(1 << 20))
    async with own_ingress(tmp_path, given) as running, calling(running) as session:
        fragile.hold_up()
        statuses = []
        for number in range(12):
            body = event(f"n {number}", padding="x" * 100_000)
            headers = signed(first.app.signing_secret, body)
            statuses.append((await post(session, body, headers))[0])
        assert statuses[0] == 200
        assert statuses[-1] == 503
        assert not (await running.health())["ready"]
        fragile.let_go()
        await running.until("threadline_ingress_spooling", 0, topic="slack.inbound")
        assert (await post(session, body, headers))[0] == 200, "the very same request, since it was not taken in before"
    taken = [f"n {number}" for number, status in enumerate(statuses) if status == 200]
    assert list(dict.fromkeys(each.text for each in await stored(fragile_topics))) == [*taken, "n 11"]


async def test_a_program_that_says_nothing_holds_up_nobody(first: First, ingress: Runs) -> None:
    async with ingress(**HTTP) as running, calling(running) as session:
        host, port = running.http_address().removeprefix("http://").split(":")
        silent = [await asyncio.open_connection(host, int(port)) for _ in range(50)]
        for _, writer in silent:
            writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        body = event("one")
        assert (await post(session, body, signed(first.app.signing_secret, body)))[0] == 200
        for _, writer in silent:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in silent), return_exceptions=True)


@pytest.mark.parametrize(("given", "says"), [({"SLACK_SIGNING_SECRET": ""}, "neither a signing secret")])
async def test_where_nobody_could_be_answered_it_does_not_start(
    ingress: Runs, given: dict[str, str], says: str
) -> None:
    async with ingress(**HTTP, **given, ready=False) as running:
        assert await running.child.process.wait() == 1
        assert says in running.child.said()
