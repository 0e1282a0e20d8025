"""What agents import, in processes of their own, before the supervisor itself."""

import signal
import sys
from pathlib import Path

from bench.beds.child import child
from schemas.agent import ApprovalDecided, TaskCheckpoint, TaskHandedOver, TaskTaken
from schemas.buttons import APPROVAL, TASK
from tests.supervisor.conftest import Watch
from tests.supervisor.programs import ended, environment_of

ROOT = Path(__file__).parents[2]
WORKER = (
    "import asyncio, sys\n"
    "from threadline_agent import Worker\n"
    "async def main(agent, *left):\n"
    "    async for work in Worker(agent):\n"
    "        async with work.task() as task:\n"
    "            task.checkpoint(work.text)\n"
    "            if left:\n"
    "                task.hand_over(*left)\n"
    "            else:\n"
    "                task.complete(f'This was left: {work.text}')\n"
    "        return\n"
    "asyncio.run(main(*sys.argv[1:]))\n"
)
"""Does one piece of work. What is left of it is for the agent that it is told of, in the words that it is told."""


async def run_beside(watch: Watch, name: str) -> dict[str, str]:
    """What an example is told, so that it reports to a channel of its own."""
    return environment_of(await watch.reporter(name))


async def task_in(watch: Watch, channel: str, contains: str) -> str:
    """The task that is told of in a channel, once it says something."""
    found: list[str] = []

    async def is_there() -> bool:
        heads = [str(each) for each in await watch.heads(channel) if contains in str(each)]
        found[:] = [each.split("`")[1] for each in heads]
        return bool(found)

    await watch.until(is_there)
    watch.channels[found[0]] = channel
    return found[0]


async def test_an_example_that_asks_waits_for_a_click(watch: Watch, tmp_path: Path) -> None:
    told = await run_beside(watch, "asks")
    command = (sys.executable, str(ROOT / "examples/08_approval.py"))
    async with child(command, told, tmp_path / "log", tmp_path) as running:
        task_id = await task_in(watch, told["THREADLINE_AGENT_CHANNEL"], "WAITING FOR APPROVAL")
        choosing = await watch.under(task_id, "Where first?")
        value = str(choosing).partition("'value': '")[2].partition("'")[0]
        await watch.press(watch.first.you, choosing, APPROVAL, value)
        await watch.press(watch.first.you, await watch.under(task_id, "shop-1"), APPROVAL)
        assert await ended(running) == 0, running.said()
    await watch.head(task_id, "COMPLETE")
    made = [each.event for each in await watch.events(task_id) if isinstance(each.event, ApprovalDecided)]
    assert [(each.outcome, each.decided_by) for each in made] == [
        ("chosen", watch.first.you),
        ("approved", watch.first.you),
    ]


async def test_a_diagnosis_posts_its_five_checkpoints_and_its_artifacts(watch: Watch, tmp_path: Path) -> None:
    for name in ("diagnosing", "diagnosing_sync"):
        told = await run_beside(watch, name)
        command = (sys.executable, str(ROOT / f"examples/{name}.py"))
        async with child(command, told, tmp_path / name, tmp_path) as running:
            assert await ended(running) == 0, running.said()
        task_id = await task_in(watch, told["THREADLINE_AGENT_CHANNEL"], "COMPLETE")
        events = [each.event for each in await watch.events(task_id)]
        checkpoints = [each for each in events if isinstance(each, TaskCheckpoint)]
        assert len(checkpoints) == 5
        assert checkpoints[0].progress == 0.1
        assert "confidence" in (checkpoints[1].details_json or "")
        assert [each.type for each in events].count("task.artifact") == 2


async def test_an_agent_is_cancelled_from_slack(watch: Watch, tmp_path: Path) -> None:
    told = await run_beside(watch, "stops")
    program = tmp_path / "agent.py"
    program.write_text(
        "import asyncio\n"
        "from threadline_agent import agent_task\n"
        "async def main():\n"
        "    async with agent_task('endless', 'Count for ever') as task:\n"
        "        task.checkpoint('counting')\n"
        "        await task.until_cancelled()\n"
        "        task.raise_if_cancelled()\n"
        "asyncio.run(main())\n"
    )
    async with child((sys.executable, str(program)), told, tmp_path / "log", tmp_path) as running:
        task_id = await task_in(watch, told["THREADLINE_AGENT_CHANNEL"], "WORKING")
        await watch.press(watch.first.you, await watch.head(task_id), TASK)
        await ended(running)
    await watch.head(task_id, "CANCELLED")


async def test_a_worker_does_what_somebody_asks_for(watch: Watch, tmp_path: Path) -> None:
    told, anna, ben = await run_beside(watch, "worker"), watch.first.you, watch.first.colleague
    command = (sys.executable, str(ROOT / "examples/09_worker.py"))
    async with child(command, told, tmp_path / "log", tmp_path) as running:
        await watch.command(ben, "/agent-task run greeter say hello")
        task_id = (await watch.heard(ben, "Task `greeter-"))["text"].split("`")[1]
        watch.channels[task_id] = watch.first.support
        await watch.press(anna, await watch.under(task_id, "Begin: say hello"), APPROVAL)
        await watch.head(task_id, "Hello! You wanted: say hello")
        assert running.is_running
        running.send(signal.SIGINT)
        await ended(running)
    assert (await watch.head(task_id, "COMPLETE"))["text"].startswith("✅ Agent greeter")


async def test_a_worker_hands_a_task_over_to_another_agents_worker(watch: Watch, tmp_path: Path) -> None:
    told, anna, ben = await run_beside(watch, "hands-over"), watch.first.you, watch.first.colleague
    left = "write down what was <seen>"
    scouts = (sys.executable, "-c", WORKER, "scout", "scribe", left)
    writes = (sys.executable, "-c", WORKER, "scribe")
    async with (
        child(scouts, told, tmp_path / "scout", tmp_path) as scout,
        child(writes, told, tmp_path / "scribe", tmp_path) as scribe,
    ):
        await watch.command(ben, "/agent-task run scout look around")
        task_id = (await watch.heard(ben, "Task `scout-"))["text"].split("`")[1]
        watch.channels[task_id] = watch.first.support
        await watch.press(anna, await watch.under(task_id, "Begin: look around"), APPROVAL)
        assert (await ended(scout), await ended(scribe)) == (0, 0), scout.said() + scribe.said()
    over = await watch.head(task_id, "This was left: write down what was &lt;seen&gt;")
    assert over["text"].startswith("✅ Agent scribe")
    events = [each.event for each in await watch.events(task_id)]
    assert [each.agent_id for each in events if isinstance(each, TaskTaken)] == ["scout", "scribe"]
    (handed,) = [each for each in events if isinstance(each, TaskHandedOver)]
    assert (handed.agent_id, handed.to_agent_id, handed.text) == ("scout", "scribe", left)
    assert [each.action for each in events if isinstance(each, TaskCheckpoint)] == ["look around", left]
    assert [each.type for each in events].count("task.ended") == 1
