"""Gateway runs: programs ask by the same topic, sign in per tenant, and are told what became of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession

from bench.beds.inbound import stored
from schemas.cause import gateway_cause
from schemas.command import Trigger
from schemas.decision import DecisionMade, Dispatched, Throttled
from schemas.envelope import GatewayCancel, GatewayRun
from schemas.ids import run_id
from schemas.run import RunState
from schemas.topics import AUDIT_DECISIONS, AUDIT_RUNS
from services.directory.owner import OwnerDatabase
from services.directory.sign_in import Action
from services.directory.tokens import Tokens, Wanted
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings, KafkaSettings, TelemetrySettings
from services.kit.kafka.producer import Producer
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.instruments import Instruments
from services.kit.telemetry.traces import tracer_for
from tests.directory.conftest import owner
from tests.directory.samples import ACME, GLOBEX, applied
from tests.ingress.conftest import Runs
from tests.ingress.test_http import HTTP

__all__ = ["owner"]

ACMES = "A0LINE:T0ACME"
TWO_APPS = """\
    installations:
      - {app: A0LINE, workspace: T0GLOBEX, secrets: "env:one"}
      - {app: A0SIDE, workspace: T0GLOBEX, secrets: "env:two"}
"""


class Programs:
    """Programs with tokens, and an ingress to ask."""

    def __init__(self, session: ClientSession, tokens: dict[str, str]) -> None:
        self.session, self.tokens = session, tokens

    async def ask(
        self, path: str, body: Any = None, program: str = "acme", method: str = "POST", **headers: str
    ) -> tuple[int, Any]:
        signed = {"Authorization": f"Bearer {self.tokens[program]}"} if program in self.tokens else {}
        async with self.session.request(method, path, json=body, headers={**signed, **headers}) as answer:
            return answer.status, await answer.json()

    async def until(self, path: str, state: str) -> Any:
        """What is told of a run once it is in a state."""
        async with asyncio.timeout(20):
            while (view := (await self.ask(path, method="GET"))[1])["state"] != state:  # noqa: ASYNC110 - a page has no event
                await asyncio.sleep(0.05)
        return view


@pytest.fixture
async def programs(ingress: Runs, owner: OwnerDatabase, database: DatabaseSettings) -> AsyncIterator[Programs]:
    await applied(owner, ACME, GLOBEX + TWO_APPS)
    tokens = {}
    makes = Tokens(owner, SystemClock())
    wanted: list[tuple[str, str, Action]] = [
        ("acme", "acme", "runs"),
        ("globex", "globex", "runs"),
        ("agent", "acme", "agents"),
    ]
    for program, tenant, action in wanted:
        tokens[program] = (await makes.create(Wanted(tenant, program, (action,)))).token.get_secret_value()
    url = database.database_url.get_secret_value() if database.database_url else ""
    async with ingress(**HTTP, DATABASE_URL=url, SLACK_SIGNING_SECRET="") as running:
        async with ClientSession(running.http_address()) as session:
            yield Programs(session, tokens)
        assert not any(token in running.child.said() for token in tokens.values())


async def test_a_run_is_asked_for_once_however_often_it_is_said(programs: Programs, topics: KafkaSettings) -> None:
    body = {"text": "Summarise the week", "channel": "C1", "agent": "otto"}
    status, first = await programs.ask("/v1/runs", {**body, "key": "week-9"})
    assert status == 202
    assert first["run_id"] == run_id(ACMES, gateway_cause("week-9").name)
    _, again = await programs.ask("/v1/runs", body, **{"Idempotency-Key": "week-9"})
    assert again["run_id"] == first["run_id"]
    _, other = await programs.ask("/v1/runs", body)
    assert other["run_id"] != first["run_id"]
    one, two, three = [each.event for each in await stored(topics) if isinstance(each.event, GatewayRun)]
    assert (one.event_id, one.connection, one.tenant_id, one.text) == (two.event_id, ACMES, "acme", body["text"])
    assert (one.agent, one.channel_id, one.received.transport) == ("otto", "C1", "gateway")
    assert three.event_id != one.event_id
    assert all(token not in str(one) for token in programs.tokens.values())


async def test_a_run_is_ended_by_its_id(programs: Programs, topics: KafkaSettings) -> None:
    _, asked = await programs.ask("/v1/runs", {"text": "Write a book"})
    status, answer = await programs.ask(f"/v1/runs/{asked['run_id']}/cancel")
    assert (status, answer["run_id"]) == (202, asked["run_id"])
    (cancel,) = [each.event for each in await stored(topics) if isinstance(each.event, GatewayCancel)]
    assert (cancel.run_id, cancel.connection, cancel.tenant_id) == (asked["run_id"], ACMES, "acme")


@pytest.mark.parametrize(
    ("program", "path", "body", "refusal"),
    [
        ("nobody", "/v1/runs", {"text": "x"}, (401, "not_signed_in")),
        ("agent", "/v1/runs", {"text": "x"}, (403, "not_for_this")),
        ("acme", "/v1/runs", {}, (400, "wrong_body")),
        ("acme", "/v1/runs", {"text": ""}, (400, "wrong_body")),
        ("acme", "/v1/runs", {"text": 1}, (400, "wrong_body")),
        ("acme", "/v1/runs", {"text": "x", "tenant": "globex"}, (400, "wrong_body")),
        ("acme", "/v1/runs", {"text": "x" * 40_001}, (400, "wrong_body")),
        ("acme", "/v1/runs", {"text": "\ud800"}, (400, "wrong_body")),
        ("acme", "/v1/runs", {"text": "x", "key": "é"}, (400, "wrong_body")),
        ("acme", "/v1/runs", {"text": "x", "workspace": "T0GLOBEX"}, (422, "no_connection")),
        ("globex", "/v1/runs", {"text": "x"}, (422, "which_connection")),
        ("acme", "/v1/runs/no-id/cancel", {}, (404, "unknown_run")),
    ],
)
async def test_what_is_wrong_is_told(
    programs: Programs, program: str, path: str, body: Any, refusal: tuple[int, str]
) -> None:
    status, answer = await programs.ask(path, body, program)
    assert (status, answer["error"]) == refusal
    assert answer["message"]


async def test_one_of_several_installations_is_named(programs: Programs, topics: KafkaSettings) -> None:
    status, _ = await programs.ask("/v1/runs", {"text": "x", "app": "A0SIDE"}, "globex")
    assert status == 202
    assert [each.event.connection for each in await stored(topics) if isinstance(each.event, GatewayRun)] == [
        "A0SIDE:T0GLOBEX"
    ]


async def test_what_became_of_it_is_told_from_the_audit(programs: Programs, topics: KafkaSettings) -> None:
    _, asked = await programs.ask("/v1/runs", {"text": "x", "key": "k"})
    run, path = asked["run_id"], f"/v1/runs/{asked['run_id']}"
    status, view = await programs.ask(path, method="GET")
    assert (status, view["state"]) == (200, "accepted")
    assert (await programs.ask(path, program="globex", method="GET"))[0] == 404, "another tenant's"
    trigger: Trigger = "gateway"
    decision = Dispatched(run_id=run, cause="gateway:k", trigger=trigger, agent_id="mara")
    await write(
        topics, decided(decision, "k"), state(run, "start"), state(run, "complete"), state(run, "cancel_requested")
    )
    view = await programs.until(path, "complete")
    assert view["decision"]["kind"] == "dispatched"
    _, throttled = await programs.ask("/v1/runs", {"text": "x", "key": "k2"})
    await write(topics, decided(Throttled(bucket="connection", retry_after_s=3.0, told_by="nothing"), "k2"))
    view = await programs.until(f"/v1/runs/{throttled['run_id']}", "refused")
    assert view["decision"]["retry_after_s"] == 3.0


def decided(decision: Dispatched | Throttled, key: str) -> DecisionMade:
    return DecisionMade(
        at=SystemClock().now(),
        decision=decision,
        source_partition=0,
        source_offset=0,
        connection=ACMES,
        tenant_id="acme",
        event_id=f"gateway:{ACMES}:{key}",
    )


def state(run: str, name: Any) -> RunState:
    return RunState(
        at=SystemClock().now(), run_id=run, tenant_id="acme", connection=ACMES, origin="gateway", state=name
    )


async def write(settings: KafkaSettings, *events: DecisionMade | RunState) -> None:
    with tracer_for("test", TelemetrySettings()) as tracer:
        async with Producer(settings, "router", Instruments(SystemClock(), NoEmitter(), tracer)) as producer:
            for number, event in enumerate(events):
                topic = AUDIT_DECISIONS if isinstance(event, DecisionMade) else AUDIT_RUNS
                await producer.publish(topic, "key", event, f"{number}")
