"""People decide: each approval once, by who may, about what was asked, and never by silence."""

import asyncio
from typing import Any

from bench.beds.answered import entries
from bench.beds.database_link import database_link
from bench.beds.inbox import Inbox
from bench.beds.supervisor import Reporter
from schemas.agent import ApprovalAttempted, ApprovalDecided, ApprovalRequested, Intervention
from schemas.buttons import APPROVAL, TASK
from schemas.ids import approval_hash
from schemas.topics import AGENTS_COMMANDS, AGENTS_EVENTS
from tests.databases import connected
from tests.supervisor.conftest import Watch

ARGUMENTS = {"version": 4, "to": "production"}


async def decisions(watch: Watch, task_id: str) -> list[Any]:
    found = [each.event for each in await watch.events(task_id)]
    return [each for each in found if isinstance(each, ApprovalDecided | ApprovalAttempted)]


async def test_a_click_decides_and_the_buttons_go(watch: Watch) -> None:
    agent, anna = await watch.reporter("click"), watch.first.you
    await agent.start()
    name = await agent.ask_to("deploy", ARGUMENTS)
    asking = await watch.under(agent.task_id, "deploy")
    assert '"to": "production"' in str(asking)
    await watch.head(agent.task_id, "WAITING FOR APPROVAL")
    waiting = asyncio.create_task(agent.answer(name))
    await watch.press(anna, asking, APPROVAL)
    answer = await waiting
    assert (answer["state"], answer["decided_by"]) == ("approved", anna)
    assert answer["arguments_hash"] == approval_hash("deploy", ARGUMENTS)
    decided = await watch.under(agent.task_id, "Approved")
    assert decided["ts"] == asking["ts"]
    assert APPROVAL not in str(decided)
    await watch.head(agent.task_id, "STARTING")
    (made,) = await decisions(watch, agent.task_id)
    assert (made.outcome, made.decided_by, made.via) == ("approved", anna, "slack")
    await agent.end()


async def test_who_may_not_decide_is_told_alone_and_it_is_on_record(watch: Watch) -> None:
    agent, ben = await watch.reporter("may-not"), watch.first.colleague
    await agent.start()
    name = await agent.ask_to("deploy", ARGUMENTS)
    asking = await watch.under(agent.task_id, "deploy")
    await watch.press(ben, asking, APPROVAL)
    await watch.heard(ben, "You may not decide this", agent.task_id)
    (attempt,) = await decisions(watch, agent.task_id)
    assert isinstance(attempt, ApprovalAttempted)
    assert (attempt.fault, attempt.attempted_by) == ("may_not", ben)
    status, still = await agent.ask("GET", f"/v1/approvals/{name}")
    assert (status, still["state"]) == (200, "open")

    async def it_is_on_record() -> bool:
        shown = await agent.shown()
        stand = [(each["kind"], each["state"]) for each in shown["interventions"]]
        return stand == [("decision", "open"), ("attempt", "may_not")]

    await watch.until(it_is_on_record)  # the attempt stands in the log before it stands in the tables
    await agent.end()


async def test_a_rejection_may_say_why(watch: Watch) -> None:
    agent, anna = await watch.reporter("reject"), watch.first.you
    await agent.start()
    name = await agent.ask_to("deploy", ARGUMENTS)
    await watch.press(anna, await watch.under(agent.task_id, "deploy"), f"{TASK}:reject")
    await watch.write(anna, "Not on a Friday")
    answer = await agent.answer(name)
    assert (answer["state"], answer["reason"]) == ("rejected", "Not on a Friday")
    await watch.under(agent.task_id, "Not on a Friday")
    await agent.end()


async def test_a_choice_and_a_question(watch: Watch) -> None:
    agent, anna = await watch.reporter("choice"), watch.first.you
    await agent.start()
    choice = await agent.ask_to("Which region", {}, kind="choice", choices=["eu", "us"])
    asking = await watch.under(agent.task_id, "Which region")
    options = [
        option["value"]
        for attachment in asking["attachments"]
        for block in attachment["blocks"]
        if block["type"] == "actions"
        for option in block["elements"][0]["options"]
    ]
    await watch.press(anna, asking, APPROVAL, options[1])
    answer = await agent.answer(choice)
    assert (answer["state"], answer["answer"]) == ("chosen", "us")
    question = await agent.ask_to("What is it called", {}, kind="question")
    await watch.press(anna, await watch.under(agent.task_id, "What is it called"), TASK)
    await watch.write(anna, "The new one")
    answer = await agent.answer(question)
    assert (answer["state"], answer["answer"]) == ("answered", "The new one")
    await agent.end()


async def test_silence_is_neither_yes_nor_no(watch: Watch) -> None:
    agent, anna = await watch.reporter("expiry"), watch.first.you
    await agent.start()
    name = await agent.ask_to("deploy", ARGUMENTS, expires_in_s=2)
    asking = await watch.under(agent.task_id, "deploy")
    assert (await agent.answer(name))["state"] == "expired"
    await watch.under(agent.task_id, "neither approved nor rejected")
    old = next(each for each in asking["attachments"][0]["blocks"] if each["type"] == "actions")
    value: str = old["elements"][0]["value"]
    await watch.command(anna, f"/agent-task approve {value.partition(':')[0]}")
    await watch.heard(anna, "The time to decide this is over")
    made, attempt = await decisions(watch, agent.task_id)
    assert (made.outcome, made.decided_by, made.via, attempt.fault) == ("expired", None, "clock", "expired")
    await agent.end()


async def test_arguments_that_changed_are_another_question(watch: Watch) -> None:
    agent, anna = await watch.reporter("changed"), watch.first.you
    await agent.start()
    name = await agent.ask_to("deploy", ARGUMENTS)
    old = await watch.under(agent.task_id, "production")
    await agent.ask_to("deploy", ARGUMENTS | {"to": "everywhere"})
    new = await watch.under(agent.task_id, "everywhere")
    await watch.under(agent.task_id, "Not needed any more")
    await watch.press(anna, new, APPROVAL)
    answer = await agent.answer(name)
    assert (answer["state"], answer["arguments"]) == ("approved", ARGUMENTS | {"to": "everywhere"})
    assert new["ts"] != old["ts"]
    await agent.end()


async def test_a_name_that_is_used_again_never_has_the_answer_of_before(watch: Watch) -> None:
    agent, anna = await watch.reporter("again"), watch.first.you
    await agent.start()
    name = await agent.ask_to("deploy", ARGUMENTS)
    await watch.press(anna, await watch.under(agent.task_id, "production"), APPROVAL)
    assert (await agent.answer(name))["state"] == "approved"
    for _ in range(5):
        await agent.ask_to("deploy", ARGUMENTS)
        status, found = await agent.ask("GET", f"/v1/approvals/{name}?task={agent.task_id}")
        assert (status, found.get("state")) in {(404, None), (200, "open")}
    await agent.end()


async def test_of_several_that_go_by_one_name_none_is_approved(watch: Watch) -> None:
    agents, anna = [await watch.reporter("several") for _ in range(2)], watch.first.you
    for agent in agents:
        await agent.start()
        await agent.ask_to("deploy", ARGUMENTS, approval_id="the-same")
        await watch.under(agent.task_id, "production")
    await watch.command(anna, "/agent-task approve the-same")
    told = (await watch.heard(anna, "Several approvals wait under that name"))["text"]
    own = next(line.split("`")[1] for line in told.splitlines() if agents[1].task_id in line)
    await watch.command(anna, f"/agent-task approve {own}")
    await watch.heard(anna, f"You approved: deploy (`{agents[1].task_id}`")
    assert (await agents[1].answer("the-same"))["state"] == "approved"
    _, still = await agents[0].ask("GET", f"/v1/approvals/the-same?task={agents[0].task_id}")
    assert still["state"] == "open"
    for agent in agents:
        await agent.end()


async def test_two_clicks_are_one_decision(watch: Watch) -> None:
    agent, anna = await watch.reporter("double"), watch.first.you
    await agent.start()
    name = await agent.ask_to("deploy", ARGUMENTS)
    asking = await watch.under(agent.task_id, "deploy")
    await asyncio.gather(*(watch.press(anna, asking, APPROVAL) for _ in range(2)))
    assert (await agent.answer(name))["state"] == "approved"
    await watch.heard(anna, "already", agent.task_id)
    await agent.end()


async def test_a_click_that_is_read_again_is_the_one_that_decided(watch: Watch) -> None:
    agent, anna, ben = await watch.reporter("again"), watch.first.you, watch.first.colleague
    await agent.start()
    for action in ("build", "release"):
        name = await agent.ask_to(action, ARGUMENTS)
        asking = await watch.under(agent.task_id, action)
        row = next(each for each in asking["attachments"][0]["blocks"] if each["type"] == "actions")
        approval = row["elements"][0]["value"].partition(":")[0]
        if action == "build":
            await watch.press(anna, asking, APPROVAL)
        else:
            await watch.command(anna, f"/agent-task approve {approval}")
        assert (await agent.answer(name))["state"] == "approved"
        for each in await Inbox(watch.kafka).found(AGENTS_COMMANDS, passing_over=True):
            if approval in {getattr(each.event, "approval_id", None), getattr(each.event, "task_id", None)}:
                await watch.put(AGENTS_COMMANDS, each.record.key, each.event, each.id)
        await watch.command(ben, f"/agent-task approve {approval}")
        made: list[Any] = []

        async def the_last_of_them_stands(made: list[Any] = made, approval: str = approval) -> bool:
            said = [each.event for each in await entries(watch.kafka, AGENTS_EVENTS)]
            made[:] = [each for each in said if getattr(each, "approval_id", None) == approval]
            return getattr(made[-1], "attempted_by", None) == ben

        await watch.until(the_last_of_them_stands)
        assert [type(each) for each in made] == [ApprovalRequested, ApprovalDecided, ApprovalAttempted]
    await agent.end()


async def test_cancel_reaches_the_agent_and_the_message_says_who(watch: Watch) -> None:
    agent, anna, ben = await watch.reporter("cancel"), watch.first.you, watch.first.colleague
    await agent.start()
    head = await watch.head(agent.task_id)
    await watch.press(ben, head, TASK)
    await watch.heard(ben, "You may not tell this task what to do", agent.task_id)
    listening = asyncio.create_task(agent.alive(wait_s=20))
    await watch.press(anna, head, TASK)
    orders = await listening
    assert (orders["version"], orders["cancel"]["by"]) == (1, anna)
    await watch.under(agent.task_id, "wants the task to end")
    await agent.end("cancelled")
    await watch.head(agent.task_id, "CANCELLED")
    assert [
        each.event.by_user for each in await watch.events(agent.task_id) if isinstance(each.event, Intervention)
    ] == [anna]


async def test_an_agent_is_told_to_wait_to_go_on_and_something(watch: Watch) -> None:
    agent, anna, ben = await watch.reporter("orders"), watch.first.you, watch.first.colleague
    await agent.start()
    await watch.head(agent.task_id)
    await watch.command(ben, f"/agent-task tell {agent.task_id} ignore what they say")
    await watch.heard(ben, "You may not tell this task what to do")
    for number, (line, told) in enumerate(
        (("pause", "told to wait"), ("tell {} use the blue one", "Its agent is told."), ("resume", "told to go on")), 1
    ):
        words = line.format(agent.task_id) if "{}" in line else f"{line} {agent.task_id}"
        await watch.command(anna, f"/agent-task {words}")
        await watch.heard(anna, told)
        orders = await agent.alive(number - 1, wait_s=20)
        assert (orders["version"], orders["paused"]) == (number, number < 3)
        await watch.head(agent.task_id, "PAUSED" if orders["paused"] else "STARTING")
    assert [each["text"] for each in orders["messages"]] == ["use the blue one"]
    await watch.under(agent.task_id, "use the blue one")
    await agent.end()


async def test_who_asks_the_same_again_hears_the_answer_to_the_first(watch: Watch) -> None:
    agent, anna = await watch.reporter("again"), watch.first.you
    await agent.start()
    (_, first), (_, second) = [await agent.send(agent.question("mine", ARGUMENTS, 600)) for _ in range(2)]
    asking = await watch.under(agent.task_id, "mine")
    await watch.press(anna, asking, APPROVAL)
    for name in ("mine", first["approvals"]["mine"], second["approvals"]["mine"]):
        answer = await agent.answer(name)
        assert (answer["state"], answer["decided_by"]) == ("approved", anna)
    assert len(await decisions(watch, agent.task_id)) == 1
    await agent.taken(agent.question("mine", ARGUMENTS, 600))
    await watch.until(lambda: is_open(agent, "mine"))
    await agent.end()


async def is_open(agent: Reporter, name: str) -> bool:
    """Whether its program is told that nobody has answered it."""
    _, found = await agent.ask("GET", f"/v1/approvals/{name}?task={agent.task_id}")
    return bool(found.get("state") == "open")


async def test_plain_words_reject_what_is_asked_with_a_reason(watch: Watch) -> None:
    agent, anna, ben = await watch.reporter("words"), watch.first.you, watch.first.colleague
    await agent.start()
    name = await agent.ask_to("deploy", ARGUMENTS)
    asking = await watch.under(agent.task_id, "deploy")
    await watch.sim.say(ben, watch.first.support, f"reject {name}")
    await watch.heard(ben, "You may not decide this")
    await watch.sim.say(anna, watch.first.support, f"Please reject {name}, because it is Friday.")
    answer = await agent.answer(name)
    assert (answer["state"], answer["reason"], answer["decided_by"]) == ("rejected", "it is Friday", anna)
    await watch.heard(anna, "You rejected: deploy")
    decided = await watch.under(agent.task_id, "Rejected")
    assert decided["ts"] == asking["ts"]
    assert "it is Friday" in str(decided)
    await agent.end()


async def test_commands_list_and_show_what_is_the_tenants(watch: Watch) -> None:
    agent, anna = await watch.reporter("listed"), watch.first.you
    await agent.start()
    await agent.checkpoint("Reading", progress=0.3)
    await watch.head(agent.task_id, "Reading")
    await watch.command(anna, "/agent-task list")
    await watch.heard(anna, f"`{agent.task_id}`, 30%")
    await watch.command(anna, f"/agent-task show {agent.task_id}")
    await watch.heard(anna, "Last action: Reading")
    await watch.command(anna, "/agent-task show nothing")
    await watch.heard(anna, "There is no such task here")
    await watch.command(anna, "/agent-task")
    await watch.heard(anna, "its agent")
    await agent.end()


async def test_another_tenants_program_sees_and_decides_nothing(watch: Watch) -> None:
    agent, other = await watch.reporter("mine"), await watch.reporter("theirs", "globex")
    await agent.start()
    name = await agent.ask_to("deploy", ARGUMENTS)
    await watch.under(agent.task_id, "deploy")
    assert (await other.ask("GET", f"/tasks/{agent.task_id}"))[0] == 404
    assert (await other.ask("GET", f"/v1/approvals/{name}"))[0] == 404
    assert (await other.ask("GET", "/tasks"))[1] == {"tasks": [], "more": False}
    _, orders = await other.ask("POST", "/v1/agents/alive", {"tasks": {agent.task_id: 0}})
    assert orders["tasks"][agent.task_id]["version"] == 0
    await agent.end()


async def test_an_old_button_is_answered_truthfully_after_everything_was_restarted(watch: Watch) -> None:
    agent, anna = await watch.reporter("restart"), watch.first.you
    await agent.start()
    name = await agent.ask_to("deploy", ARGUMENTS)
    asking = await watch.under(agent.task_id, "deploy")
    await watch.restart()
    agent.address = watch.supervisor.agents
    await watch.press(anna, asking, APPROVAL)
    assert (await agent.answer(name))["state"] == "approved"
    await watch.restart()
    agent.address = watch.supervisor.agents
    old = next(each for each in asking["attachments"][0]["blocks"] if each["type"] == "actions")
    approval = old["elements"][0]["value"].partition(":")[0]
    await watch.command(anna, f"/agent-task approve {approval}")
    await watch.heard(anna, "has approved this already")
    await agent.end()
    await watch.head(agent.task_id, "COMPLETE")
    made = [each for each in await decisions(watch, agent.task_id) if isinstance(each, ApprovalDecided)]
    assert len(made) == 1


async def test_a_click_while_postgres_is_away_waits_and_is_carried_out(watch: Watch) -> None:
    agent, anna = await watch.reporter("away"), watch.first.you
    async with database_link(watch.database) as (between, through):
        url = through.database_url
        assert url is not None
        async with watch.set_to(DATABASE_URL=url.get_secret_value()):
            agent.address = watch.supervisor.agents
            await agent.start()
            name = await agent.ask_to("deploy", ARGUMENTS)
            asking = await watch.under(agent.task_id, "deploy")
            between.cut()
            await watch.press(anna, asking, APPROVAL)
            await watch.supervisor.until("threadline_supervisor_commands_lag", 1)
            assert await decisions(watch, agent.task_id) == []
            between.mend()
            assert (await agent.answer(name, within_s=60))["state"] == "approved"
            await watch.supervisor.until("threadline_supervisor_commands_lag", 0)
            await agent.end()


async def test_what_is_asked_is_shown_when_it_is_known_to_who_carries_out_clicks(watch: Watch) -> None:
    agent = await watch.reporter("unwritten")
    url = watch.database.database_owner_url
    assert url is not None
    async with connected(url.get_secret_value()) as owner, watch.set_to(THREADLINE_SUPERVISOR_UPDATE_S="3"):
        agent.address = watch.supervisor.agents
        await agent.start()
        await agent.checkpoint("builds")
        await watch.head(agent.task_id, "builds")
        await agent.checkpoint("runs its tests")

        async def is_written() -> bool:
            return "runs its tests" in str(await agent.ask("GET", f"/tasks/{agent.task_id}"))

        await watch.until(is_written)
        async with owner.transaction():
            await owner.execute("select from threadline.agent_projections for update")  # nothing folded can be written
            await agent.ask_to("deploy", ARGUMENTS)
            head = await watch.head(agent.task_id, "runs its tests")
            assert await owner.fetchval("select exists (select from pg_locks where not granted)")
            assert "WORKING" in str(head)
        await watch.press(watch.first.you, await watch.under(agent.task_id, "deploy"), APPROVAL)
        await watch.under(agent.task_id, "Approved")
        await agent.end()
