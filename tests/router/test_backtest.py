"""`threadline rules test --since`: what rules would have matched in the log, where, and what that costs."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from opentelemetry.trace import NoOpTracer

from bench.beds.child import child
from bench.beds.inbox import Inbox
from bench.beds.router import describe, router_environment
from schemas.envelope import Envelope
from schemas.run import RunState, Usage
from schemas.topics import AUDIT_RUNS, RUNS_COMMANDS
from services.directory.document import Document, Rule
from services.kit.clock import SystemClock
from services.kit.groups import DatabaseSettings, KafkaSettings
from services.kit.kafka.producer import Producer
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.instruments import Instruments
from tests.commands import Command
from tests.deciding import Deciding, message
from tests.router.conftest import Runs, tenant
from tests.router.test_router import mentions
from tests.samples import event_callback, run_state

ACME = """
version: 1
tenants:
  - id: acme
    name: Acme
    connections: [{workspace: T1}]
    installations: [{app: A1, workspace: T1, bot_user: UBOT}]
    agents: [{id: mara, name: Mara, default: true}]
"""
GLOBEX = """
  - id: globex
    name: Globex
    connections: [{workspace: T2}]
    installations: [{app: A1, workspace: T2, bot_user: UBOT, secrets: 'env:globex'}]
    agents: [{id: mara, name: Mara, default: true}]
"""
OUTAGE = "    rules: [{name: outage, pattern: 'is .* down'}]\n"


def said(router: Deciding, channel: str, *texts: str, workspace: str = "T1") -> tuple[list[Envelope], list[str]]:
    """What people say to each other there, and what each message is called."""
    made: list[Envelope] = []
    called = []
    for text in texts:
        router.number += 1
        ts = router.ts()
        payload = event_callback(
            message(text, ts, channel=channel), event_id=f"Ev{router.number}", team_id=workspace, authorizations=[]
        )
        made.append(router.envelope("events_api", payload))
        called.append(f"{channel}/{ts}")
    return made, called


async def decided(routers: Runs, inbox: Inbox, envelopes: Iterable[Envelope]) -> None:
    """By a router, under the directory as it is."""
    async with routers():
        await inbox.put_all(envelopes)
        await inbox.decisions()


async def used(kafka: KafkaSettings, *runs: RunState) -> None:
    """Runs that a responder tells of."""
    async with Producer(kafka, "responder", Instruments(SystemClock(), NoEmitter(), NoOpTracer())) as producer:
        for number, run in enumerate(runs):
            await (await producer.send(AUDIT_RUNS, "T1:C1:1.0", run, f"run-{number}:complete"))


def completed(tokens_in: int, tokens_out: int, cost_usd: float | None, **changes: Any) -> RunState:
    usage = Usage(model="m", input_tokens=tokens_in, output_tokens=tokens_out, cost_usd=cost_usd)
    mine = {"state": "complete", "run_id": f"run-{tokens_in}", "agent_id": "mara", "usage": usage}
    return run_state(**{**mine, **changes})


async def tried(threadline: Command, *arguments: str) -> dict[str, Any]:
    """The rules that it tells machines of, by tenant and name."""
    found = json.loads(await threadline("rules", "test", *arguments, "--since", "1h", "--format", "json"))
    return {f"{each['tenant']}/{each['rule']}": each for each in found["rules"]}


def named(happened: Iterable[dict[str, Any]]) -> list[str]:
    return [f"{each['channel']}/{each['ts']}" for each in happened]


async def test_a_new_rule_tells_how_often_where_and_at_what_cost_it_would_have_matched(
    routers: Runs, inbox: Inbox, threadline: Command, topics: KafkaSettings, tmp_path: Path
) -> None:
    router = Deciding()
    help_, there = said(router, "C1", "is it down?", "is that down?", "good morning", "is all down?")
    other, elsewhere = said(router, "C2", *["is the lift down?"] * 4)
    await decided(routers, inbox, [*help_, *mentions(router, 2), *other])
    file = tmp_path / "other.yaml"
    file.write_text(f"{ACME}    rules: [{{name: outage, pattern: 'is .* down'}}, {{name: never, pattern: xyz}}]\n")

    found = await tried(threadline, "acme", "--file", str(file))
    outage, never = found["acme/outage"], found["acme/never"]
    assert named(outage["messages"]) == [there[0], there[1], there[3], *elsewhere]
    assert outage["channels"] == {"C1": 3, "C2": 4}
    counts = {name: outage[name] for name in ("matched", "runs", "as_it_was", "new", "throttled")}
    assert counts == {"matched": 7, "runs": 7, "as_it_was": 0, "new": 7, "throttled": 0}
    assert (never["matched"], never["messages"], never["costs"]) == (0, [], [])
    [unknown] = outage["costs"]
    assert (unknown["agent"], unknown["usual"]) == ("mara", None)
    assert unknown["additional"] == {"runs": 7, "input_tokens": None, "output_tokens": None, "cost_usd": None}

    shown = await threadline("rules", "test", "acme", "--since", "1h", "--file", str(file))
    assert "acme: outage would have matched 7 times: 7 new" in shown
    assert "acme: never would not have matched" in shown
    assert "C1 3 times, C2 4 times" in shown
    assert there[0] in shown
    assert elsewhere[3] not in shown
    assert "and 2 more; --all shows them" in shown
    assert "what they cost is not known: no run of mara was completed" in shown
    assert elsewhere[3] in await threadline("rules", "test", "--since", "1h", "--file", str(file), "--all")

    before = SystemClock().now().isoformat()
    await used(
        topics,
        completed(200, 50, 0.02),
        completed(100, 40, 0.01),
        completed(400, 90, 0.09),
        completed(9999, 9999, 9.0, tenant_id="globex"),
        completed(9999, 9999, 9.0, agent_id="vera"),
        completed(9999, 9999, 9.0, state="error", reason="model_timeout"),
    )
    [cost] = (await tried(threadline, "acme", "--file", str(file)))["acme/outage"]["costs"]
    assert cost["usual"] == {"runs": 3, "input_tokens": 200, "output_tokens": 50, "cost_usd": 0.02}
    whole = {"runs": 7, "input_tokens": 1400, "output_tokens": 350, "cost_usd": 0.14}
    assert cost == {"agent": "mara", "usual": cost["usual"], "additional": whole, "whole": whole}
    [unknown] = (await tried(threadline, "acme", "--file", str(file), "--until", before))["acme/outage"]["costs"]
    assert unknown["usual"] is None, "they ended behind the stretch"
    shown = await threadline("rules", "test", "acme", "--since", "1h", "--file", str(file))
    assert "mara: 7 runs more than there were, at its usual 200 tokens in and 50 out (the median of 3 runs)" in shown
    assert "1,400 tokens in, 350 out, $0.1400" in shown
    assert len(await inbox.found(RUNS_COMMANDS)) == 2, "the two mentions: no rule led to anything"


async def test_a_changed_rule_shows_what_is_as_it_was_what_is_new_and_what_is_no_longer(
    routers: Runs, inbox: Inbox, threadline: Command, described: DatabaseSettings, tmp_path: Path
) -> None:
    ruled = tenant("acme", "T1").model_copy(update={"rules": (Rule(name="outage", pattern="is .* down|crash"),)})
    await describe(described, Document(version=1, tenants=(ruled, tenant("globex", "T2"))))
    made, called = said(Deciding(), "C1", "is it down?", "crash", "is it slow?", "is all down?")
    await decided(routers, inbox, made)

    applied = (await tried(threadline, "acme"))["acme/outage"]
    assert named(applied["messages"]) == [called[0], called[1], called[3]]
    assert (applied["as_it_was"], applied["new"], applied["no_longer"]) == (3, 0, [])
    assert [(each["additional"]["runs"], each["whole"]["runs"]) for each in applied["costs"]] == [(0, 3)]

    file = tmp_path / "other.yaml"
    file.write_text(f"{ACME}    rules: [{{name: outage, pattern: 'is .* (down|slow)'}}]\n")
    changed = (await tried(threadline, "acme", "--file", str(file)))["acme/outage"]
    assert named(changed["messages"]) == [called[0], called[2], called[3]]
    assert [each["back_then"] for each in changed["messages"]] == ["this_rule", "no_run", "this_rule"]
    assert (changed["as_it_was"], changed["new"], named(changed["no_longer"])) == (2, 1, [called[1]])
    assert [(each["additional"]["runs"], each["whole"]["runs"]) for each in changed["costs"]] == [(1, 3)]
    shown = await threadline("rules", "test", "acme", "--since", "1h", "--file", str(file))
    assert "outage would have matched 3 times: 2 as it was, 1 new" in shown
    assert "no longer a run of this rule: 1" in shown

    file.write_text(ACME)
    assert "outage is not there any more; it had 3 runs back then" in await threadline(
        "rules", "test", "acme", "--since", "1h", "--file", str(file)
    )


async def test_limits_count_and_a_mention_costs_nothing_extra(
    routers: Runs, inbox: Inbox, threadline: Command, tmp_path: Path
) -> None:
    router = Deciding()
    made, called = said(router, "C1", *["is it down?"] * 5)
    await decided(routers, inbox, [*made, *mentions(router, 2)])
    file = tmp_path / "other.yaml"
    file.write_text(f"{ACME}    limits: [{{scope: connection, per_minute: 2}}]\n{OUTAGE}")
    limited = (await tried(threadline, "acme", "--file", str(file)))["acme/outage"]
    assert [each["comes_to"] for each in limited["messages"]] == ["run"] * 2 + ["throttled"] * 3
    assert named(limited["messages"]) == called
    assert (limited["runs"], limited["throttled"]) == (2, 3)
    assert [each["additional"]["runs"] for each in limited["costs"]] == [2]
    shown = await threadline("rules", "test", "acme", "--since", "1h", "--file", str(file))
    assert "would have matched 5 times: 2 new, 3 over the limit" in shown

    file.write_text(f"{ACME}    rules: [{{name: triage, when: mention, prompt: 'be brief: {{text}}'}}]\n")
    triage = (await tried(threadline, "acme", "--file", str(file)))["acme/triage"]
    assert (triage["matched"], triage["runs"], triage["answered_anyhow"], triage["costs"]) == (2, 2, True, [])
    shown = await threadline("rules", "test", "acme", "--since", "1h", "--file", str(file))
    assert "its runs cost nothing extra" in shown


async def test_all_tenants_one_rule_and_a_part_of_the_log(
    routers: Runs, inbox: Inbox, threadline: Command, tmp_path: Path
) -> None:
    router = Deciding()
    first, _ = said(router, "C1", "is it down?")
    await decided(routers, inbox, [*first, *said(router, "C7", "is it down?", "help", workspace="T2")[0]])
    both = "    rules: [{name: outage, pattern: down}, {name: help, pattern: help}]\n"
    file = tmp_path / "other.yaml"
    file.write_text(f"{ACME}{both}{GLOBEX}{both}")
    found = await tried(threadline, "--file", str(file))
    assert {name: each["matched"] for name, each in found.items()} == {
        "acme/help": 0,
        "acme/outage": 1,
        "globex/help": 1,
        "globex/outage": 1,
    }
    assert set(await tried(threadline, "--file", str(file), "--rule", "help")) == {"acme/help", "globex/help"}
    assert set(await tried(threadline, "globex", "--file", str(file), "--rule", "help")) == {"globex/help"}
    since = SystemClock().now().isoformat()
    assert "matched" not in await threadline("rules", "test", "--since", since)
    earlier = ("rules", "test", "--since", "2h", "--until", "1h", "--file", str(file), "--format", "json")
    assert {each["matched"] for each in json.loads(await threadline(*earlier))["rules"]} == {0}


async def test_what_does_not_go_together_is_told_and_nothing_is_read(threadline: Command, tmp_path: Path) -> None:
    file = tmp_path / "other.yaml"
    file.write_text(f"{ACME}{OUTAGE}")

    async def refused(*arguments: str) -> str:
        return await threadline("rules", "test", *arguments, code=1)

    assert "TEXT: with --since rules are tried on what stands in the log" in await refused(
        "acme", "is it down?", "--since", "1h"
    )
    assert "--when, --emoji: with --since" in await refused(
        "acme", "--since", "1h", "--emoji", "eyes", "--when", "emoji_reaction"
    )
    assert "--until, --format: it is for rules that are tried on the log" in await refused(
        "acme", "is it down?", "--until", "1h", "--format", "json"
    )
    assert "name the TENANT" in await refused()
    assert "nothing was read" in await refused("acme", "--since", "1h", "--until", "2h")
    assert "nothing was read" in await refused("acme", "--since", "yesterday")
    assert "there is no tenant nobody; `threadline directory show` lists them" in await refused(
        "nobody", "--since", "1h"
    )
    assert "there is no tenant globex in" in await refused("globex", "--since", "1h", "--file", str(file))
    assert "--rule outgae: no rule of that name is switched on; there are outage" in await refused(
        "acme", "--since", "1h", "--file", str(file), "--rule", "outgae"
    )
    assert "There is no rule that is switched on" in await threadline("rules", "test", "acme", "--since", "1h")


async def test_ctrl_c_ends_it_with_a_line(topics: KafkaSettings, described: DatabaseSettings, tmp_path: Path) -> None:
    """The broker is one that takes calls and never answers: that is where it is interrupted."""
    silent = socket.create_server(("127.0.0.1", 0))
    silent.setblocking(False)  # noqa: FBT003 - it takes no name
    owner = described.database_owner_url
    given = router_environment(topics, described) | {
        "THREADLINE_HOME": str(tmp_path / "home"),
        "THREADLINE_KAFKA_BROKERS": f"127.0.0.1:{silent.getsockname()[1]}",
        "THREADLINE_DATABASE_OWNER_URL": owner.get_secret_value() if owner is not None else "",
    }
    command = (sys.executable, "-m", "threadline", "rules", "test", "--since", "1h")
    async with child(command, given, tmp_path / "log", tmp_path) as running, asyncio.timeout(60):
        with silent, (await asyncio.get_running_loop().sock_accept(silent))[0]:
            running.send(signal.SIGINT)
            assert await running.process.wait() == 1
        assert running.said().strip() == (
            "threadline: interrupted; rules were only tried, so that everything is as it was"
        )
