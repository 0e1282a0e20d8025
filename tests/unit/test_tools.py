"""What an agent may use: what people must allow, what is bound to what, and where they are asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, TypeAdapter

from schemas.agent import (
    AgentEvent,
    ApprovalDecided,
    ApprovalRequested,
    Intervention,
    Outcome,
    RunOver,
    RunWaitedOut,
    RunWaits,
    TaskEnded,
    TaskStarted,
    ToolsWanted,
    ToolWanted,
    WaitingRun,
)
from schemas.command import Place, RunRequested, RunResumed, ToolAnswer
from schemas.message import Channel, Message, Sender
from schemas.stop import StopMessage, StopRequested, StopRun, StopThread
from services.directory.patterns import valid_arguments, valid_url
from services.kit.secrets.signing import SIGNATURE, key_of, signed
from services.responder.decisions import words
from services.responder.decisions.prompting import Asked, Said
from services.responder.decisions.rehearsing import rehearse
from services.responder.decisions.tools import (
    LARGEST_ANSWER,
    LARGEST_ARGUMENTS,
    LEFT_OUT,
    LONGEST_RESULT,
    MOST_AT_ONCE,
    NO_OBJECT,
    NOBODY_DECIDED,
    NOT_ASKED,
    NOT_THERE,
    OTHER_ARGUMENTS,
    TOO_MANY,
    Ruled,
    ToolCall,
    ToolResult,
    ToolShown,
    Turn,
    arguments_of,
    as_text,
    cut,
    effect_id_of,
    hash_of,
    hindrance,
    to_be_allowed,
    unique,
)
from services.responder.decisions.waiting import LARGEST, Waiting, Whose, fitting, home_of, outcomes
from services.supervisor.decisions import judging
from services.supervisor.decisions.folding import fold
from services.supervisor.decisions.posts import Post, posts_of
from services.supervisor.decisions.projecting import Step
from services.supervisor.decisions.runs import LATE, following_run, over, stopped, waited_out, waits
from services.supervisor.decisions.task import Task

AT = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
RULES = {"refund": Ruled("refund", needs_approval=True), "look_up": Ruled("look_up", needs_approval=False)}
REFUND = ToolCall("c1", "refund", '{"order": "7"}')
PLACE = Place(tenant_id="acme", connection="A1:T1", team_id="T1", channel_id="C1", thread_ts="5.5")
REQUEST = RunRequested(
    at=AT,
    run_id="run-1",
    cause="message:C1:5.5",
    event_id="A1:Ev1",
    place=PLACE,
    trigger="mention",
    agent_id="mara",
    message=Message(
        id="5.5",
        tenant_id="acme",
        channel=Channel(id="C1", kind="channel"),
        sender=Sender(id="UBEN"),
        content="pay it back",
        timestamp=AT,
    ),
    directory_revision=7,
    received_at=AT,
)


def answer(outcome: Any, **more: Any) -> ToolAnswer:
    return ToolAnswer(
        call_id="c1",
        arguments_hash=more.pop("arguments_hash", hash_of("refund", {"order": "7"})),
        outcome=outcome,
        decided_by="UANNA",
        **more,
    )


def test_only_what_needs_leave_and_can_be_done_is_asked_for() -> None:
    calls = [REFUND, ToolCall("c2", "look_up", "{}"), ToolCall("c3", "refund", "[]"), ToolCall("c4", "launch", "{}")]
    assert to_be_allowed(calls, RULES) == [REFUND]
    many = [replace(REFUND, call_id=f"c{number}") for number in range(MOST_AT_ONCE + 5)]
    assert len(to_be_allowed(many, RULES)) == MOST_AT_ONCE


@pytest.mark.parametrize(
    ("call", "number", "answers", "told"),
    [
        (REFUND, 0, [answer("approved")], None),
        (REFUND, 0, [answer("rejected", reason="no receipt")], "Nothing was done: a person said no: no receipt"),
        (REFUND, 0, [answer("expired")], NOBODY_DECIDED),
        (REFUND, 0, [answer("approved", arguments_hash="another")], OTHER_ARGUMENTS),
        (replace(REFUND, arguments_json='{"order": "8"}'), 0, [answer("approved")], OTHER_ARGUMENTS),
        (REFUND, 0, [], NOT_ASKED),
        (REFUND, MOST_AT_ONCE, [answer("approved")], TOO_MANY),
        (ToolCall("c1", "look_up", "{}"), 0, [], None),
        (ToolCall("c1", "look_up", '{"n": NaN}'), 0, [], NO_OBJECT),
        (ToolCall("c1", "look_up", '{"n": "\\ud800"}'), 0, [], NO_OBJECT),
        (ToolCall("c1", "launch", "{}"), 0, [], NOT_THERE),
    ],
)
def test_why_a_tool_is_not_used(call: ToolCall, number: int, answers: list[ToolAnswer], told: str | None) -> None:
    assert hindrance(call, number, RULES, answers) == told


@given(st.text(max_size=40))
def test_arguments_are_an_object_or_nothing(text: str) -> None:
    found = arguments_of(ToolCall("c", "refund", text))
    assert found is None or isinstance(found, dict)
    assert arguments_of(ToolCall("c", "refund", "")) == {}
    assert arguments_of(ToolCall("c", "refund", f'{{"a": "{"x" * LARGEST_ARGUMENTS}"}}')) is None


def test_arguments_are_measured_as_they_are_sent() -> None:
    fits = "😀" * (LARGEST_ARGUMENTS // 4 - 10)
    assert arguments_of(ToolCall("c", "refund", f'{{"a": "{fits}"}}')) == {"a": fits}
    assert arguments_of(ToolCall("c", "refund", f'{{"a": "{fits}{"😀" * 10}"}}')) is None


def test_an_answer_that_breaks_off_in_the_middle_of_a_letter_is_text_all_the_same() -> None:
    assert as_text(b" done \xf0\x9f\x98") == "done \ufffd"
    assert as_text(b"a\0b\xff") == "a\ufffdb\ufffd"
    too_much = as_text(b"x" + "😀".encode() * LARGEST_ANSWER)
    assert too_much.startswith("x😀")
    assert too_much.endswith("😀\ufffd")
    assert len(too_much) == LARGEST_ANSWER // 4 + 1


def test_a_model_is_told_so_much_of_an_answer_and_that_there_is_more() -> None:
    most = "😀" * LONGEST_RESULT
    assert cut(most) == most
    assert cut(f"{most}x") == f"{most}\n{LEFT_OUT}"


def test_how_a_run_ends_in_the_middle_claims_nothing_of_its_tools() -> None:
    stopped_in_between = words.stopped("UBEN", has_begun=True, using="refund")
    assert "`refund`: nobody knows whether that was done" in stopped_in_between
    for said in (stopped_in_between, words.TOO_MUCH_TO_KEEP, words.TOO_MANY_TURNS):
        assert "nothing was done" not in said.lower()
    assert "stands" in words.TOO_MUCH_TO_KEEP
    assert "stands" in words.TOO_MANY_TURNS


def test_what_nobody_was_asked_nobody_decided() -> None:
    other = replace(REFUND, call_id="c2", arguments_json='{"order": "8"}')
    found = outcomes((REFUND, other), [answer("approved")])
    assert [(each.call_id, each.outcome, each.decided_by) for each in found] == [
        ("c1", "approved", "UANNA"),
        ("c2", "expired", None),
    ]
    assert [hindrance(each, 0, RULES, found) for each in (REFUND, other)] == [None, NOBODY_DECIDED]


def test_the_same_call_of_a_run_has_the_same_name_and_the_next_another() -> None:
    again = replace(REFUND, call_id="c9", arguments_json='{ "order":"7"}')
    first = effect_id_of("run-1", REFUND, [], [])
    assert effect_id_of("run-1", again, [], []) == first
    assert effect_id_of("run-1", again, [Turn("", (REFUND,))], []) != first
    assert effect_id_of("run-1", again, [], [REFUND]) != first
    assert effect_id_of("run-2", REFUND, [], []) != first


def test_every_call_has_an_id_of_its_own() -> None:
    calls = unique([ToolCall("", "a", "{}"), ToolCall("", "b", "{}"), ToolCall("x", "c", "{}"), ToolCall("x", "d", "")])
    assert len({each.call_id for each in calls}) == 4
    assert [each.tool for each in calls] == ["a", "b", "c", "d"]
    (strange,) = unique([ToolCall("x\0y", "a", "{}")])
    assert strange.call_id == "call_0"


def test_where_people_are_asked() -> None:
    theirs, own = Whose("#agents", may_decide_oneself=False), Whose("#agents", may_decide_oneself=True)
    assert (home_of(PLACE, "6.6", theirs).channel, home_of(PLACE, "6.6", theirs).thread_ts) == ("C1", "5.5")
    direct = PLACE.model_copy(update={"channel_id": "D1", "thread_ts": None})
    assert (home_of(direct, "6.6", theirs).channel, home_of(direct, "6.6", theirs).thread_ts) == ("#agents", None)
    assert (home_of(direct, "6.6", own).channel, home_of(direct, "6.6", own).thread_ts) == ("D1", "6.6")
    nowhere = PLACE.model_copy(update={"channel_id": None, "thread_ts": None})
    assert home_of(nowhere, None, own).channel == "#agents"


def waiting(history: int = 3) -> Waiting:
    asked = Asked(
        "system",
        tuple(Said("person", f"said {number}", "UBEN", f"{number}.0") for number in range(history)),
        "question",
        (ToolShown("refund", "Pays back", {"type": "object", "properties": {"order": {"enum": ["7", 8, None]}}}),),
        (Turn("first", (ToolCall("c0", "look_up", "{}"),), (ToolResult("c0", "look_up", "there"),)),),
    )
    return Waiting(1, REQUEST, asked, Turn("I will", (REFUND,)), (REFUND,), "I will", None, AT)


def test_what_waits_is_kept_whole_and_read_again() -> None:
    kept: TypeAdapter[Waiting] = TypeAdapter(Waiting)
    now = replace(waiting(), reply_ts="6.6", posted=("6.6", "7.7"))
    assert kept.validate_json(kept.dump_json(now)) == now
    of_before = kept.dump_json(now, exclude={"reply_ts", "posted"})
    assert kept.validate_json(of_before) == waiting()
    assert fitting(waiting(), LARGEST) == waiting()
    smaller = fitting(waiting(), LARGEST + 1)
    assert smaller is not None
    assert [said.text for said in smaller.asked.history] == ["said 2"]
    assert fitting(waiting(0), LARGEST + 1) is None


def test_the_built_in_model_uses_what_it_is_told_to_use() -> None:
    shown = (ToolShown("refund", "", {}),)
    said = rehearse(Asked("Your name is Mara.", (), '<@U1>: use refund with {"order": "7"}', shown))
    assert [(each.tool, each.arguments_json) for each in said.calls] == [("refund", '{"order": "7"}')]
    assert rehearse(Asked("Your name is Mara.", (), "<@U1>: use launch", shown)).calls == ()


def test_each_tenant_has_a_key_of_its_own() -> None:
    operators = SecretStr("a key of the operator")
    acme, globex = key_of(operators, "acme"), key_of(operators, "globex")
    assert signed(acme, b"{}", AT)[SIGNATURE] != signed(globex, b"{}", AT)[SIGNATURE]
    assert signed(acme, b"{}", AT) == signed(key_of(operators, "acme"), b"{}", AT)
    assert signed(acme, b"{}", AT)[SIGNATURE] != signed(acme, b"{}", AT + timedelta(seconds=1))[SIGNATURE]


@pytest.mark.parametrize("url", ["tools", "ftp://a/b", "https://", "https://a b/c", "https://me:word@a/b", "http://[x"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|secret"):
        valid_url(url)


@pytest.mark.parametrize("schema", [{}, {"type": "array"}, {"type": "object", "properties": []}])
def test_arguments_that_are_no_object(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="JSON Schema"):
        valid_arguments(schema)


RUN = WaitingRun(place=PLACE, key="T1:C1:5.5", asked_by="UBEN", asked_at=AT, messages=("5.5", "6.6"), round=1, asks=2)


def wanted(round_: int = 1, number_of: int = 2) -> ToolsWanted:
    asks = [(f"c{number}", {"order": str(number)}) for number in range(1, number_of + 1)]
    return ToolsWanted(
        at=AT,
        run_id="run-1",
        agent_id="mara",
        home=home_of(PLACE, "6.6", Whose("#agents", may_decide_oneself=False)),
        task_name="pay it back",
        run=RUN.model_copy(update={"round": round_, "asks": number_of}),
        wanted=tuple(
            ToolWanted(
                call_id=name,
                action="Use the tool refund",
                arguments_json=f'{{"order":"{arguments["order"]}"}}',
                arguments_hash=hash_of("refund", arguments),
            )
            for name, arguments in asks
        ),
        expires_at=AT + timedelta(hours=1),
    )


class Folding:
    """A run's task, and what followed from each event."""

    def __init__(self) -> None:
        self.task: Task | None = None
        self.followed: list[Any] = []

    def take(self, event: AgentEvent, name: str = "e") -> None:
        before, self.task = self.task, fold(self.task, event, name)
        if isinstance(event, ApprovalDecided | Intervention | RunWaits | RunWaitedOut):
            self.followed += following_run(event, Step(before, self.task))

    def status(self) -> str:
        assert self.task is not None
        return self.task.status

    def posts(self) -> list[Post]:
        assert self.task is not None
        return list(posts_of(self.task))

    def wait(self, round_: int = 1, number_of: int = 2) -> None:
        for each in waits(wanted(round_, number_of)):
            self.take(each.event, each.id)  # type: ignore[arg-type] # they are its events

    def decide(self, number: int, outcome: Outcome, by: str | None = "UANNA") -> None:
        assert self.task is not None
        approval = self.task.approvals[number]
        self.take(
            ApprovalDecided(
                at=AT,
                task_id="run-1",
                tenant_id="acme",
                agent_id="mara",
                approval_id=approval.approval_id,
                arguments_hash=approval.arguments_hash,
                outcome=outcome,
                decided_by=by,
                via="slack" if by else "clock",
            )
        )

    def cancel(self) -> None:
        self.take(
            Intervention(at=AT, task_id="run-1", tenant_id="acme", agent_id="mara", action="cancel", by_user="UBEN")
        )


def test_a_run_goes_on_when_all_is_decided_and_not_before() -> None:
    run = Folding()
    run.wait()
    assert run.status() == "waiting_for_approval"
    assert [each.thread_of for each in run.posts()] == [None, None]
    run.decide(0, "approved")
    assert run.followed == []
    run.decide(1, "expired", by=None)
    (follows,) = run.followed
    resumed = follows.event
    assert isinstance(resumed, RunResumed)
    assert (follows.key, resumed.round, resumed.cancelled_by) == ("T1:C1:5.5", 1, None)
    assert [(each.call_id, each.outcome, each.decided_by) for each in resumed.answers] == [
        ("c1", "approved", "UANNA"),
        ("c2", "expired", None),
    ]
    run.decide(0, "rejected")
    assert len(run.followed) == 1
    run.wait()
    assert run.status() == "working"
    run.wait(2)
    assert run.status() == "waiting_for_approval"


def test_a_run_may_ask_for_as_much_at_once_as_its_model_wants() -> None:
    run = Folding()
    run.wait()
    for number in (0, 1):
        run.decide(number, "approved")
    run.wait(2, 30)
    assert len(run.posts()) == 32
    for _ in range(30):
        assert len(run.followed) == 1, "it waits for all of them"
        assert run.task is not None
        run.decide(next(place for place, each in enumerate(run.task.approvals) if each.is_open), "approved")
    resumed = run.followed[-1].event
    assert isinstance(resumed, RunResumed)
    assert [each.outcome for each in resumed.answers] == ["approved"] * 30


def test_a_stop_ends_what_waits_and_later_what_goes_on() -> None:
    run = Folding()
    run.wait()
    run.cancel()
    (resumed,) = [each.event for each in run.followed]
    assert (resumed.cancelled_by, resumed.answers) == ("UBEN", ())
    assert run.task is not None
    assert [each.state for each in run.task.approvals] == ["withdrawn", "withdrawn"]
    going = Folding()
    going.wait()
    for number in (0, 1):
        going.decide(number, "approved")
    going.cancel()
    stop = going.followed[-1].event
    assert isinstance(stop, StopRequested)
    assert (stop.source, stop.target) == ("supervisor", StopRun(run_id="run-1"))


def test_a_run_that_was_ended_between_two_times_of_waiting_asks_nobody() -> None:
    run = Folding()
    run.wait()
    for number in (0, 1):
        run.decide(number, "approved")
    run.cancel()
    run.wait(2)
    resumed = run.followed[-1].event
    assert isinstance(resumed, RunResumed)
    assert (resumed.round, resumed.cancelled_by) == (2, "UBEN")
    assert run.status() == "working"


def test_a_run_is_ended_before_all_that_it_wants_was_asked() -> None:
    run = Folding()
    first, *rest = waits(wanted())
    run.take(first.event, first.id)  # type: ignore[arg-type] # likewise
    run.cancel()
    (resumed,) = [each.event for each in run.followed]
    assert (resumed.cancelled_by, resumed.round) == ("UBEN", 1)
    for each in rest:
        run.take(each.event, each.id)  # type: ignore[arg-type] # likewise
    assert run.status() == "working"


def test_a_run_that_was_asked_in_words_that_no_table_takes_waits_all_the_same() -> None:
    strange = wanted().model_copy(update={"task_name": "pay \0 it back"})
    first, *_ = waits(strange)
    assert isinstance(first.event, RunWaits)
    assert first.event.task_name == "pay \ufffd it back"


@pytest.mark.parametrize("came", [0, 1])
def test_a_run_does_not_wait_for_what_is_never_asked(came: int) -> None:
    run = Folding()
    for each in list(waits(wanted()))[: 1 + came]:
        run.take(each.event, each.id)  # type: ignore[arg-type] # likewise
    for number in range(came):
        run.decide(number, "approved")
    assert run.task is not None
    assert run.followed == []
    assert run.status() == "waiting_for_approval"
    over_at = AT + timedelta(hours=1) + LATE
    assert judging.of_silence(run.task, AT, over_at) is None
    assert waited_out(run.task, over_at - timedelta(seconds=1)) is None
    out = waited_out(run.task, over_at)
    assert out is not None
    run.take(out)
    (resumed,) = [each.event for each in run.followed]
    assert isinstance(resumed, RunResumed)
    assert (resumed.round, [each.call_id for each in resumed.answers]) == (1, ["c1", "c2"][:came])
    assert waited_out(run.task, over_at) is None
    run.take(out)
    late = list(waits(wanted()))[-1].event
    assert isinstance(late, ApprovalRequested)
    run.take(late)
    assert run.status() == "working"
    assert len(run.followed) == 1
    run.wait(2)
    run.take(out)
    assert run.status() == "waiting_for_approval"


def test_a_run_waits_for_what_is_asked_also_behind_its_time() -> None:
    run = Folding()
    run.wait()
    assert run.task is not None
    assert waited_out(run.task, AT + timedelta(days=1)) is None
    of_before = Folding()
    for each in list(waits(wanted()))[:2]:
        event = each.event.model_copy(update={"expires_at": None}) if isinstance(each.event, RunWaits) else each.event
        of_before.take(event, each.id)  # type: ignore[arg-type] # likewise
    assert of_before.task is not None
    out = waited_out(of_before.task, AT + timedelta(days=1))
    assert out is not None
    of_before.take(out)
    assert of_before.followed == []
    of_before.decide(0, "expired", by=None)
    assert len(of_before.followed) == 1


def test_what_a_program_said_under_a_runs_name_before_is_another_life() -> None:
    run = Folding()
    home = wanted().home
    told: dict[str, Any] = {
        "at": AT,
        "received_at": AT,
        "tenant_id": "acme",
        "task_id": "run-1",
        "agent_id": "forger",
        "home": home,
    }
    run.take(TaskStarted(**told, token_id="tok", task_name="mine", context_size=1, heartbeat_s=1.0))
    asked = next(each.event for each in waits(wanted()) if isinstance(each.event, ApprovalRequested))
    run.take(asked.model_copy(update={"token_id": "tok", "approval_id": "mine"}))
    run.decide(0, "approved")
    run.cancel()
    run.take(TaskEnded(**told, token_id="tok", status="complete"))
    assert run.followed == []
    run.wait()
    assert run.status() == "waiting_for_approval"
    assert run.task is not None
    assert (run.task.agent_id, run.task.life, run.task.heartbeat_s, len(run.task.approvals)) == ("mara", 1, None, 2)


def test_nobody_but_the_responder_speaks_of_a_run() -> None:
    run = Folding()
    run.wait()
    (end,) = over_events("complete")
    assert fold(None, end, "e") is None
    run.take(end.model_copy(update={"token_id": "a program's"}))
    assert run.task is not None
    assert not run.task.is_over
    run.take(end)
    assert run.task.is_over


def over_events(ended: Any) -> list[TaskEnded]:
    said = RunOver(at=AT, run_id="run-1", agent_id="mara", place=PLACE, ended=ended)
    return [each.event for each in over(said) if isinstance(each.event, TaskEnded)]


@pytest.mark.parametrize(
    ("target", "by", "anyone", "kinds"),
    [
        (StopRun(run_id="run-1"), "UBEN", False, ["task.intervention"]),
        (StopMessage(channel_id="C1", message_ts="6.6"), "UCARA", True, ["task.intervention"]),
        (StopThread(channel_id="C1", thread_ts="5.5"), "UCARA", False, ["notice.requested"]),
        (StopRun(run_id="run-2"), "UBEN", True, []),
        (StopMessage(channel_id="C1", message_ts="7.7"), "UBEN", True, []),
    ],
)
def test_who_may_stop_a_run_that_waits(target: Any, by: str, anyone: bool, kinds: list[str]) -> None:
    stop = StopRequested(
        at=AT + timedelta(seconds=5),
        stop_id="stop-1",
        cause="word:1",
        tenant_id="acme",
        connection="A1:T1",
        target=target,
        source="word",
        asked_by=by,
        may_stop_anyone=anyone,
        directory_revision=1,
    )
    found = [each.event for each in stopped(stop, [("run-1", "mara", RUN)])]
    assert [getattr(each, "type", "") for each in found] == kinds
