"""Tasks that people want: asked for in Slack, allowed, and taken by one worker."""

import asyncio
from typing import Any

from bench.beds.supervisor import Reporter
from schemas.buttons import APPROVAL, TASK
from services.slack_sim.control.asks import ChooseShortcut
from services.slack_sim.control.conditions import AnEphemeral
from tests.supervisor.conftest import Watch


async def offered(agent: Reporter, worker: str, wait_s: float = 10.0) -> dict[str, Any] | None:
    """What a worker gets."""
    body = {"agent_id": agent.agent_id, "worker": worker, "wait_s": wait_s}
    status, answer = await agent.ask("POST", "/v1/agents/tasks/take", body)
    assert status == 200, answer
    task: dict[str, Any] | None = answer["task"]
    return task


async def test_a_task_is_asked_for_allowed_and_taken_by_one_of_two_workers(watch: Watch) -> None:
    agent, anna, ben = await watch.reporter("workers"), watch.first.you, watch.first.colleague
    agent.agent_id = "builder"
    workers = [asyncio.create_task(offered(agent, f"build-{number}", 5)) for number in (1, 2)]
    await watch.command(ben, "/agent-task run builder build <version> 4")
    told = await watch.heard(ben, "Task `builder-")
    agent.task_id = told["text"].split("`")[1]
    watch.channels[agent.task_id] = watch.first.support
    await watch.head(agent.task_id, "WAITING FOR APPROVAL")
    asking = await watch.under(agent.task_id, "Begin: build")
    await watch.press(ben, asking, APPROVAL)
    await watch.heard(ben, "You may not decide this", agent.task_id)
    assert not any(each.done() for each in workers)
    await watch.press(anna, asking, APPROVAL)
    got = [each for each in await asyncio.gather(*workers) if each is not None]
    assert [(each["task_id"], each["text"], each["wanted_by"]) for each in got] == [
        (agent.task_id, "build <version> 4", ben)
    ]
    assert (await agent.alive())["lease_id"] == got[0]["lease_id"]
    await agent.start(task_name="Build version 4", parent_task_id="release-4")
    await agent.checkpoint("Building")
    await watch.head(agent.task_id, "WORKING")
    child = await agent.shown()
    assert (child["started_by"], child["parent_task_id"]) == (ben, "release-4")
    await watch.command(ben, "/agent-task please show release-4")
    await watch.heard(ben, "There is no such task here")
    await agent.taken(agent.event("task.handed_over", to_agent_id="reviewer", text="look at it"))
    agent.agent_id = "reviewer"
    again = await offered(agent, "review-1")
    assert again is not None
    assert (again["task_id"], again["text"]) == (agent.task_id, "look at it")
    for lease_id, is_lost in ((got[0]["lease_id"], True), (again["lease_id"], False)):
        assert (await agent.alive(leases={agent.task_id: lease_id}))["lease_lost"] is is_lost
    await agent.taken(agent.event("task.checkpoint", action="Goes on all the same", lease_id=got[0]["lease_id"]))
    await agent.taken(agent.event("task.checkpoint", action="Looks at it", lease_id=again["lease_id"]))

    async def looks_at_it() -> bool:
        return bool((await agent.shown())["action"] == "Looks at it")

    await watch.until(looks_at_it)
    assert (await agent.shown())["steps"] == 2, "who lost it is not heard"
    await agent.end()
    await watch.head(agent.task_id, "COMPLETE")
    assert await offered(agent, "review-1", 0) is None


async def test_a_rejected_task_never_begins(watch: Watch) -> None:
    agent, anna, ben = await watch.reporter("rejected"), watch.first.you, watch.first.colleague
    agent.agent_id = "painter"
    await agent.start(task_name="So that the agent is known")
    await agent.end()
    await watch.head(agent.task_id, "COMPLETE")
    await watch.command(ben, "/agent-task ask painter to paint it black, please")
    told = await watch.heard(ben, "Task `painter-")
    agent.task_id = told["text"].split("`")[1]
    watch.channels[agent.task_id] = watch.first.support
    await watch.under(agent.task_id, "Begin: paint it black")
    await watch.command(anna, f"/agent-task cancel {agent.task_id}")
    await watch.head(agent.task_id, "CANCELLED")
    assert await offered(agent, "paint-1", 0) is None


async def test_plain_words_in_the_agents_channel_are_for_agents(watch: Watch) -> None:
    agent, ben, channel = await watch.reporter("plain"), watch.first.colleague, watch.first.support
    agent.agent_id = "cook"
    worker = asyncio.create_task(offered(agent, "cook-1", 20))
    await watch.sim.say(ben, channel, "who cooks today?")
    await watch.sim.say(ben, channel, "ask cook to boil an egg")
    told = await watch.heard(ben, "Task `cook-")
    wanted = told["text"].split("`")[1]
    watch.channels[wanted] = channel
    asking = await watch.under(wanted, "boil an egg")
    await watch.press(watch.first.you, asking, APPROVAL)
    taken = await worker
    assert taken is not None
    assert taken["task_id"] == wanted
    whispered = (await watch.sim.transcript(channel, viewer=ben)).ephemerals
    assert not [each for each in whispered if "nothing that I understand" in each.get("text", "")]


async def test_a_message_becomes_a_task_by_its_shortcut(watch: Watch) -> None:
    agent, anna, ben = await watch.reporter("chosen"), watch.first.you, watch.first.colleague
    agent.agent_id = "baker"
    await agent.start(task_name="So that the agent is known")
    await agent.end()
    await watch.head(agent.task_id, "COMPLETE")
    app, channel = watch.first.app.id, watch.first.general
    ts = await watch.sim.say(anna, channel, "ask baker to bake a cake")
    await watch.sim.ask(ChooseShortcut(user_id=ben, app_id=app, callback_id=TASK, channel_id=channel, ts=ts))
    told = await watch.sim.wait(AnEphemeral(channel_id=channel, user_id=ben, contains="Task `baker-"), 20)
    assert "It begins when it is approved" in told["text"]
