"""What people answer, and that nothing is granted that they did not grant."""

import asyncio
import threading
from typing import Any

import pytest
from aiohttp import web

import threadline_agent
from tests.sdk.contract import Asked
from tests.sdk.supervisor import TOKEN, Supervisor
from threadline_agent import Approval, Outcome, SyncCheckpointEmitter, agent_task, approval
from threadline_agent.approval import Question, fingerprint

VERSION: dict[str, Any] = {"version": 4, "to": ["a", "b"], "ratio": 0.1, "name": "Zoë", "none": None}


async def asked(supervisor: Supervisor, number: int = 1) -> Asked:
    return (await asyncio.to_thread(supervisor.wait_for, Asked, number))[number - 1]


@pytest.mark.parametrize(
    ("choices", "state", "answer", "outcome"),
    [
        (None, "approved", None, Outcome.APPROVED),
        (None, "rejected", None, Outcome.REJECTED),
        (None, "expired", None, Outcome.EXPIRED),
        (None, "withdrawn", None, Outcome.WITHDRAWN),
        (None, "refused", None, Outcome.UNAVAILABLE),
        (["east", "west"], "chosen", "west", Outcome.CHOSEN),
        (["east", "west"], "chosen", "north", Outcome.REFUSED),
        (["east", "west"], "approved", None, Outcome.REFUSED),
        (None, "answered", "yes", Outcome.REFUSED),
        (None, "granted", None, Outcome.REFUSED),
        (None, ["approved"], None, Outcome.REFUSED),
    ],
)
async def test_how_it_ends(
    supervisor: Supervisor, choices: list[str] | None, state: str, answer: str | None, outcome: Outcome
) -> None:
    yes = outcome is Outcome.APPROVED
    async with agent_task("deployer", "Deploy") as task:
        waiting = asyncio.create_task(task.request_approval("deploy", VERSION, choices=choices, timeout=60))
        question = await asked(supervisor)
        supervisor.decide(question, state, answer=answer, reason="since", decided_by="U1")
        decided = await waiting
    assert (question.action, question.arguments, question.choices) == ("deploy", VERSION, choices)
    assert (decided.outcome, decided.approved, bool(decided)) == (outcome, yes, yes)
    assert decided.allows("deploy", VERSION) is yes
    assert decided.answer == (answer if outcome is Outcome.CHOSEN else None)
    if outcome is not Outcome.REFUSED:
        assert (decided.reason, decided.decided_by) == ("since", None if state == "refused" else "U1")


async def test_a_question_in_plain_words_has_an_answer_in_plain_words(supervisor: Supervisor) -> None:
    async with agent_task("deployer", "Deploy") as task:
        waiting = asyncio.create_task(task.ask("Which region? " + "really " * 100))
        question = await asked(supervisor)
        supervisor.decide(question, "answered", answer="the east")
        answer = await waiting
    assert question.kind == "question"
    assert question.action.endswith("…")
    assert question.arguments == {"question": "Which region? " + "really " * 100}
    assert answer
    assert (answer.answer, answer.approved) == ("the east", False)


@pytest.mark.parametrize(("given", "hours"), [(0, 1), (-5, 1), ("soon", 1), (48 * 3600.0, 48), (1e12, 30 * 24)])
async def test_how_long_a_question_waits(supervisor: Supervisor, given: Any, hours: int) -> None:
    async with agent_task("deployer", "Deploy") as task:
        waiting = asyncio.create_task(task.ask("Why?", timeout=given))
        question = await asked(supervisor)
        supervisor.decide(question, "answered", answer="so")
        await waiting
    assert round((question.expires_at - question.at).total_seconds() / 3600) == hours


@pytest.mark.parametrize(
    "changed", [{"arguments_hash": "0" * 64}, {"approval_id": "another"}, {"arguments_hash": None}]
)
async def test_a_yes_to_something_else_grants_nothing(supervisor: Supervisor, changed: dict[str, Any]) -> None:
    async with agent_task("deployer", "Deploy") as task:
        waiting = asyncio.create_task(task.request_approval("deploy", {"version": 4}))
        supervisor.decide(await asked(supervisor), "approved", **changed)
        decided = await waiting
    assert (decided.outcome, decided.approved, decided.allows("deploy", {"version": 4})) == ("refused", False, False)


async def test_what_is_changed_after_the_question_was_not_approved(supervisor: Supervisor) -> None:
    arguments: dict[str, Any] = {"version": 4, "hosts": ["a"]}
    async with agent_task("deployer", "Deploy") as task:
        waiting = asyncio.create_task(task.request_approval("deploy", arguments))
        question = await asked(supervisor)
        arguments["hosts"].append("b")
        supervisor.decide(question, "approved")
        decided = await waiting
    assert question.arguments == decided.arguments == {"version": 4, "hosts": ["a"]}
    assert decided.allows("deploy", {"hosts": ["a"], "version": 4})
    assert not decided.allows("deploy", arguments)
    assert not decided.allows("delete", {"version": 4, "hosts": ["a"]})
    assert not decided.allows("deploy", {"version": object()})
    assert not decided.allows("deploy", {"version": 4.0, "hosts": ["a"]})


def test_a_thread_waits_and_is_told(supervisor: Supervisor) -> None:
    with agent_task("deployer", "Deploy") as task:
        deciding = threading.Thread(target=lambda: supervisor.decide(supervisor.wait_for(Asked)[0], "approved"))
        deciding.start()
        decided = task.request_approval("deploy", {"version": 4})
        deciding.join()
    assert decided.allows("deploy", {"version": 4})


async def test_many_wait_at_once_without_a_thread_each(supervisor: Supervisor) -> None:
    before = threading.active_count()
    async with agent_task("deployer", "Deploy") as task:
        waiting = [asyncio.create_task(task.request_approval("deploy", {"version": n})) for n in range(50)]
        await asked(supervisor, 50)
        threads = threading.active_count()
        for question in supervisor.of(Asked):
            supervisor.decide(question, "approved" if question.arguments["version"] == 7 else "rejected")
        decided = await asyncio.gather(*waiting)
    assert threads <= before + 4
    assert [number for number, each in enumerate(decided) if each.approved] == [7]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is waited for longer than was said."""
    monkeypatch.setattr(approval, "GRACE_S", 0.0)


@pytest.mark.usefixtures("impatient")
async def test_where_nobody_answers_it_expires(supervisor: Supervisor) -> None:
    async with agent_task("deployer", "Deploy") as task:
        decided = await task.request_approval("deploy", timeout=0.3)
        answer = await asyncio.to_thread(SyncCheckpointEmitter(task_id=task.task_id).ask, "Why?", timeout=0.3)
    assert (decided.outcome, decided.approved, answer.outcome, answer.answer) == ("expired", False, "expired", None)
    assert len(supervisor.of(Asked)) == 2


@pytest.mark.usefixtures("impatient")
async def test_a_supervisor_that_is_away_is_asked_again_until_the_time_is_over() -> None:
    away = Supervisor()
    with away.running():
        threadline_agent.configure(url=away.url, token=TOKEN)
    async with agent_task("deployer", "Deploy") as task:
        assert (await task.request_approval("deploy", timeout=0.3)).outcome is Outcome.EXPIRED
        waiting = asyncio.create_task(task.request_approval("deploy", {"version": 4}, timeout=60))
        await asyncio.sleep(0.1)
        with away.running():
            question = await asked(away, 2)
            away.decide(question, "approved")
            assert (await waiting).approved


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_what_is_not_known_yet_is_asked_for_again(supervisor: Supervisor, status: int) -> None:
    supervisor.approvals_fault = lambda: web.Response(status=status) if supervisor.polls < 3 else None
    async with agent_task("deployer", "Deploy") as task:
        waiting = asyncio.create_task(task.request_approval("deploy"))
        supervisor.decide(await asked(supervisor), "approved")
        assert (await waiting).approved


async def test_a_token_that_is_refused_reaches_nobody(supervisor: Supervisor) -> None:
    supervisor.token = "another"
    async with agent_task("deployer", "Deploy") as task:
        decided = await task.request_approval("deploy")
    assert (decided.outcome, decided.approved) == ("unavailable", False)
    assert decided.reason == "the supervisor refuses the token (401: this token is not known)"


async def test_a_question_that_the_supervisor_refuses_reaches_nobody(supervisor: Supervisor) -> None:
    supervisor.refuse = lambda event: "no approvals here" if isinstance(event, Asked) else None
    async with agent_task("deployer", "Deploy") as task:
        decided = await task.request_approval("deploy")
    assert (decided.outcome, decided.reason) == ("unavailable", "no approvals here")


async def test_without_a_supervisor_nothing_is_granted(caplog: pytest.LogCaptureFixture) -> None:
    async with agent_task("deployer", "Deploy") as task:
        decided = await task.request_approval("deploy", {"version": 4})
        answer = await task.ask("Which region?")
    assert (decided.outcome, decided.approved, bool(decided)) == ("unavailable", False, False)
    assert not decided.allows("deploy", {"version": 4})
    assert answer.answer is None
    assert "asks for an approval and nobody can be asked: THREADLINE_AGENT_URL and" in caplog.text


async def test_a_cancel_ends_the_waiting(supervisor: Supervisor) -> None:
    async with agent_task("deployer", "Deploy") as task:
        waiting = asyncio.create_task(task.request_approval("deploy"))
        await asked(supervisor)
        supervisor.order(task.task_id, cancel={"by": "U1", "reason": None, "at": "2026-01-01T00:00:00Z"})
        assert (await waiting).outcome is Outcome.CANCELLED


def test_a_cancel_ends_the_waiting_of_a_thread(supervisor: Supervisor) -> None:
    with agent_task("deployer", "Deploy") as task:

        def cancel() -> None:
            supervisor.wait_for(Asked)
            supervisor.order(task.task_id, cancel={"by": "U1", "reason": None, "at": "2026-01-01T00:00:00Z"})

        cancelling = threading.Thread(target=cancel)
        cancelling.start()
        assert task.request_approval("deploy").outcome is Outcome.CANCELLED
        cancelling.join()


NESTED: list[Any] = []
for _ in range(100_000):
    NESTED = [NESTED]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"when": object()}, TypeError),
        ({"ratio": float("nan")}, ValueError),
        ({"half": "\ud800"}, ValueError),
        ({"nothing": "a\0b"}, ValueError),
        ({"long": "x" * 17_000}, ValueError),
        ({"deep": NESTED}, ValueError),
        ({1: "a", "1": "b"}, TypeError),
        (["version", 4], TypeError),
    ],
    ids=["object", "nan", "surrogate", "nul", "long", "deep", "keys", "list"],
)
async def test_arguments_that_cannot_be_shown_are_an_error_of_the_program(
    arguments: Any, error: type[Exception]
) -> None:
    async with agent_task("deployer", "Deploy") as task:
        with pytest.raises(error):
            await task.request_approval("deploy", arguments)


@pytest.mark.parametrize(
    ("action", "more", "error"),
    [
        ("", {}, ValueError),
        ("x" * 301, {}, ValueError),
        (4, {}, TypeError),
        ("deploy", {"choices": ["a"] * 2}, ValueError),
        ("deploy", {"choices": ["x" * 76]}, ValueError),
        ("deploy", {"choices": [str(n) for n in range(21)]}, ValueError),
        ("deploy", {"choices": [1]}, TypeError),
        ("deploy", {"choices": "yes"}, TypeError),
        ("deploy", {"timeout": 0}, ValueError),
        ("deploy", {"timeout": float("nan")}, ValueError),
        ("deploy", {"timeout": "soon"}, TypeError),
    ],
)
def test_a_question_that_cannot_be_asked_is_an_error_of_the_program(
    action: Any, more: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        SyncCheckpointEmitter("deployer", "Deploy").request_approval(action, {}, **more)


def test_the_hash_is_the_supervisors() -> None:
    question = Question.made("deploy", VERSION, None, 60)
    said = {key: value for key, value in question.as_fields().items() if value is not None}
    of_task = {"id": "1", "type": "approval.requested", "at": "2026-01-01T00:00:00Z", "task_id": "t", "agent_id": "a"}
    event = Asked.model_validate({**of_task, **said})
    assert event.arguments_hash == question.arguments_hash == fingerprint("deploy", dict(VERSION))


def test_an_answer_is_no_yes_by_being_there() -> None:
    for outcome in Outcome:
        given = Approval("1", "deploy", {}, fingerprint("deploy", {}), outcome)
        assert given.approved == given.allows("deploy") == (outcome is Outcome.APPROVED)
        assert bool(given) == (outcome in {Outcome.APPROVED, Outcome.ANSWERED})
