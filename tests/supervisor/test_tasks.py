"""A task from its beginning to its end, as people see it in Slack."""

from bench.beds.inbox import Inbox
from schemas.agent import TaskCheckpoint, TaskStarted
from schemas.buttons import PREFIX
from schemas.command import OutboundMessage
from schemas.topics import RUNS_COMMANDS
from services.slack_sim.control import asks
from tests.supervisor.conftest import Watch


async def test_a_task_is_one_thread_from_its_beginning_to_its_end(watch: Watch) -> None:
    agent = await watch.reporter("whole")
    await agent.start(repo_scope="acme/shop", context_size=100_000)
    head = await watch.head(agent.task_id, "STARTING")
    assert "🚀 Agent deployer – STARTING" in head["text"]
    await agent.checkpoint("Running <the> tests", progress=0.4, step="3 of 7", context_used=42_000, cost_usd=0.1)
    working = await watch.head(agent.task_id, "WORKING")
    assert working["ts"] == head["ts"]
    for words in ("Deploy version 4", "▓▓▓▓░░░░░░ 40%", "acme/shop", "42,000 / 100,000 (42%)", "3 of 7", "$0.1"):
        assert words in str(working)
    assert "Running &lt;the&gt; tests" in str(working)
    await agent.taken(agent.event("task.artifact", artifact="pull_request", title="Fix", link="https://example.com/7"))
    await agent.end(summary="All is green")
    over = await watch.head(agent.task_id, "COMPLETE")
    assert over["ts"] == head["ts"]
    assert "All is green" in str(over)
    assert "▓▓▓▓▓▓▓▓▓▓ 100%" in str(over)
    assert "https://example.com/7" in str(over)
    assert "threadline:task" not in str(over)
    await watch.under(agent.task_id, "complete after")
    kinds = [each.event.type for each in await watch.events(agent.task_id)]
    assert kinds == ["task.started", "task.checkpoint", "task.artifact", "task.ended"]
    commands = [each.event for each in await Inbox(watch.kafka).found(RUNS_COMMANDS)]
    said = [each for each in commands if isinstance(each, OutboundMessage)]
    names = {name for each in said for name in (each.post_id, each.thread_of, each.request_key) if name is not None}
    assert {f"{PREFIX}task:{agent.task_id}", f"{PREFIX}task:{agent.task_id}/end"} <= names
    assert [each for each in names if not each.startswith(PREFIX)] == [], "programs could name theirs so"


async def test_what_is_reported_twice_counts_once(watch: Watch) -> None:
    agent = await watch.reporter("twice")
    started = agent.event("task.started", task_name="Twice")
    went_on = agent.event("task.checkpoint", action="once", cost_usd=1.5)
    await agent.taken(started, went_on)
    await agent.taken(started, went_on)

    async def folded() -> bool:
        return bool((await agent.shown()).get("steps"))

    await watch.until(folded)
    await agent.end()
    await watch.head(agent.task_id, "COMPLETE")
    shown = await agent.shown()
    assert (shown["steps"], shown["cost_usd"], shown["status"]) == (1, 1.5, "complete")
    found = [type(each.event) for each in await watch.events(agent.task_id)]
    assert found[:2] == [TaskStarted, TaskCheckpoint]


async def test_what_slack_does_not_take_is_said_when_the_app_is_invited(watch: Watch) -> None:
    agent = await watch.reporter("uninvited")
    app, people = watch.first.bot_user, [watch.first.you]
    added = asks.AddChannel(team_id=watch.first.team, name=f"{agent.task_id}-closed", kind="group", members=people)
    channel = watch.channels[agent.task_id] = agent.channel = (await watch.sim.ask(added)).id
    await agent.start()
    await agent.ask_to("deploy", {"version": 4})
    await watch.supervisor.until("threadline_supervisor_untold", 1)
    assert await watch.heads(channel) == []
    await watch.sim.ask(asks.Join(user_id=app, channel_id=channel))
    request = await watch.under(agent.task_id, "deploy")
    head = await watch.head(agent.task_id, "WAITING FOR APPROVAL")
    assert request["thread_ts"] == head["ts"]
    assert len(await watch.heads(channel)) == 1
    await watch.supervisor.until("threadline_supervisor_untold", 0)
    await agent.end()
    await watch.head(agent.task_id, "COMPLETE")
