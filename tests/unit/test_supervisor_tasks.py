"""What events make of a task, what is noticed, who may decide, and what is said."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import ids
from schemas.agent import (
    AgentEvent,
    ApprovalAttempted,
    ApprovalDecided,
    ApprovalRequested,
    EndStatus,
    Intervention,
    TaskArtifact,
    TaskCheckpoint,
    TaskCommanded,
    TaskEnded,
    TaskHandedOver,
    TaskHome,
    TaskJudged,
    TaskStarted,
    TaskTaken,
    TaskWanted,
)
from schemas.buttons import PREFIX
from schemas.command import Notice
from schemas.effect import EffectConfirmed, EffectFailed, EffectOf
from services.responder.decisions.reserved import reserved_in
from services.supervisor.decisions import deciding, judging, wire
from services.supervisor.decisions.answers import Answers
from services.supervisor.decisions.blocks import bar, lasted, revealed
from services.supervisor.decisions.budgets import Budgets, judge
from services.supervisor.decisions.commanding import Asking, listed
from services.supervisor.decisions.deciding import Answer, Rights
from services.supervisor.decisions.folding import fold, is_lost
from services.supervisor.decisions.following import following
from services.supervisor.decisions.forms import form
from services.supervisor.decisions.health import health_of
from services.supervisor.decisions.judging import Past
from services.supervisor.decisions.pace import Pace
from services.supervisor.decisions.parsing import meant
from services.supervisor.decisions.posts import Post, posts_of
from services.supervisor.decisions.projecting import Projection
from services.supervisor.decisions.task import Approval, Task
from services.supervisor.decisions.telling import Rhythm, Told, Urgency, due, still_due

AT = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
HOME = TaskHome(connection="A1:T1", team_id="T1", channel="C1")
ORDERS = ("pause", "resume")
ARGUMENTS = {"version": 4, "why": "```<!channel>\u202e```"}
HASH = ids.approval_hash("deploy", ARGUMENTS)
RIGHTS = Rights(
    approvers=frozenset({"UANNA"}),
    stoppers=frozenset(),
    anyone_may_approve=False,
    anyone_may_stop=False,
    self_approval=False,
    revision=3,
)


def said(what: type[Any], after_s: float = 0, **more: Any) -> Any:
    at = AT + timedelta(seconds=after_s)
    common = {"at": at, "received_at": at, "home": HOME, "token_id": "tok"}
    return what(task_id="t1", tenant_id="acme", agent_id="deployer", **common, **more)


def done(kind: type[Any], after_s: float = 0, **more: Any) -> Any:
    return kind(task_id="t1", tenant_id="acme", agent_id="deployer", at=AT + timedelta(seconds=after_s), **more)


def started(**more: Any) -> TaskStarted:
    event: TaskStarted = said(TaskStarted, **{"task_name": "Deploy", "context_size": 100_000, **more})
    return event


def went_on(after_s: float = 1, **more: Any) -> TaskCheckpoint:
    event: TaskCheckpoint = said(TaskCheckpoint, after_s, **{"action": "works", **more})
    return event


def asked(**more: Any) -> ApprovalRequested:
    facts: dict[str, Any] = {
        "approval_id": "ap1",
        "request_id": "mine",
        "action": "deploy",
        "arguments_json": json.dumps(ARGUMENTS),
        "arguments_hash": HASH,
        "expires_at": AT + timedelta(hours=1),
    }
    event: ApprovalRequested = said(ApprovalRequested, 2, **{**facts, **more})
    return event


def decided(by: str, outcome: str = "approved", digest: str = HASH) -> ApprovalDecided:
    facts = {"approval_id": "ap1", "arguments_hash": digest, "outcome": outcome, "decided_by": by, "via": "slack"}
    event: ApprovalDecided = done(ApprovalDecided, 3, **facts)
    return event


def after(*events: AgentEvent) -> Task:
    task: Task | None = None
    for number, event in enumerate(events):
        task = fold(task, event, f"e{number}")
    assert task is not None
    return task


def only(task: Task) -> Approval:
    (approval,) = task.approvals
    return approval


# --- what events make of a task --------------------------------------------------------------------------------------


def test_each_status_comes_from_what_happened() -> None:
    cases: list[tuple[str, tuple[AgentEvent, ...]]] = [
        ("starting", ()),
        ("working", (went_on(),)),
        ("paused", (went_on(status="paused"),)),
        ("error", (went_on(status="error"),)),
        ("context_warning", (went_on(context_used=70_000),)),
        ("waiting_for_approval", (went_on(), asked())),
        ("working", (went_on(), asked(), decided("UANNA"))),
        ("paused", (went_on(), done(Intervention, 4, action="pause", by_user="UANNA"))),
        ("waiting_for_approval", (went_on(), done(Intervention, 2, action="pause", by_user="UANNA"), asked())),
        ("working", (went_on(), *(done(Intervention, 4, action=each, by_user="UANNA") for each in ORDERS))),
        ("stalled", (went_on(), done(TaskJudged, 60, judgement="silent", text="silence"))),
        ("working", (went_on(), done(TaskJudged, 60, judgement="silent", text="silence"), went_on(90))),
        ("complete", (asked(), said(TaskEnded, 4, status="complete"))),
        ("cancelled", (said(TaskEnded, 4, status="cancelled"),)),
    ]
    for status, events in cases:
        assert after(started(), *events).status == status
    moments = [each.status for each in after(started(), went_on(), asked(), decided("UANNA")).timeline]
    assert moments == ["starting", "working", "waiting_for_approval", "working"]


def test_the_first_decision_holds_and_only_about_what_was_asked() -> None:
    first = after(started(), asked(), decided("UANNA"))
    assert only(first).state == "approved"
    late = decided("UBEN", "rejected")
    assert fold(first, late, "late") is first
    other = after(started(), asked(), decided("UANNA", digest="another"))
    assert only(other).state == "open"


def test_who_asks_for_something_else_under_the_same_name_wants_the_first_no_more() -> None:
    before = after(started(), asked())
    same = asked(approval_id="ap2")
    assert fold(before, same, "again") is before, "it asks for what is asked already"
    other = asked(approval_id="ap2", arguments_json='{"version":5}', arguments_hash="another")
    changed = fold(before, other, "other")
    assert changed is not None
    assert [(each.approval_id, each.state) for each in changed.approvals] == [("ap1", "withdrawn"), ("ap2", "open")]
    shown = {each.name: str(each.blocks) for each in posts_of(changed)}
    assert "another request took its place" in shown[f"{PREFIX}approval:ap1"]
    assert "the task ended" not in shown[f"{PREFIX}approval:ap1"]
    assert fold(changed, decided("UANNA"), "late") is changed, "the old button grants nothing"
    again = fold(after(started(), asked(), decided("UANNA")), same, "again")
    assert again is not None
    assert [each.state for each in again.approvals] == ["approved", "open"], "a yes is good for one request"


def test_a_task_that_was_begun_again_asks_again() -> None:
    over = said(TaskEnded, 4, status="complete")
    task = after(started(), asked(), decided("UANNA"), over, started(), asked(approval_id="ap2"))
    assert [(each.approval_id, each.state) for each in task.approvals] == [("ap2", "open")]
    ids_of = {wire.to_log(wire.read({**ASKS, "id": name}), SOURCE)[0] for name in ("e1", "e2")}
    assert len({each.approval_id for each in ids_of if isinstance(each, ApprovalRequested)}) == 2


def test_nobody_is_asked_more_than_people_can_look_through() -> None:
    projection, attempts = Projection(0), []
    projection.take(started(), "s")
    for number in range(25):
        event = asked(approval_id=f"ap{number}", request_id=f"r{number}")
        step = projection.take(event, f"e{number}")
        attempts += [each.event for each in following(event, step, f"e{number}")]
    rows = projection.changes["acme"].interventions
    assert [rows[f"ap{number}"][5] for number in (0, 19, 20, 24)] == ["open", "open", "refused", "refused"]
    assert "asks for too much at once" in str(rows["ap20"]), "its program is told"
    projection.written()
    task = projection.tasks["acme", "t1"].task
    assert task is not None
    assert len(task.approvals) == 20
    assert [each.fault for each in attempts if isinstance(each, ApprovalAttempted)] == ["too_many"] * 5
    other = asked(approval_id="other", request_id="r7", arguments_hash="another")
    changed = fold(task, other, "other")
    assert changed is not None
    assert changed.approvals[-1].approval_id == "other", "it takes the place of what goes by its name"


def test_the_buttons_of_all_that_is_decided_at_once_go() -> None:
    rhythm = Rhythm(timedelta(seconds=30), timedelta(seconds=60))
    task = after(started(), *(asked(approval_id=f"ap{number}", request_id=f"r{number}") for number in range(20)))
    told = {each.name: Told(each.digest, AT, each.standing) for each in posts_of(task)}
    for number in range(20):
        yes = decided("UANNA").model_copy(update={"approval_id": f"ap{number}"})
        task = fold(task, yes, f"yes{number}") or task
    before = due(posts_of(task), told, AT, rhythm)
    assert sum("Approved" in str(each.post.blocks) for each in before) == 20
    for number in range(20, 50):
        more = {"approval_id": f"ap{number}", "request_id": f"r{number}"}
        task = fold(task, asked(**more), f"ask{number}") or task
        task = fold(task, decided("UANNA").model_copy(update={"approval_id": f"ap{number}"}), f"yes{number}") or task
    posts = list(posts_of(task))
    names = [each.post.name for each in still_due(before, posts, told)]
    assert names == [f"{PREFIX}approval:ap{number}" for number in range(20)], (
        "also what the task does not know any more"
    )
    said_by_now = {each.post.name: Told(each.post.digest, AT) for each in before}
    assert still_due(before, posts, told | said_by_now) == []


def test_how_long_people_let_an_agent_wait_goes_by_our_clock() -> None:
    request = asked().model_copy(update={"at": AT - timedelta(days=1)})
    task = after(started(), request)
    assert "lets it wait" not in health_of(task, request.received_at).words
    assert "lets it wait for 15 min" in health_of(task, request.received_at + timedelta(minutes=15)).words


def test_an_approval_of_a_task_that_ended_is_not_needed_any_more() -> None:
    task = after(started(), asked(), said(TaskEnded, 4, status="error"))
    assert only(task).state == "withdrawn"
    assert fold(task, decided("UANNA"), "x") is task


def test_a_task_may_be_begun_again_and_is_another_life() -> None:
    task = after(started(), went_on(cost_usd=1.0), said(TaskEnded, 4, status="complete"), started(task_name="Again"))
    assert (task.life, task.status, task.task_name, task.cost_usd) == (1, "starting", "Again", 0)
    ended = after(started(), said(TaskEnded, 4, status="complete"))
    assert fold(ended, went_on(9), "late") is ended


def test_what_never_began_is_a_task_too() -> None:
    task = after(went_on(progress=0.5))
    assert (task.task_name, task.status, task.progress) == ("t1", "working", 0.5)
    assert fold(None, decided("UANNA"), "x") is None


@pytest.mark.parametrize(("status", "far"), [("complete", 1.0), ("error", 0.75), ("cancelled", 0.75)])
def test_what_is_complete_is_wholly_done_and_what_failed_stands_where_it_was(status: EndStatus, far: float) -> None:
    assert after(started(), went_on(progress=0.75), said(TaskEnded, 4, status=status)).progress == far
    assert after(started(), went_on(), said(TaskEnded, 4, status=status)).progress is None


EVENTS = st.lists(
    st.sampled_from(
        [
            started(),
            went_on(cost_usd=0.25, context_used=10),
            went_on(5, status="paused"),
            asked(),
            decided("UANNA"),
            decided("UBEN", "rejected"),
            said(TaskArtifact, 3, artifact="file", title="a"),
            done(Intervention, 4, action="cancel", by_user="UANNA"),
            done(TaskJudged, 60, judgement="silent", text="silence"),
            said(TaskEnded, 9, status="complete"),
        ]
    ),
    max_size=30,
)


def test_who_speaks_of_tasks_knows_what_is_written_alone() -> None:
    def known() -> list[str]:
        return [held.task.status for held in projection.tasks.values() if held.task is not None]

    projection = Projection(0)
    projection.take(started(), "s")
    projection.written()
    projection.take(went_on(), "c")
    projection.take(asked(), "a")
    assert known() == ["starting"]
    assert projection.take(asked(), "a").is_repeat, "what is folded is folded on"
    projection.written()
    assert known() == ["waiting_for_approval"]
    assert projection.changes == {}


@given(EVENTS, st.randoms(use_true_random=False))
def test_repeats_change_nothing_and_a_decision_is_never_another(events: list[AgentEvent], random: Any) -> None:
    once, again = Projection(0), Projection(0)
    events = [started(), *events]
    for number, event in enumerate(events):
        for projection in (once, again):
            projection.take(event, f"e{number}")
        if number and random.random() < 0.5:
            back = random.randrange(number)
            assert again.take(events[back], f"e{back}").is_repeat
    assert once.changes == again.changes
    assert once.written() == again.written()
    assert once.tasks == again.tasks
    states: list[str] = []
    task: Task | None = None
    for number, event in enumerate(events):
        task = fold(task, event, f"e{number}")
        if task is not None and not task.life and task.approvals:
            states.append(only(task).state)
    assert len({each for each in states if each != "open"}) <= 1


@given(EVENTS)
def test_a_task_survives_its_row(events: list[AgentEvent]) -> None:
    task: Task | None = None
    for number, event in enumerate(events):
        task = fold(task, event, f"e{number}")
    if task is not None:
        assert Task.model_validate_json(task.model_dump_json(), strict=False) == task


# --- tasks that workers take -----------------------------------------------------------------------------------------


def wanted() -> tuple[AgentEvent, AgentEvent]:
    wish = done(TaskWanted, home=HOME, task_name="Deploy", text="deploy it", wanted_by="UBEN", approval_id="ap1")
    return wish, asked(request_id="start")


def taken(lease: str, after_s: float = 5) -> AgentEvent:
    event: AgentEvent = done(TaskTaken, after_s, lease_id=lease, worker=f"worker of {lease}", token_id="tok")
    return event


def test_a_task_that_is_wanted_is_offered_when_it_is_approved_and_taken_once() -> None:
    waits = after(*wanted())
    assert (waits.status, waits.is_offered, waits.wanted) == ("waiting_for_approval", False, "deploy it")
    assert fold(waits, taken("early"), "x") is waits
    offered = after(*wanted(), decided("UANNA"))
    assert offered.is_offered
    first = after(*wanted(), decided("UANNA"), taken("one"), taken("two"))
    assert first.lease is not None
    assert (first.lease.lease_id, first.is_offered, first.worker) == ("one", False, "worker of one")
    kept = fold(first, started(task_name="Deploy 4", worker="build-1"), "s")
    assert kept is not None
    assert (kept.started_by, kept.wanted) == ("UBEN", "deploy it"), "a worker's beginning is no other task"


@pytest.mark.parametrize("outcome", ["rejected", "expired"])
def test_a_task_that_nobody_allows_never_begins(outcome: str) -> None:
    over = after(*wanted(), decided("UANNA", outcome))
    assert (over.status, over.is_offered) == ("cancelled", False)
    assert fold(over, taken("late"), "x") is over


def test_a_worker_that_falls_silent_loses_its_task_and_the_next_one_may_take_it() -> None:
    task = after(*wanted(), decided("UANNA"), taken("one"))
    silence = judging.of_silence(task, task.received_at, task.received_at + timedelta(seconds=31))
    assert silence is not None
    assert "loses it" in silence.text
    again = after(*wanted(), decided("UANNA"), taken("one"), silence, taken("two", 60))
    assert again.lease is not None
    assert (again.lease.lease_id, again.silent_since) == ("two", None)


def test_a_worker_that_lost_its_task_is_not_heard_any_more() -> None:
    silence = done(TaskJudged, 60, judgement="silent", text="x")
    has_it = after(*wanted(), decided("UANNA"), taken("one"))
    late, end = went_on(61, lease_id="one"), said(TaskEnded, 62, status="error", lease_id="one")
    assert fold(has_it, late, "x") is not has_it
    lost = after(*wanted(), decided("UANNA"), taken("one"), silence)
    assert lost.orders_version > has_it.orders_version, "it is told at once"
    again = after(*wanted(), decided("UANNA"), taken("one"), silence, taken("two", 60))
    for task in (lost, again):
        for each in (late, end, asked(approval_id="ap2", request_id="more", lease_id="one")):
            assert fold(task, each, "x") is task
    mine = fold(again, went_on(63, lease_id="two"), "y")
    assert mine is not None
    assert mine.status == "working"
    assert fold(again, went_on(63), "y") is not again, "who names no lease is heard as before"


def test_a_worker_that_lost_its_task_does_not_begin_it_again_after_another_has_done_it() -> None:
    silence = done(TaskJudged, 60, judgement="silent", text="x")
    by_two = after(*wanted(), decided("UANNA"), taken("one"), silence, taken("two", 60))
    over = fold(by_two, said(TaskEnded, 62, status="complete", lease_id="two"), "over")
    assert over is not None
    assert fold(over, started(lease_id="one"), "x") is over
    assert (is_lost(over, "one"), is_lost(over, "two")) == (True, False), "one is told, and not two"
    begun = fold(over, started(lease_id="two"), "y")
    assert begun is not None
    again = fold(begun, went_on(63, lease_id="two"), "z")
    assert again is not None
    assert (again.life, again.status, is_lost(again, "one")) == (1, "working", True), "who has it may try again"
    assert fold(again, went_on(64, lease_id="one"), "late") is again


def test_what_a_worker_says_of_what_it_lost_stands_nowhere() -> None:
    projection = Projection(0)
    silence = done(TaskJudged, 60, judgement="silent", text="x")
    for number, event in enumerate((*wanted(), decided("UANNA"), taken("one"), silence, taken("two", 60))):
        projection.take(event, f"e{number}")
    late = {"lease_id": "one"}
    projection.take(went_on(70, cost_usd=5.0, **late), "late step")
    projection.take(said(TaskArtifact, 71, artifact="deploy", title="deployed twice", **late), "late artifact")
    projection.take(went_on(72, cost_usd=1.0, lease_id="two"), "step")
    rows = projection.changes["acme"]
    assert (list(rows.checkpoints), list(rows.artifacts)) == (["step"], [])


def test_a_worker_says_that_it_lives_as_often_as_is_needed_for_the_next_to_take_its_task() -> None:
    task = after(*wanted(), decided("UANNA"), taken("one"), started(heartbeat_s=600.0, lease_id="one"))
    assert judging.silent_after_s(task) == 30


def test_a_task_is_handed_over_to_another_agents_workers() -> None:
    handed = after(started(), said(TaskHandedOver, 5, to_agent_id="reviewer", text="look at it"))
    assert (handed.agent_id, handed.is_offered, handed.wanted) == ("reviewer", True, "look at it")
    assert handed.lease is None


def test_what_was_not_allowed_to_begin_is_not_handed_over() -> None:
    waits, handed = after(*wanted()), said(TaskHandedOver, 5, to_agent_id="reviewer", text="other words")
    assert fold(waits, handed, "x") is waits
    assert fold(None, handed, "x") is None
    has_it = after(*wanted(), decided("UANNA"), taken("one"), handed)
    assert (has_it.agent_id, has_it.is_offered) == ("reviewer", True)


def test_who_wanted_a_task_stays_who_that_was() -> None:
    task = after(*wanted(), decided("UANNA"), taken("one"), started(started_by="USOMEBODYELSE"))
    assert task.started_by == "UBEN"


def test_what_is_over_is_offered_to_nobody() -> None:
    silence = done(TaskJudged, 60, judgement="silent", text="x")
    lost = after(*wanted(), decided("UANNA"), taken("one"), silence)
    assert lost.is_offered
    assert not after(
        *wanted(), decided("UANNA"), taken("one"), silence, said(TaskEnded, 61, status="complete")
    ).is_offered


def test_who_has_just_taken_a_task_does_not_lose_it_for_a_silence_of_before() -> None:
    silence = done(TaskJudged, 4, judgement="silent", text="no worker has taken it")
    task = after(*wanted(), decided("UANNA"), taken("one", 5), silence)
    assert (task.status, task.lease is not None, task.is_offered) == ("starting", True, False)


def test_a_task_that_waited_long_is_not_silent_when_it_is_answered() -> None:
    task = after(started(), asked(expires_at=AT + timedelta(days=1)))
    answered = done(ApprovalDecided, 7200, approval_id="ap1", arguments_hash=HASH, outcome="approved", via="slack")
    now = fold(task, answered, "x")
    assert now is not None
    assert judging.of_silence(now, now.received_at, AT + timedelta(seconds=7201)) is None


def test_what_nobody_does_yet_ends_when_it_is_cancelled() -> None:
    stopped = done(Intervention, 4, action="cancel", by_user="UANNA")
    assert after(*wanted(), stopped).status == "cancelled"
    over = after(*wanted(), decided("UANNA"), stopped)
    assert (over.status, over.received_at) == ("cancelled", stopped.at), "heard of just now: it is told"
    assert after(*wanted(), decided("UANNA"), taken("one"), stopped).status == "starting", "its worker hears of it"


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("list", ("list", None, "")),
        ("Please show me the tasks!", ("list", None, "")),
        ("what are agents doing?", ("list", None, "")),
        ("cancel task-1.", ("cancel", "task-1", "")),
        ("could you stop the task deploy:4, please", ("cancel", "deploy:4", "")),
        ("approve `ap-1`", ("approve", "ap-1", "")),
        ("reject ap-1", ("reject", "ap-1", "")),
        ("please refuse the approval ap-1: too risky!", ("reject", "ap-1", "too risky")),
        ("deny `ap-1`, because\nit is Friday.", ("reject", "ap-1", "it is Friday")),
        (f"reject ap-1 because {'! ' * 20_000}no", ("reject", "ap-1", "")),
        ("how is task-1 going?", ("show", "task-1", "")),
        ("status of task-1", ("show", "task-1", "")),
        ("ask deployer to put version 4 into production.", ("run", "deployer", "put version 4 into production.")),
        ("Run Deployer: version 4", ("run", "deployer", "version 4")),
        ("deployer, deploy\nversion 4", ("run", "deployer", "deploy\nversion 4")),
        ("ask somebody to deploy", None),
        ("deploy it", None),
        ("", None),
    ],
)
def test_plain_words_are_read_by_rules(words: str, what: tuple[str, str | None, str] | None) -> None:
    found = meant(words, ["deployer", "reviewer"])
    assert (None if found is None else (found.verb, found.name, found.text)) == what


def test_what_does_not_fit_a_list_is_told_of() -> None:
    command = TaskCommanded(
        at=AT,
        command_id="c",
        cause="c",
        tenant_id="acme",
        connection="A1:T1",
        team_id="T1",
        channel_id="C1",
        user_id="UANNA",
        directory_revision=3,
        verb="list",
    )
    asking = Asking(command, RIGHTS, AT)

    def told(number: int) -> str:
        (said,) = listed(asking, [after(started())] * number)
        assert isinstance(said.event, Notice)
        return said.event.text

    assert "There are more" not in told(20)
    assert told(21).count("•") == 20
    assert told(21).endswith("page.")


# --- what is noticed -------------------------------------------------------------------------------------------------


def test_a_context_that_fills_up_is_noticed_once_each_and_foretold() -> None:
    projection, noticed = Projection(0), []
    projection.take(started(), "s")
    for second in range(30):
        event = went_on(second, context_used=40_000 + second * 2_000)
        step = projection.take(event, f"e{second}")
        for more in following(event, step, f"e{second}"):
            assert isinstance(more.event, TaskJudged)
            noticed.append((second, more.event.judgement, more.event.text))
            projection.take(more.event, more.id)
    assert [(second, kind) for second, kind, _ in noticed] == [
        (2, "context_soon"),
        (15, "context_70"),
        (23, "context_85"),
    ]
    assert noticed[0][2] == "its context will reach 85% in about 20 s, if it goes on like this"
    calm = projection.take(went_on(40, context_used=1_000), "calm").after
    assert calm is not None
    assert calm.warned == ()


def test_the_end_of_a_silence_is_told_however_it_is_heard() -> None:
    projection = Projection(0)
    silence = done(TaskJudged, 60, judgement="silent", text="silence")
    for number, event in enumerate((started(worker="build-1:7"), went_on(), silence)):
        projection.take(event, f"e{number}")
    report = went_on(90)
    (heard,) = following(report, projection.take(report, "report"), "report")
    assert isinstance(heard.event, TaskJudged)
    assert (heard.event.judgement, heard.event.text) == ("heard_again", "there is a sign of life of build-1:7 again")
    told = projection.take(heard.event, heard.id).after
    assert told is not None
    assert [each.judgement for each in told.judgements] == ["silent", "heard_again"]
    twice = done(TaskJudged, 91, judgement="heard_again", text="by its sign of life, too")
    assert projection.take(twice, "twice").after is told
    more = went_on(92)
    assert list(following(more, projection.take(more, "more"), "more")) == []
    over = said(TaskEnded, 99, status="complete")
    silent = projection.take(done(TaskJudged, 95, judgement="silent", text="again"), "again")
    assert silent.after is not None
    assert silent.after.status == "stalled"
    assert list(following(over, projection.take(over, "over"), "over")) == [], "its end says enough"


def test_silence_is_noticed_by_how_often_a_program_says_that_it_lives() -> None:
    beating, mute = after(started(heartbeat_s=10.0, worker="build-1:7"), went_on()), after(started(), went_on())
    for task, quiet_s, silent_s in ((beating, 29, 31), (mute, 899, 901)):
        heard = task.received_at
        assert judging.of_silence(task, heard, heard + timedelta(seconds=quiet_s)) is None
        found = judging.of_silence(task, heard, heard + timedelta(seconds=silent_s))
        assert found is not None
        assert found.judgement == "silent"
        silent = fold(task, found, "x")
        assert silent is not None
        assert silent.status == "stalled"
        again = judging.of_silence(silent, heard + timedelta(seconds=silent_s), heard + timedelta(seconds=silent_s))
        assert again is not None
        heard_of = fold(silent, again, "y")
        assert heard_of is not None
        assert (heard_of.status, heard_of.judgements[-1].judgement) == ("working", "heard_again")
    waits = fold(mute, asked(), "w")
    assert waits is not None
    assert judging.of_silence(waits, AT, AT + timedelta(days=1)) is None
    assert judging.of_silence(after(started(), said(TaskEnded, 1, status="error")), AT, AT + timedelta(days=9)) is None


PAST = Past(steps=100, step_s=20.0, grown=2_000.0, errors=0.05)


def kinds_of(task: Task, past: Past = PAST, after_s: float = 0) -> list[str]:
    now = task.received_at + timedelta(seconds=after_s)
    return [each.judgement for each in judging.of_past(task, past, now)]


def test_what_is_unusual_for_an_agent_is_noticed() -> None:
    task = after(started(), went_on(context_used=1_000))
    assert kinds_of(task, after_s=60) == []
    assert kinds_of(task, after_s=61) == ["slow_step"]
    (slow,) = judging.of_past(task, PAST, task.received_at + timedelta(seconds=90))
    assert slow.text == "this step takes 90 s so far; 95% of its agent's steps took at most 20 s"
    noticed = fold(task, slow, "n")
    assert noticed is not None
    assert kinds_of(noticed, after_s=99) == [], "once"
    assert kinds_of(after(started(), went_on(), slow, went_on(5)), after_s=61) == ["slow_step"], "until the next step"
    assert kinds_of(task, replace(PAST, steps=19), 999) == [], "little is known of it"
    jump = after(started(), went_on(context_used=1_000), went_on(2, context_used=7_001))
    assert kinds_of(jump) == ["token_jump"]
    failing = after(started(), *(went_on(level="error" if each % 2 else "info") for each in range(6)))
    assert kinds_of(failing) == ["many_errors"]
    assert kinds_of(failing, replace(PAST, errors=0.4)) == [], "it is always so"
    assert kinds_of(after(started(), went_on(), asked()), after_s=999) == [], "it waits for somebody"


def test_budgets_warn_and_end() -> None:
    task, budgets = after(started(), went_on()), Budgets(each_agent=10.0, all_agents=30.0)

    def what(spent: dict[str, float], of: Task = task) -> list[str]:
        found: list[Any] = [each.event for each in judge(of, budgets, spent, AT)]
        return [each.judgement if isinstance(each, TaskJudged) else each.type for each in found]

    assert what({"deployer": 7.99, "others": 10}) == []
    assert what({"deployer": 8.0}) == ["budget_80"]
    assert what({"deployer": 10.0}) == ["budget_spent", "task.intervention"]
    assert what({"deployer": 1.0, "others": 29.0}) == ["budget_spent", "task.intervention"]
    ended: list[Any] = [each.event for each in judge(task, budgets, {"deployer": 11.0}, AT)]
    told = after(started(), went_on(), *ended)
    assert what({"deployer": 12.0}, told) == []
    assert "`budget` wants the task to end" in "".join(each.text for each in posts_of(told))


def test_health_is_made_of_parts_that_say_what_is_wrong() -> None:
    assert (health_of(after(started(), went_on()), AT).score, health_of(after(started(), went_on()), AT).words) == (
        100,
        "",
    )
    full = after(started(), went_on(context_used=75_000), done(TaskJudged, 60, judgement="silent", text="x"))
    health = health_of(full, AT)
    assert (health.score, health.sign) == (60, "🟡")
    assert health.words == "nothing is heard of it, 75% of its context is used"
    assert health_of(after(started(), went_on(status="error")), AT).score == 75
    waits = after(started(), went_on(), asked())
    assert health_of(waits, AT + timedelta(minutes=12)).words == "somebody lets it wait for 12 min"


# --- who may decide --------------------------------------------------------------------------------------------------


def answer(by: str = "UANNA", what: str = "approve", **more: Any) -> Answer:
    facts: dict[str, Any] = {"by": by, "arguments_hash": HASH, "answer": what, "reason": None, "via": "slack", "at": AT}
    return Answer(**{**facts, **more})


@pytest.mark.parametrize(
    ("given_answer", "rights", "what"),
    [
        (answer(), RIGHTS, "approved"),
        (answer(what="reject", reason="no"), RIGHTS, "rejected"),
        (answer(by="UBEN"), RIGHTS, "may_not"),
        (answer(by="UBEN"), replace(RIGHTS, anyone_may_approve=True), "approved"),
        (answer(by="USELF"), replace(RIGHTS, anyone_may_approve=True), "own_task"),
        (answer(by="USELF", what="reject"), replace(RIGHTS, anyone_may_approve=True), "rejected"),
        (answer(by="USELF"), replace(RIGHTS, anyone_may_approve=True, self_approval=True), "approved"),
        (answer(arguments_hash="other"), RIGHTS, "other_arguments"),
        (answer(at=AT + timedelta(hours=2)), RIGHTS, "expired"),
        (answer(what="choose 0"), RIGHTS, "not_a_choice"),
    ],
)
def test_who_may_decide_and_what_that_is(given_answer: Answer, rights: Rights, what: str) -> None:
    task = after(started(started_by="USELF"), asked())
    made = deciding.decide(task, only(task), given_answer, rights)
    assert (made.fault if isinstance(made, ApprovalAttempted) else made.outcome) == what


def test_choices_and_questions() -> None:
    task = after(started(), asked(kind="choice", choices=("eu", "us")))
    made = deciding.decide(task, only(task), answer(what="choose 1"), RIGHTS)
    assert isinstance(made, ApprovalDecided)
    assert (made.outcome, made.answer) == ("chosen", "us")
    for wrong in ("choose 2", "choose -1", "choose", "approve", "choose ²"):
        assert isinstance(deciding.decide(task, only(task), answer(what=wrong), RIGHTS), ApprovalAttempted)
    question = after(started(), asked(kind="question"))
    own = after(started(started_by="UANNA"), asked(kind="question"))
    assert isinstance(deciding.decide(own, only(own), answer(what="answer", reason="x"), RIGHTS), ApprovalDecided)
    made = deciding.decide(question, only(question), answer(what="answer", reason=" in eu "), RIGHTS)
    assert isinstance(made, ApprovalDecided)
    assert (made.outcome, made.answer, made.reason) == ("answered", "in eu", None)
    assert isinstance(deciding.decide(question, only(question), answer(what="answer"), RIGHTS), ApprovalAttempted)


# --- what is said ----------------------------------------------------------------------------------------------------


def posts(*events: AgentEvent) -> dict[str, Post]:
    return {each.name: each for each in posts_of(after(*events))}


def test_an_approval_is_shown_in_full_and_nothing_in_it_hides() -> None:
    post = posts(started(), asked())["threadline:approval:ap1"]
    shown = str(post.blocks)
    assert "\\\\u202e" in shown
    assert "```<!channel>" in shown, "it stands as it is, in a block that reads no markup"
    assert f"ap1:{HASH}:approve" in shown
    assert "reject:ap1" in shown
    over = posts(started(), asked(), decided("UANNA"))["threadline:approval:ap1"]
    assert "actions" not in [each["type"] for each in over.blocks]
    assert "<@UANNA>" in str(over.blocks)


def test_a_form_begins_with_what_was_typed() -> None:
    approval = only(after(started(), asked()))
    assert "'initial_value': 'it is Friday'" in str(form(approval, "reject", "deployer", "it is Friday"))
    assert "initial_value" not in str(form(approval, "reject", "deployer", ""))


def test_no_program_may_name_a_message_as_a_post_is_named() -> None:
    told = posts(
        started(),
        asked(),
        done(Intervention, 4, action="pause", by_user="UANNA"),
        done(TaskJudged, 60, judgement="silent", text="silence"),
        said(TaskEnded, 61, status="complete"),
    )
    kinds = [name.removeprefix(PREFIX).partition("1/")[2].partition(":")[0] for name in told]
    assert kinds == ["", "", "noticed", "order", "end"]
    for name, post in told.items():
        names = {"post_id": name, "thread_of": post.thread_of, "key": f"{name}@7"}
        assert all(reserved_in({field: each}, None) == field for field, each in names.items() if each is not None)


def test_nothing_that_a_program_says_is_markup() -> None:
    evil = "<!channel> <@U1> *x* <https://e.com|ok>"
    found = posts(
        started(task_name=evil, repo_scope=evil),
        went_on(action=evil, step=evil),
        asked(action=evil, kind="choice", choices=(evil[:75],)),
        said(TaskArtifact, 3, artifact="link", title=evil, link="https://example.com/"),
        said(TaskEnded, 4, status="error", summary=evil),
    )
    for post in found.values():
        marked = [*_mrkdwn(post.blocks), post.text]
        assert not [text for text in marked if "<!channel>" in text or "<@U1>" in text or "|ok>" in text]


def _mrkdwn(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["text"]] if value.get("type") == "mrkdwn" else []
        return own + [text for each in value.values() for text in _mrkdwn(each)]
    return [text for each in value for text in _mrkdwn(each)] if isinstance(value, list) else []


def test_what_changed_is_said_at_once_and_what_goes_on_now_and_then() -> None:
    task, every = after(started()), timedelta(seconds=30)
    rhythm = Rhythm(every, timedelta(seconds=60))
    (head,) = due(posts_of(task), {}, AT, rhythm)
    assert (head.at, head.urgency) == (AT, Urgency.CHANGED)
    told = {head.post.name: Told(head.post.digest, AT, head.post.standing)}
    assert due(posts_of(task), told, AT, rhythm) == []
    working = after(started(), went_on())
    assert [each.at for each in due(posts_of(working), told, AT, rhythm)] == [AT], "another status"
    (head,) = due(posts_of(working), told, AT, rhythm)
    told = {head.post.name: Told(head.post.digest, AT, head.post.standing)}
    more = after(started(), went_on(), went_on(action="more"))
    assert [each.at for each in due(posts_of(more), told, AT, rhythm)] == [AT + every]
    ending = after(started(), went_on(), done(Intervention, 4, action="cancel", by_user="UANNA"))
    assert due(posts_of(ending), told, AT, rhythm)[0].at == AT, "its button goes, and who wants it to end is told"
    (one, other) = asked(), asked(approval_id="ap2", request_id="more")
    told_one = {each.name: Told(each.digest, AT, each.standing) for each in posts_of(after(started(), one))}
    assert due(posts_of(after(started(), one, other)), told_one, AT, rhythm)[0].at == AT, "it waits for more"
    waits = after(started(), went_on(), asked())
    urgent = [each.urgency for each in due(posts_of(waits), told, AT, rhythm)]
    assert urgent == [Urgency.CHANGED, Urgency.WAITS_FOR_SOMEBODY]
    assert [each.post.thread_of for each in due(posts_of(waits), {}, AT, rhythm)] == [None], (
        "no thread without its head"
    )


def test_what_slack_does_not_take_is_said_again_while_the_task_goes_on() -> None:
    rhythm, task, answers = Rhythm(timedelta(seconds=30), timedelta(minutes=1)), after(started(), asked()), Answers()
    head, request = posts_of(task)
    told = {each.name: Told(each.digest, AT, each.standing, each.name) for each in (head, request)}
    key = task.tenant_id, task.task_id
    effect = EffectOf(
        effect_id="e",
        command_id=head.name,
        tenant_id="acme",
        connection="A1:T1",
        team_id="T1",
        channel_id="C1",
        post_id=head.name,
        method="chat.postMessage",
        purpose="message",
    )
    of_request = effect.model_copy(update={"command_id": request.name, "post_id": request.name, "thread_of": head.name})
    for each in (effect, of_request):
        assert answers.take(EffectFailed(at=AT, effect=each, error="not_in_channel")) == key
    assert answers.settle(key, told) == {head.name: "not_in_channel", request.name: "not_in_channel"}
    assert answers.settle(key, told) == {}, "it is told once"
    again = [(each.post.name, each.at) for each in due([head, request], told, AT, rhythm)]
    assert again == [(head.name, AT + timedelta(minutes=1))], "nothing in a thread whose head does not stand"
    later = [rhythm.again_after(number) / timedelta(minutes=1) for number in range(1, 9)]
    assert later == [1, 2, 5, 10, 20, 30, 30, 30]
    answers.take(EffectConfirmed(at=AT, effect=effect, message_ts="1.0"))
    answers.settle(key, told)
    assert [each.post.name for each in due([head, request], told, AT, rhythm)] == [request.name]
    told[request.name] = replace(told[request.name], message="another try")
    assert answers.settle(key, told | {request.name: replace(told[request.name], refusals=0)}) == {}, "an old answer"
    over = list(posts_of(after(started(), asked(), said(TaskEnded, 5, status="complete"))))
    ended = {each.name: Told(each.digest, AT, each.standing, each.name, 1, AT) for each in over}
    assert due(over, ended, AT, rhythm) == []


def test_a_tenant_that_reports_too_much_waits_and_takes_no_room_from_another() -> None:
    pace = Pace(per_s=50.0)
    assert [pace.wait_s("acme", 100, 0.0) for _ in range(3)] == [0.0, 0.0, 2.0]
    assert pace.wait_s("globex", 100, 0.0) == 0.0
    assert pace.wait_s("acme", 100, 1.0) == 1.0, "what led to nothing took nothing"
    assert pace.wait_s("acme", 100, 2.0) == 0.0
    assert Pace(per_s=1.0).wait_s("acme", 100, 0.0) == 0.0, "one request always fits"


def test_small_things() -> None:
    assert (bar(0), bar(0.44), bar(1)) == ("░" * 10 + " 0%", "▓▓▓▓░░░░░░ 44%", "▓" * 10 + " 100%")
    assert (lasted(-5), lasted(59.9), lasted(61), lasted(7300)) == ("0 s", "59 s", "1 min 1 s", "2 h 1 min")
    assert revealed("a\u202eb\u200bc\nd") == "a\\u202eb\\u200bc\nd"


# --- what programs send ----------------------------------------------------------------------------------------------

SOURCE = wire.From("acme", "tok", HOME, AT)
ASKS = {
    "type": "approval.requested",
    "at": "2026-03-02T09:15:00Z",
    "task_id": "t1",
    "agent_id": "d",
    "approval_id": "mine",
    "action": "deploy",
    "arguments": {"version": 4},
    "expires_at": "2026-03-02T10:15:00Z",
}
RAW = {"id": "e1", "type": "task.checkpoint", "at": "2026-03-02T09:15:00Z", "task_id": "t1", "agent_id": "d"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"progress": 1.5},
        {"progress": "x"},
        {"action": ""},
        {"status": "complete"},
        {"more": 1},
        {"cost_usd": -1},
        {"cost_usd": float("nan")},
        {"at": "2026-03-02T09:15:00"},
        {"task_id": "a b"},
        {"details": {"x": "y" * 5000}},
        {"details": {"x": "\ud800"}},
        {"type": "approval.decided"},
        {"id": None},
        {"at": "0001-01-01T00:00:00+05:00"},
        {"at": "9999-12-31T23:59:59-05:00"},
    ],
)
def test_what_is_wrong_is_refused_by_name_and_never_quoted(wrong: dict[str, Any]) -> None:
    with pytest.raises(wire.WrongEvent) as caught:
        wire.to_log(wire.read({**RAW, "action": "secret-word", **wrong}), SOURCE)
    assert "secret-word" not in str(caught.value)
    assert "yyyy" not in str(caught.value)


def test_what_is_right_becomes_an_event_of_the_log() -> None:
    details = {"confidence": 0.9}
    event, name = wire.to_log(wire.read({**RAW, "action": "a\x00b\u202e", "details": details}), SOURCE)
    assert isinstance(event, TaskCheckpoint)
    assert (event.action, event.details_json) == ("a�b�", '{"confidence":0.9}')
    assert name == ids.task_record_id("acme", "t1", "e1")
    later, _ = wire.to_log(wire.read({**RAW, "action": "x", "at": "2199-01-01T00:00:00Z"}), SOURCE)
    assert later.at == AT, "no program is ahead of us"
    spaced, _ = wire.to_log(wire.read({**RAW, "action": "東京\u3000デプロイ"}), SOURCE)
    assert isinstance(spaced, TaskCheckpoint)
    assert spaced.action == "東京\u3000デプロイ"
    for hidden in ("a\u202eb", "a\x00b", "   "):
        with pytest.raises(wire.WrongEvent):
            wire.read({**ASKS, "id": "e1", "action": hidden})


def test_however_deep_arguments_are_they_fit_a_message() -> None:
    value: Any = list(range(1500))
    for _ in range(100):
        value = [value]
    event, _ = wire.to_log(wire.read({**ASKS, "id": "e1", "arguments": {"deep": value}}), SOURCE)
    for post in posts(started(), event).values():
        assert len(post.blocks) <= 50
        assert len(json.dumps(post.blocks)) < 250_000


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda each: st.lists(each) | st.dictionaries(st.text(), each),
    )
)
def test_rubbish_is_refused(raw: Any) -> None:
    with pytest.raises(wire.WrongEvent):
        wire.read(raw)
