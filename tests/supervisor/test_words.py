"""Words that no rule understands: a model reads them, and what it makes of them is carried out as a command is."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any, Final

from opentelemetry.trace import NoOpTracer

from bench.beds.inbox import Inbox
from bench.beds.models import Behaviour, Fails, Says
from schemas.agent import Intervention, TaskCommanded
from schemas.topics import AGENTS_COMMANDS
from services.kit.clock import SystemClock
from services.kit.kafka.admin import admin_client
from services.kit.kafka.producer import Producer
from services.kit.telemetry.emitter import NoEmitter
from services.kit.telemetry.instruments import Instruments
from tests.supervisor.conftest import Watch
from threadline.catalogue import GROUPS

_NUMBER: Final = count(1)


def understood(verb: str, name: str | None = None, text: str | None = None) -> Says:
    """The model calls the tool, as asked."""
    return Says("", uses=(("understood", json.dumps({"verb": verb, "name": name, "text": text})),))


def words_in(asked: dict[str, Any]) -> str:
    """What the model was asked about."""
    written: str = json.loads(asked["messages"][-1]["content"])["written"]
    return written


async def until_asked(watch: Watch, words: str) -> dict[str, Any]:
    """Waits until the model is asked about words."""
    found: list[dict[str, Any]] = []

    async def asked() -> bool:
        found[:] = [each for each in watch.model.asked if words_in(each) == words]
        return bool(found)

    await watch.until(asked)
    return found[0]


async def _holds(tell: Callable[[], Awaitable[int]], number: int) -> bool:
    return await tell() == number


def some_words() -> str:
    """Nothing that a rule knows, and no other test says."""
    return f"it would be lovely if things went on, number {next(_NUMBER)}"


async def test_words_become_a_task_that_somebody_must_allow(watch: Watch) -> None:
    agent, ben = await watch.reporter("gardener"), watch.first.colleague
    agent.agent_id = "gardener"
    await agent.start(task_name="Mow <the> lawn")
    await watch.head(agent.task_id)
    words = some_words()
    watch.model.does(understood("run", "Gardener", "water the <roses>"))
    await watch.sim.say(ben, watch.first.support, words)
    asked = await until_asked(watch, words)
    there = json.loads(asked["messages"][-1]["content"])
    assert {"id": agent.task_id, "agent": "gardener", "name": "Mow <the> lawn", "status": "starting"} in there["tasks"]
    assert "gardener" in there["agents"]
    assert [each["function"]["name"] for each in asked["tools"]] == ["understood"]
    told = await watch.heard(ben, "Task `gardener-")
    assert told["text"].startswith("Understood as: run `gardener`: water the &lt;roses&gt;\n")
    wanted = told["text"].split("Task `")[1].partition("`")[0]
    watch.channels[wanted] = watch.first.support
    await watch.head(wanted, "WAITING FOR APPROVAL")
    await watch.under(wanted, "water the")
    await agent.end()


async def test_a_task_is_cancelled_for_who_may_and_for_nobody_else(watch: Watch) -> None:
    agent, anna, ben = await watch.reporter("unloved"), watch.first.you, watch.first.colleague
    await agent.start()
    await watch.head(agent.task_id)
    plain = {"verb": "cancel", "name": agent.task_id}
    watch.model.does(Says(f"```json\n{json.dumps(plain)}\n```"))  # as servers do that know no tools
    await watch.command(ben, f"/agent-task {some_words()}")
    refused = await watch.heard(ben, f"Understood as: cancel `{agent.task_id}`")
    assert "You may not tell this task what to do" in refused["text"]
    await watch.command(anna, f"/agent-task {some_words()}")
    told = await watch.heard(anna, f"Understood as: cancel `{agent.task_id}`")
    assert "Its agent is told to end it" in told["text"]
    assert (await agent.alive(0, wait_s=20))["cancel"]["by"] == anna
    orders = [each.event for each in await watch.events(agent.task_id) if isinstance(each.event, Intervention)]
    assert [(each.action, each.by_user) for each in orders] == [("cancel", anna)]
    await agent.end("cancelled")


async def test_what_a_model_makes_up_breaks_or_may_not_say_is_not_understood(watch: Watch) -> None:
    agent, anna = await watch.reporter("asks"), watch.first.you
    await agent.start()
    approval = await agent.ask_to("go on", {"far": True})
    await watch.under(agent.task_id, "go on")

    async def times_told() -> int:
        shown = (await watch.sim.transcript(watch.first.support, viewer=anna)).ephemerals
        return sum("nothing that I understand" in each.get("text", "") for each in shown)

    before = await times_told()
    answers: tuple[Behaviour, ...] = (
        understood("cancel", "no-such-task"),
        understood("run", "nobody", "do something"),
        understood("approve", approval),
        Says("All right, I did it."),
        Fails(500),
    )
    for number, answer in enumerate(answers, 1):
        watch.model.does(answer)
        words = some_words()
        await watch.command(anna, f"/agent-task {words}")
        await until_asked(watch, words)
        await watch.until(partial(_holds, times_told, before + number))
    said = watch.supervisor.child.said()
    assert "did not answer (" in said
    assert "HTTP 500" in said
    assert "SECRET-WORDS" not in said
    assert "it would be lovely" not in said
    assert (await agent.shown())["status"] == "waiting_for_approval"
    await agent.end()


async def test_nobody_who_clicks_waits_for_the_model(watch: Watch) -> None:
    agent, anna, held = await watch.reporter("quick"), watch.first.you, asyncio.Event()
    await agent.start()
    await watch.head(agent.task_id)
    watch.model.does(Says(json.dumps({"verb": "tell", "name": agent.task_id, "text": "hurry up"}), waits_for=held))
    words = some_words()
    await watch.command(anna, f"/agent-task {words}")
    await until_asked(watch, words)
    await watch.command(anna, f"/agent-task pause {agent.task_id}")
    assert (await agent.alive(0, wait_s=20))["paused"]
    assert not held.is_set()
    assert watch.model.broken_off == 0
    held.set()
    assert [each["text"] for each in (await agent.alive(1, wait_s=20))["messages"]] == ["hurry up"]
    await agent.end()


async def test_words_are_asked_about_once_and_old_ones_never(watch: Watch) -> None:
    anna, words, metric = watch.first.you, some_words(), watch.supervisor.metric
    tokens, cost = "threadline_supervisor_words_tokens_total", "threadline_supervisor_words_cost_usd_total"
    took, paid = await metric(tokens), await metric(cost)
    watch.model.does(understood("none"))
    await watch.command(anna, f"/agent-task {words}")
    await until_asked(watch, words)
    found = [each.event for each in await Inbox(watch.kafka).found(AGENTS_COMMANDS)]
    (handed,) = [each for each in found if isinstance(each, TaskCommanded) and each.for_model and each.text == words]
    old = handed.model_copy(
        update={"command_id": "old", "text": f"{words} once", "at": handed.at - timedelta(minutes=11)}
    )
    new = handed.model_copy(update={"command_id": "new", "text": f"{words} now"})
    async with Producer(watch.kafka, "supervisor", Instruments(SystemClock(), NoEmitter(), NoOpTracer())) as producer:
        for number, each in enumerate((handed, old, new)):
            await producer.publish(AGENTS_COMMANDS, each.connection, each, f"{words} {number}")
    await until_asked(watch, f"{words} now")
    asked = [words_in(each) for each in watch.model.asked if words in words_in(each)]
    assert asked == [words, f"{words} now"]

    async def both_are_counted() -> bool:
        return await metric(tokens) >= took + 2 * (11 + 7) and await metric(cost) > paid

    await watch.until(both_are_counted)


async def test_every_group_is_in_the_catalogue_so_that_a_backup_keeps_where_it_stands(watch: Watch) -> None:
    prefix = watch.kafka.topic_prefix

    async def all_are_there() -> bool:
        async with admin_client(watch.kafka) as client:
            found = {
                name.removeprefix(prefix) for name, _ in await client.list_consumer_groups() if name.startswith(prefix)
            }
        assert found <= set(GROUPS)
        return found == set(GROUPS)

    await watch.until(all_are_there)
