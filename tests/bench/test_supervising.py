"""The checks of `./dev chaos supervisor` find each thing that must not be, and nothing where all is well."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from bench.beds.answered import Entry
from bench.beds.supervisor import Reporter
from bench.supervising.checking import CHECKS, Facts, story, wrong
from bench.supervising.clicking import Click
from bench.supervising.past import past
from bench.supervising.programs import Plan, Program, Question, plans
from schemas import ids
from schemas.agent import ApprovalAttempted, ApprovalDecided, ApprovalRequested, TaskHome, TaskStarted
from schemas.agent import TaskCheckpoint as Checkpoint
from schemas.agent import TaskEnded as Ended
from services.supervisor.decisions.projecting import Projection
from services.supervisor.decisions.task import Task

AT = datetime(2026, 3, 2, tzinfo=UTC)
PLAN = Plan(0, ("working", Question("ask-0-0", "may not, then approve")), "complete")
HOME = TaskHome(connection="A1:T1", team_id="T1", channel="C1")
OF_TASK: dict[str, Any] = {"task_id": PLAN.task_id, "tenant_id": "acme", "agent_id": "deployer"}
SAID: dict[str, Any] = {**OF_TASK, "at": AT, "received_at": AT, "home": HOME, "token_id": "t"}
APPROVAL = ids.approval_id("acme", PLAN.task_id, "ask-0-0", "a")
ABOUT: dict[str, Any] = {**OF_TASK, "at": AT, "approval_id": APPROVAL, "arguments_hash": "h", "via": "slack"}
DECIDED = ApprovalDecided(**ABOUT, outcome="approved", decided_by="U1", directory_revision=1)
HEAD = {"text": "✅ Agent deployer – COMPLETE", "attachments": [], "ts": "1.0"}


def named(what: str) -> str:
    return ids.task_record_id("acme", PLAN.task_id, what)


def log() -> list[Entry]:
    asked = ApprovalRequested(
        **SAID, approval_id=APPROVAL, request_id="ask-0-0", action="do", arguments_json="{}", arguments_hash="h",
        expires_at=AT + timedelta(hours=1),
    )  # fmt: skip
    events = [
        (named("s"), TaskStarted(**SAID, task_name="T", context_size=1000)),
        (named("c"), Checkpoint(**SAID, action="now working")),
        (named("a"), asked),
        ("tried", ApprovalAttempted(**ABOUT, fault="may_not", attempted_by="U2")),
        ("decided", DECIDED),
        (named("e"), Ended(**SAID, status="complete")),
    ]
    return [Entry(name, 0, at, 0, event) for at, (name, event) in enumerate(events)]


def task() -> Task:
    projection = Projection(0)
    for each in log():
        projection.take(each.event, each.id)  # type: ignore[arg-type] # all of them are such
    projection.written()
    [held] = projection.tasks.values()
    assert held.task is not None
    return held.task


@pytest.fixture
async def facts() -> Facts:
    async with ClientSession() as session:
        program = Program(PLAN, Reporter("", "", session, PLAN.task_id), random.Random(1))
    program.accepted, program.statuses, program.is_done = ["s", "c", "a", "e"], ["working"], True
    program.heard = {"ask-0-0": {"state": "approved", "decided_by": "U1"}}
    clicks = [
        Click(PLAN.task_id, "ask-0-0", "U2", "approve", may=False, arrived=True),
        Click(PLAN.task_id, "ask-0-0", "U1", "approve", may=True, arrived=True),
    ]
    row = {"task_id": PLAN.task_id, "request_id": "ask-0-0", "state": "approved", "by_user": "U1"}
    return Facts(
        programs=[program],
        clicks=clicks,
        events=log(),
        tasks={PLAN.task_id: task()},
        approvals=[row],
        checkpoints=frozenset({named("c")}),
        messages={PLAN.task_id: [HEAD]},
        threads={PLAN.task_id: [{"text": "do what ask-0-0 says", "ts": "1.1"}]},
        differ=[],
        tenant_of={PLAN.task_id: "acme"},
    )


def test_where_all_is_well_nothing_is_found(facts: Facts) -> None:
    assert wrong(facts) == {name: [] for name in CHECKS}
    assert any("approval.decided" in line for line in story(facts, PLAN.task_id))


def test_what_stands_again_under_the_name_of_a_decision_is_a_repeat(facts: Facts) -> None:
    late = ApprovalAttempted(**ABOUT, fault="already_decided", attempted_by="U1")
    assert wrong(replace(facts, events=[*facts.events, Entry("decided", 0, 9, 0, late)])) == {
        name: [] for name in CHECKS
    }


def broken(facts: Facts, what: str) -> Facts:
    """The same, but for one thing."""
    stale = task().model_copy(update={"timeline": task().timeline[:1]})
    row, again = dict(facts.approvals[0]), Entry("again", 0, 9, 0, DECIDED.model_copy(update={"decided_by": "U9"}))
    buttons = {"text": "do what ask-0-0 says", "ts": "1.1", "blocks": [{"type": "actions"}]}
    changed: dict[str, dict[str, Any]] = {
        "reported events lost": {"events": [each for each in facts.events if each.id != named("c")]},
        "changes of a status lost": {"tasks": {PLAN.task_id: stale}},
        "approvals decided twice, or told otherwise": {"approvals": [row | {"by_user": "U9"}]},
        "approvals that stand twice": {"approvals": [row, row]},
        "decisions that nobody clicked who may": {"events": [*facts.events, again]},
        "attempts of who may not that are not recorded": {"clicks": [*facts.clicks, facts.clicks[0]]},
        "tasks not in their true state in Postgres": {"tasks": {}},
        "tasks not in their true state in Slack": {
            "messages": {PLAN.task_id: [HEAD | {"text": "⚙️ Agent deployer – WORKING"}]}
        },
        "messages that stand twice": {"messages": {PLAN.task_id: [HEAD, HEAD]}},
        "buttons left at what is over": {"threads": {PLAN.task_id: [buttons]}},
        "tables otherwise when made anew": {"differ": ["agent_tasks"]},
    }
    if what in changed:
        return replace(facts, **changed[what])
    facts.programs[0].heard["ask-0-0"] = {"state": "rejected", "decided_by": "U1"}
    return facts


@pytest.mark.parametrize("what", CHECKS)
def test_what_must_not_be_is_found(facts: Facts, what: str) -> None:
    assert wrong(broken(facts, what))[what]


def test_plans_and_pasts_are_the_same_for_each_seed() -> None:
    assert plans(3, 40) == plans(3, 40) != plans(4, 40)
    wanted = {question.wanted for plan in plans(3, 200) for question in plan.questions}
    assert wanted == {"approve", "approve twice", "reject", "may not, then approve", "nobody"}
    first, again = (list(past(3, 60, ["a", "b"], AT)) for _ in range(2))
    assert first == again
    assert len({name for _, name in first}) == len(first)
    assert {type(event) for event, _ in first} >= {TaskStarted, Checkpoint, ApprovalDecided, Ended}
