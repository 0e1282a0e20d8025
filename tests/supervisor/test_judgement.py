"""What the supervisor notices of agents by itself: silence, what they cost, and what is unusual for them."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from bench.beds.child import child
from bench.beds.router import describe
from bench.beds.supervisor import Reporter
from schemas.agent import TaskJudged
from schemas.buttons import TASK
from services.directory import history
from services.directory.document import Document, Quota
from services.directory.owner import owner_database
from services.kit.clock import SystemClock
from tests.supervisor.conftest import Watch
from tests.supervisor.programs import ended, environment_of

KEEPER = (
    "from threadline_agent import agent_task\n"
    "with agent_task('keeper', 'Keep watch', heartbeat=1, task_id={task_id!r}) as task:\n"
    "    task.checkpoint('keeping watch')\n"
    "    task.until_cancelled()\n"
)
TAKES_OVER = (
    "from threadline_agent import SyncCheckpointEmitter\n"
    "with SyncCheckpointEmitter(heartbeat=1) as task:\n"
    "    task.until_cancelled()\n"
    "    task.cancel('Nobody is needed here')\n"
)


async def judged(watch: Watch, task_id: str) -> list[tuple[str, str]]:
    """What stands in the log of what was noticed of a task, and in which words."""
    events = [each.event for each in await watch.events(task_id)]
    return [(each.judgement, each.text) for each in events if isinstance(each, TaskJudged)]


async def stalled(agent: Reporter) -> bool:
    """Whether an agent's task is among those that stand still."""
    _, found = await agent.ask("GET", "/tasks?status=stalled")
    return agent.task_id in [each["task_id"] for each in found["tasks"]]


@asynccontextmanager
async def each_agent_may_cost(watch: Watch, usd_per_day: float) -> AsyncIterator[None]:
    """What the directory says of every tenant while it lasts."""
    async with owner_database(watch.database) as owner, owner.begin() as connection:
        facts = [each.facts for each in (await history.whole(connection)).values()]
    tenants = tuple(each.described() for each in facts if each is not None)
    quota = Quota(what="agent_cost_usd_per_day", amount=usd_per_day)
    bounded = tuple(each.model_copy(update={"quotas": (quota,)}) for each in tenants)
    await describe(watch.database, Document(version=1, tenants=bounded))
    try:
        yield
    finally:
        await describe(watch.database, Document(version=1, tenants=tenants))


async def a_past(watch: Watch, agent_id: str) -> None:
    """Two tasks of ten steps, five minutes and 5,000 tokens each; one step of each is an error."""
    began = SystemClock().now() - timedelta(hours=2)
    for _ in range(2):
        agent = await watch.reporter(f"{agent_id}-before")
        agent.agent_id = agent_id
        steps = [
            agent.event(
                "task.checkpoint",
                at=(began + timedelta(minutes=5 * number)).isoformat(),
                action=f"reading page {number}",
                context_used=5_000 * number,
                level="error" if number == 5 else "info",
            )
            for number in range(1, 11)
        ]
        started = agent.event("task.started", at=began.isoformat(), task_name="Read as always")
        await agent.taken(started, *steps, agent.event("task.ended", status="complete"))
        await watch.head(agent.task_id, "COMPLETE")


async def fail(agent: Reporter) -> None:
    """Five steps that are errors."""
    for number in range(5):
        await agent.checkpoint(f"attempt {number}", level="error", status="error")


async def jump(agent: Reporter) -> None:
    """A step that takes 50,000 tokens."""
    await agent.checkpoint("reading a page", context_used=10_000)
    await agent.checkpoint("reading a book", context_used=60_000)


async def test_an_agent_that_is_killed_is_noticed_and_told_of(watch: Watch, tmp_path: Path) -> None:
    agent = await watch.reporter("killed")
    task_id = agent.task_id
    told = environment_of(agent)
    command = (sys.executable, "-c", KEEPER.format(task_id=task_id))
    async with child(command, told, tmp_path / "first", tmp_path) as first:
        await watch.head(task_id, "WORKING")
        await first.kill()
    await watch.until(lambda: stalled(agent))
    await watch.head(task_id, "STALLED")
    await watch.under(task_id, "no sign of life of ")
    assert [kind for kind, _ in await judged(watch, task_id)] == ["silent"]
    goes_on = told | {"THREADLINE_TASK_ID": task_id, "THREADLINE_AGENT_ID": "keeper"}
    async with child((sys.executable, "-c", TAKES_OVER), goes_on, tmp_path / "second", tmp_path) as second:
        await watch.under(task_id, "there is a sign of life")
        working = await watch.head(task_id, "WORKING")
        assert not await stalled(agent)
        assert [kind for kind, _ in await judged(watch, task_id)] == ["silent", "heard_again"]
        await watch.press(watch.first.you, working, TASK)
        assert await ended(second) == 0, second.said()
    await watch.head(task_id, "CANCELLED")


async def test_a_budget_that_is_spent_ends_the_task(watch: Watch) -> None:
    agent, later = await watch.reporter("spends"), await watch.reporter("spends-on")
    agent.agent_id = later.agent_id = "spender"

    async def is_told_to_end() -> bool:
        return (await agent.alive(wait_s=5))["cancel"] is not None

    async with each_agent_may_cost(watch, 1.0):
        await agent.start()
        await agent.checkpoint("thinking", cost_usd=0.85)
        await watch.under(agent.task_id, "85% of the day")
        assert (await agent.alive())["cancel"] is None
        await agent.checkpoint("thinking harder", cost_usd=0.3)
        await watch.until(is_told_to_end)
        assert (await agent.alive())["cancel"]["by"] == "budget"
        await watch.under(agent.task_id, "`budget` wants the task to end")
        await watch.under(agent.task_id, "it is told to end")
        await later.start()
        await watch.under(later.task_id, "it is told to end")  # meanwhile the first was looked at once more
        day = "the day's budget of agent spender"
        assert await judged(watch, agent.task_id) == [
            ("budget_80", f"85% of {day} is spent ($0.85 of $1.00)"),
            ("budget_spent", f"{day} is spent ($1.15 of $1.00): it is told to end"),
        ]
    for each in (agent, later):
        await each.end("cancelled")
        await watch.head(each.task_id, "CANCELLED")


async def test_what_is_unusual_for_an_agent_is_told_in_one_line(watch: Watch) -> None:
    await a_past(watch, "reader")
    await watch.restart()  # what one knows of an agent's past is kept for minutes; the next one sees all of it
    newcomer, jumps, fails = [await watch.reporter(each) for each in ("newcomer", "jumps", "fails")]
    newcomer.agent_id, jumps.agent_id, fails.agent_id = "newcomer", "reader", "reader"

    async def newcomer_is_known() -> bool:
        return (await newcomer.shown()).get("steps") == 7

    for each in (newcomer, jumps, fails):
        await each.start()
    await fail(newcomer)
    await jump(newcomer)
    await watch.until(newcomer_is_known)  # whoever looks at the others now, looks at all of this, too
    await jump(jumps)
    await fail(fails)
    grew, failed = "its context grew by 50,000 tokens in one step", "100% of its last 5 steps are errors"
    await watch.under(jumps.task_id, grew)
    await watch.under(fails.task_id, failed)
    usual = "95% of its agent's steps add at most 5,000"
    assert await judged(watch, jumps.task_id) == [("token_jump", f"{grew}; {usual}")]
    assert await judged(watch, fails.task_id) == [("many_errors", f"{failed}; usually 10% are")]
    assert await judged(watch, newcomer.task_id) == []
    for each in (newcomer, jumps, fails):
        await each.end()
        await watch.head(each.task_id, "COMPLETE")
