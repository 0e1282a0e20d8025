"""An agent that people talk with wants to use tools: people allow each use, and the run goes on once."""

import asyncio
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from bench.beds.inbox import Found, Inbox
from bench.beds.responder import own_responder
from bench.beds.tools import BREAKS_OFF, HANGS
from schemas import ids
from schemas.agent import ApprovalAttempted, ApprovalDecided, ApprovalRequested, RunWaits, TaskEnded, ToolsWanted
from schemas.base import Event
from schemas.buttons import APPROVAL, STOP, TASK
from schemas.command import Place, RunResumed
from schemas.effect import RunSuspended
from schemas.run import RunCancel, RunState
from schemas.stop import StopRun
from schemas.topics import AGENTS_COMMANDS, AUDIT_RUNS, RUNS_COMMANDS, RUNS_STOPS, SLACK_EFFECTS, Topic
from services.kit.clock import SystemClock
from services.kit.secrets.signing import SIGNATURE, TIMESTAMP, key_of, signed
from services.slack_sim.control import asks
from services.supervisor.decisions.runs import LATE
from tests.supervisor.conftest import TOOLS_KEY, Watch


async def asked(watch: Watch, order: str, tool: str = "refund", channel: str | None = None) -> str:
    """Ben wants something done with a tool. Gives the ts of what he said."""
    words = f"<@{watch.first.bot_user}> use {tool} with {json.dumps({'order': order})}"
    return await watch.sim.say(watch.first.colleague, channel or watch.first.support, words)


async def under(watch: Watch, ts: str, contains: str, channel: str | None = None) -> dict[str, Any]:
    """A message in the thread, once there is one that says something."""
    place = channel or watch.first.support
    async with asyncio.timeout(20):
        while True:
            for each in (await watch.sim.transcript(place, ts)).messages:
                if each["ts"] != ts and contains in str(each):
                    return each | {"channel": place}
            await asyncio.sleep(0.05)


def run_of(answer: dict[str, Any]) -> str:
    return str(answer["metadata"]["event_payload"]["run_id"])


async def ended(watch: Watch, run_id: str) -> TaskEnded:
    """The end of a run's task, once it is on record."""
    found: list[Any] = []

    async def is_there() -> bool:
        found[:] = [each.event for each in await watch.events(run_id) if isinstance(each.event, TaskEnded)]
        return bool(found)

    await watch.until(is_there)
    end: TaskEnded = found[0]
    return end


async def is_asked(watch: Watch, order: str) -> bool:
    """Whether a tool was asked about an order."""
    return bool(watch.tools.of(order=order))


async def is_stopped(watch: Watch, run_id: str) -> bool:
    """Whether it is on record that somebody wants a run to end."""
    found = [each.event for each in await Inbox(watch.kafka).found(RUNS_STOPS)]
    return StopRun(run_id=run_id) in [each.target for each in found]


async def record_of(watch: Watch, topic: Topic, kind: type[Event], run_id: str) -> Found:
    """What stands of a run, once it does."""
    found: list[Found] = []

    async def stands() -> bool:
        for each in await Inbox(watch.kafka).found(topic, passing_over=True):
            of = each.event.effect.run_id if isinstance(each.event, RunSuspended) else getattr(each.event, "run_id", "")
            if isinstance(each.event, kind) and of == run_id:
                found.append(each)
        return bool(found)

    await watch.until(stands)
    return found[0]


async def test_a_tool_is_used_once_it_is_allowed(watch: Watch) -> None:
    anna, ben = watch.first.you, watch.first.colleague
    ts = await asked(watch, "A-1")
    waits = await under(watch, ts, "Waits to be allowed")
    assert "`refund`" in str(waits)
    asking = await under(watch, ts, APPROVAL)
    assert "Use the tool refund" in str(asking)
    assert "A-1" in str(asking)
    assert watch.tools.of(order="A-1") == []
    await watch.press(ben, asking, APPROVAL)
    seen = await watch.heard(ben, "You may not decide this")
    assert seen
    await watch.press(anna, asking, APPROVAL)
    answer = await under(watch, ts, "done: {")
    assert answer["ts"] == waits["ts"]
    (request,) = watch.tools.of(order="A-1")
    assert (request.tool, request.body["tool"], request.body["asked_by"]) == ("refund", "refund", ben)
    assert (request.body["approved_by"], request.body["tenant"], request.body["agent"]) == (anna, "acme", "mara")
    assert request.headers["Idempotency-Key"]
    decided = await under(watch, ts, "Approved")
    assert decided["ts"] == asking["ts"]
    assert APPROVAL not in str(decided)
    run_id = run_of(answer)
    assert (await ended(watch, run_id)).status == "complete"
    kinds = [type(each.event) for each in await watch.events(run_id)]
    assert kinds == [RunWaits, ApprovalRequested, ApprovalAttempted, ApprovalDecided, TaskEnded]
    states = [each.event for each in await Inbox(watch.kafka).found(AUDIT_RUNS)]
    mine = [each.state for each in states if isinstance(each, RunState) and each.run_id == run_id]
    assert mine == ["start", "complete"]


async def test_a_tool_proves_who_asks_it(watch: Watch) -> None:
    ts = await asked(watch, "A-2", "look_up")
    await under(watch, ts, "done: {")
    (request,) = watch.tools.of(order="A-2")
    assert request.body["approved_by"] is None
    at = int(request.headers[TIMESTAMP])
    expected = signed(key_of(SecretStr(TOOLS_KEY), "acme"), request.raw, datetime.fromtimestamp(at, UTC))
    assert request.headers[SIGNATURE] == expected[SIGNATURE]


async def test_a_no_is_told_to_the_model_and_nothing_is_done(watch: Watch) -> None:
    ts = await asked(watch, "A-3")
    asking = await under(watch, ts, APPROVAL)
    await watch.press(watch.first.you, asking, f"{TASK}:reject")
    await watch.write(watch.first.you, "Not without a receipt")
    answer = await under(watch, ts, "a person said no: Not without a receipt")
    assert watch.tools.of(order="A-3") == []
    assert (await ended(watch, run_of(answer))).status == "complete"


async def test_a_run_that_waits_can_be_stopped(watch: Watch) -> None:
    ben = watch.first.colleague
    ts = await asked(watch, "A-4")
    waits = await under(watch, ts, "Waits to be allowed")
    asking = await under(watch, ts, APPROVAL)
    await watch.press(ben, waits, STOP)
    stopped = await under(watch, ts, "Stopped by")
    assert f"<@{ben}>" in str(stopped)
    gone = await under(watch, ts, "Not needed any more")
    assert gone["ts"] == asking["ts"]
    run_id = run_of(waits)
    assert (await ended(watch, run_id)).status == "cancelled"
    assert APPROVAL not in str(gone)
    await watch.command(watch.first.you, f"/agent-task cancel {run_id}")
    await watch.heard(watch.first.you, "is over")
    assert watch.tools.of(order="A-4") == []
    found = [each.event for each in await Inbox(watch.kafka).found(AUDIT_RUNS)]
    (cancel,) = [each for each in found if isinstance(each, RunCancel) and each.run_id == run_id]
    assert cancel.acknowledged


async def test_an_agent_waits_through_restarts_and_goes_on_once(watch: Watch) -> None:
    ben, unwanted = watch.first.colleague, await asked(watch, "A-10")
    waits_in_vain = await under(watch, unwanted, "Waits to be allowed")
    await under(watch, unwanted, APPROVAL)
    ts = await asked(watch, "A-5")
    waits = await under(watch, ts, "Waits to be allowed")
    asking = await under(watch, ts, APPROVAL)
    watch.tools.plan = [(HANGS, ""), (409, "again?")]
    using = await asked(watch, "A-13", "find")
    await watch.until(lambda: is_asked(watch, "A-13"))
    await watch.pipeline.responder.child.kill()
    await watch.supervisor.child.kill()
    await watch.press(ben, waits_in_vain, STOP)
    await watch.until(lambda: is_stopped(watch, run_of(waits_in_vain)))
    await watch.start()
    started = own_responder(watch.folder / "responder", watch.environment)
    watch.pipeline = replace(watch.pipeline, responder=await watch.stack.enter_async_context(started))
    await under(watch, using, "Nobody knows whether it was done")
    assert len(watch.tools.of(order="A-13")) == 2
    stopped = await under(watch, unwanted, "Stopped by")
    assert (stopped["ts"], (await ended(watch, run_of(stopped))).status) == (waits_in_vain["ts"], "cancelled")
    await watch.press(watch.first.you, asking, APPROVAL)
    answer = await under(watch, ts, "done: {")
    assert answer["ts"] == waits["ts"]
    run_id = run_of(answer)
    assert (await ended(watch, run_id)).status == "complete"
    commands = await Inbox(watch.kafka).found(RUNS_COMMANDS)
    (resumed,) = [each for each in commands if isinstance(each.event, RunResumed) and each.event.run_id == run_id]
    for name in ("again", "and-again"):
        await watch.put(RUNS_COMMANDS, resumed.record.key, resumed.event, f"{run_id}-{name}")
    later = await asked(watch, "A-6", "look_up")
    await under(watch, later, "done: {")
    assert len(watch.tools.of(order="A-5")) == 1
    said = [each for each in (await watch.sim.transcript(watch.first.support, ts)).messages if "done: {" in str(each)]
    assert [each["ts"] for each in said] == [answer["ts"]]
    assert watch.tools.of(order="A-10") == []


async def test_what_is_never_asked_is_told_in_the_message_that_waits(watch: Watch) -> None:
    """A run like one that waits, of which the ledger has no message, and whose question was lost."""
    ts = await asked(watch, "A-11")
    waits = await under(watch, ts, "Waits to be allowed")
    asking = await under(watch, ts, APPROVAL)
    run_id = run_of(waits)
    lost = f"lost-{run_id}"
    kept = await record_of(watch, SLACK_EFFECTS, RunSuspended, run_id)
    effect = kept.event.effect.model_copy(update={"run_id": lost, "effect_id": lost})
    await watch.put(SLACK_EFFECTS, kept.record.key, kept.event.model_copy(update={"effect": effect}), lost)
    wanted = await record_of(watch, AGENTS_COMMANDS, ToolsWanted, run_id)
    long_ago = SystemClock().now() - 2 * LATE
    unasked = {"run_id": lost, "task_name": "what \0 no table takes", "wanted": (), "expires_at": long_ago}
    await watch.put(AGENTS_COMMANDS, wanted.record.key, wanted.event.model_copy(update=unasked), lost)
    answer = await under(watch, ts, "nobody decided in time")
    assert answer["ts"] == waits["ts"]
    assert (await ended(watch, lost)).status == "complete"
    assert watch.tools.of(order="A-11") == []
    await watch.press(watch.first.you, asking, APPROVAL)
    assert (await under(watch, ts, "done: {"))["ts"] == waits["ts"]
    said = (await watch.sim.transcript(watch.first.support, ts)).messages
    assert {each["ts"] for each in said} == {ts, waits["ts"], asking["ts"]}


async def test_of_a_run_that_is_over_for_long_nobody_hears_again(watch: Watch) -> None:
    """The ledger knows nothing of either run; the audit knows that one has ended."""
    first, now = watch.first, SystemClock().now()
    ts = await watch.sim.say(first.colleague, first.support, "Nobody is asked here.")
    connection, key = f"{first.app.id}:{first.team}", ids.thread_key(first.team, first.support, ts)
    place = Place(tenant_id="acme", connection=connection, team_id=first.team, channel_id=first.support, thread_ts=ts)
    over = RunState(
        at=now, run_id=f"over-{ts}", tenant_id="acme", connection=connection, origin="channel", state="complete"
    )
    asked_by: dict[str, Any] = {"asked_by": first.colleague, "asked_at": now, "received_at": now}
    await watch.put(AUDIT_RUNS, key, over, f"over-{ts}")
    for run_id in (f"over-{ts}", f"unknown-{ts}"):
        resumed = RunResumed(at=now, run_id=run_id, agent_id="mara", place=place, round=1, **asked_by)
        await watch.put(RUNS_COMMANDS, key, resumed, f"resumed-{run_id}")
    assert run_of(await under(watch, ts, "not kept any more")) == f"unknown-{ts}"
    assert len((await watch.sim.transcript(first.support, ts)).messages) == 2


async def test_in_a_direct_message_others_are_asked_in_the_agents_channel(watch: Watch) -> None:
    ben = watch.first.colleague
    channel = (await watch.sim.ask(asks.OpenApp(user_id=ben, app_id=watch.first.app.id))).id
    ts = await watch.sim.say(ben, channel, 'use refund with {"order": "A-7"}')
    waits = await under(watch, ts, "in the channel for agents", channel)
    run_id = run_of(waits)
    heads = await watch.heads(watch.first.support)
    watch.channels[run_id] = watch.first.support
    head = await watch.head(run_id, "WAITING FOR APPROVAL")
    assert "A-7" in str(head)
    assert heads is not None
    await watch.press(watch.first.you, await watch.under(run_id, "Use the tool refund"), APPROVAL)
    await under(watch, ts, "done: {", channel)
    await watch.head(run_id, "COMPLETE")


async def test_what_nobody_knows_is_not_claimed(watch: Watch) -> None:
    watch.tools.plan = [(BREAKS_OFF, "")]
    ts = await asked(watch, "A-8", "look_up")
    await under(watch, ts, "Nobody knows whether it was done")
    assert len(watch.tools.of(order="A-8")) == 1


async def test_what_may_have_been_done_is_never_called_undone(watch: Watch) -> None:
    watch.tools.plan = [(503, "later"), (409, "again?")]
    ts = await asked(watch, "A-9", "find")
    await under(watch, ts, "Nobody knows whether it was done")
    first, second = watch.tools.of(order="A-9")
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
