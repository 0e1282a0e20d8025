"""What programs send that is not as it should be; and the tables, which are made anew from what they sent."""

import asyncio
import io
import json
import sys
from typing import Any

import pytest

from bench.beds.child import child
from bench.beds.supervisor import Reporter, own_supervisor
from schemas.agent import TaskHome
from schemas.topics import AGENTS_EVENTS
from services.kit.groups import KafkaSettings
from services.kit.kafka.writer import Writer
from tests.databases import connected
from tests.supervisor.conftest import Watch

TABLES = ("agent_tasks", "agent_checkpoints", "human_interventions", "task_artifacts")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[]", 400),
        (b'{"events": []}', 400),
        (b'{"events": {}}', 400),
        (b'{"events": [{}], "more": 1}', 400),
        (b'{"events": [' + b"{}," * 100 + b"{}]}", 400),
        (b'{"events": [1]}', 400),
        (b"[" * 100_000, 400),
    ],
)
async def test_rubbish_is_refused_and_changes_nothing(watch: Watch, body: bytes, status: int) -> None:
    agent = await watch.reporter("rubbish")
    found, answer = await agent.ask("POST", "/v1/agents/events", body)
    assert found == status, answer
    assert answer["message"]


async def test_what_is_too_large_is_not_read(watch: Watch) -> None:
    agent = await watch.reporter("large")
    body, headers = io.BytesIO(b'["' + b"x" * (1 << 20) + b'"]'), {"Authorization": f"Bearer {agent.token}"}
    async with watch.session.post(f"{agent.address}/v1/agents/events", data=body, headers=headers) as answer:
        assert (answer.status, (await answer.json())["error"]) == (413, "too_large")


async def test_one_wrong_event_is_named_and_the_others_are_taken(watch: Watch) -> None:
    agent = await watch.reporter("mixed")
    good, wrong = agent.event("task.started", task_name="Mixed"), agent.event("task.checkpoint", action="x", progress=7)
    status, answer = await agent.send(good, wrong)
    assert (status, answer["accepted"]) == (202, 1)
    (refused,) = answer["refused"]
    assert (refused["index"], refused["id"], refused["error"]) == (1, wrong["id"], "wrong_event")
    assert "progress" in refused["message"]
    status, answer = await agent.send(wrong)
    assert (status, answer["accepted"]) == (400, 0)
    await agent.end()
    await watch.head(agent.task_id, "COMPLETE")


async def test_each_workspace_of_a_tenant_has_a_channel_for_agents_of_its_own(watch: Watch) -> None:
    told_in: list[TaskHome] = []
    for where in ({"workspace": "T0LAB"}, {"workspace": "T0GLOBEX", "app": "A0TWO"}):
        agent = await watch.reporter("home", "globex")
        await agent.taken(agent.event("task.started", task_name="Looks around"), **where)
        told_in += [each.event.home for each in await watch.events(agent.task_id)]
        await agent.taken(agent.event("task.ended", status="complete"), **where)  # or it is tried again for ever
    assert [(each.connection, each.channel) for each in told_in] == [
        ("A0ONE:T0LAB", "C0LAB"),
        ("A0TWO:T0GLOBEX", "#agent-supervisory"),
    ]


@pytest.mark.parametrize("token", ["", "tl_acme_000000000000_" + "0" * 64, "xoxb-not-ours"])
async def test_who_does_not_sign_in_hears_nothing(watch: Watch, token: str) -> None:
    stranger = Reporter(watch.supervisor.agents, token, watch.session)
    for method, path in (
        ("POST", "/v1/agents/events"),
        ("POST", "/v1/agents/alive"),
        ("POST", "/v1/agents/tasks/take"),
        ("GET", "/v1/approvals/x"),
        ("GET", "/tasks"),
        ("GET", "/tasks/x"),
        ("GET", "/metrics?days=1"),
    ):
        status, answer = await stranger.ask(method, path, {} if method == "POST" else None)
        assert (status, answer["error"]) == (401, "not_signed_in"), path
    status, health = await stranger.ask("GET", "/health")
    assert (status, health) == (200, {"live": True, "ready": True})


async def test_what_is_asked_wrongly_is_told(watch: Watch) -> None:
    agent = await watch.reporter("asks")
    for path in ("/tasks?status=busy", "/metrics?days=0", "/metrics?days=x", "/v1/approvals/x?wait=99"):
        assert (await agent.ask("GET", path))[0] == 400, path
    status, summary = await agent.ask("GET", "/metrics")
    assert (status, summary["days"]) == (200, 7)
    assert summary["cost_usd"] == sum(each["cost_usd"] for each in summary["agents"])


async def test_who_asks_for_too_much_hears_that_nobody_is_asked(watch: Watch) -> None:
    agent = await watch.reporter("greedy")
    await agent.start()
    await agent.taken(*(agent.question(f"q{number}", {}, 600) for number in range(21)))
    answer = await agent.answer("q20")
    assert (answer["state"], answer["decided_by"]) == ("refused", None)
    assert "asks for too much at once" in answer["reason"]
    assert len((await agent.shown())["waiting_for"]) == 20
    await agent.end()


async def test_who_reports_too_much_is_told_when_to_come_again(watch: Watch, topics: KafkaSettings) -> None:
    own = {"THREADLINE_TOPIC_PREFIX": topics.topic_prefix, "THREADLINE_SUPERVISOR_EVENTS_PER_S": "1"}
    slow = {**watch.environment, **own}
    async with own_supervisor(watch.folder / "slow-supervisor", slow, ready=False) as other:
        await other.child_says("agents report at")
        agent = Reporter(other.agents, watch.tokens["acme"], watch.session, "too-fast")
        many = [agent.event("task.checkpoint", action="x", progress=7) for _ in range(100)]
        assert (await agent.send(*many))[0] == 400, "each is refused, and counts"
        headers = {"Authorization": f"Bearer {agent.token}"}
        sent = watch.session.post(f"{agent.address}/v1/agents/events", json={"events": many[:50]}, headers=headers)
        async with sent as answer:
            assert (answer.status, (told := await answer.json())["error"]) == (429, "too_fast")
            assert 1 <= int(answer.headers["Retry-After"]) <= 50
        assert "Nothing of this request is kept" in told["message"]
        assert await other.metric("threadline_supervisor_requests_total", result="too_fast") == 1


async def test_an_approval_streams(watch: Watch) -> None:
    agent = await watch.reporter("streams")
    await agent.start()
    name = await agent.ask_to("deploy", {}, expires_in_s=1)
    await watch.under(agent.task_id, "deploy")
    headers = {"Authorization": f"Bearer {agent.token}", "Accept": "text/event-stream"}
    async with (
        asyncio.timeout(20),
        watch.session.get(f"{agent.address}/v1/approvals/{name}", headers=headers) as answer,
    ):
        said = (await answer.read()).decode()
    states = [json.loads(line[6:])["state"] for line in said.splitlines() if line.startswith("data: ")]
    assert states[-1] == "expired"
    assert set(states) <= {"open", "expired"}
    await agent.end()


async def test_a_record_that_nobody_understands_holds_up_no_task(watch: Watch) -> None:
    agent = await watch.reporter("poison")
    await agent.start()
    async with Writer(watch.kafka, "somebody") as writer:
        for value in (b"{", None, b"\x00"):
            await (await writer.hand_over(AGENTS_EVENTS, agent.task_id, value, ()))
    await agent.end()
    await watch.head(agent.task_id, "COMPLETE")
    await watch.supervisor.until("threadline_supervisor_dead_letters_total", 3)


async def test_the_tables_are_made_anew_from_the_topic_and_are_the_same(watch: Watch) -> None:
    agent = await watch.reporter("anew")
    await agent.start(context_size=1_000)
    for used in (100, 400, 720, 900):
        await agent.checkpoint(f"at {used}", context_used=used, cost_usd=0.1, details={"used": used})
    await agent.ask_to("deploy", {"version": 4}, expires_in_s=1)
    await watch.under(agent.task_id, "neither approved nor rejected")
    await agent.taken(agent.event("task.artifact", artifact="file", title="out.txt", link="out.txt"))
    await agent.end("error", summary="It failed")
    await watch.head(agent.task_id, "It failed")
    await watch.supervisor.until("threadline_supervisor_fold_lag", 0)
    before = await _dump(watch)
    assert [len(before[table]) > 0 for table in TABLES] == [True] * len(TABLES)
    owner = watch.database.database_owner_url
    assert owner is not None
    own = {"THREADLINE_DATABASE_OWNER_URL": owner.get_secret_value()}
    log = watch.folder / "rebuild.log"
    command = (sys.executable, "-m", "threadline", "supervisor", "rebuild")
    async with child(command, {**watch.environment, **own}, log, watch.folder) as started:
        assert await started.process.wait() == 0, started.said()
    assert "are made anew from" in started.said()
    assert await _dump(watch) == before
    again = await watch.reporter("after")
    await again.start()
    await again.end()
    await watch.head(again.task_id, "COMPLETE")


async def _dump(watch: Watch) -> dict[str, list[Any]]:
    owner = watch.database.database_owner_url
    assert owner is not None
    async with connected(owner.get_secret_value()) as connection:
        return {
            table: [tuple(row) for row in await connection.fetch(f"select * from threadline.{table} order by 1, 2")]
            for table in TABLES
        }
