"""What becomes of each kind of envelope."""

import re
from typing import Any

import pytest

from schemas.agent import ApprovalAnswered, TaskCommanded
from schemas.buttons import APPROVAL, ASK, FEEDBACK, RETRY, STOP, TASK, WHY
from schemas.command import EmojiRequested, FeedbackGiven, Notice, RetryAsked, RunRequested, WhyAsked
from schemas.decision import Control, Dispatched, Duplicate, Ignored, Interaction, Throttled
from schemas.ids import run_id
from schemas.reaction import ReactionMatch, ReactionSkip
from schemas.run import RunState
from schemas.stop import StopMessage, StopRequested, StopRun, StopThread, StopUser
from services.directory.document import Connection, TenantFacts
from services.router.adapters.tenants import tenant_of
from services.router.decisions.facts import Agent, Limit, Rule
from services.router.decisions.normalize import Malformed
from tests.deciding import ACME, MARA, Deciding, Told, message

RUN = "8a6e0804-2bd0-5672-b79d-d97027f9071a"


@pytest.fixture
def router() -> Deciding:
    return Deciding()


def why(told: Told) -> str:
    assert isinstance(told.decision, Ignored)
    return told.decision.reason


def run_of(told: Told) -> RunRequested:
    command: RunRequested = told.only(RunRequested)
    return command


# --- runs ------------------------------------------------------------------------------------------------------------


def test_a_mention_starts_a_run_in_its_thread(router: Deciding) -> None:
    told = router.mention("<@UBOT> reset &lt;my&gt; password", ts="1772442900.000100", client_msg_id="m1")
    command = run_of(told)
    assert told.types() == ["RunRequested", "RunState"]
    assert command.run_id == run_id("A1:T1", "message:C1:1772442900.000100")
    assert (command.trigger, command.agent_id, command.message.content) == ("mention", "mara", "reset <my> password")
    assert (command.place.team_id, command.place.channel_id, command.place.thread_ts) == (
        *("T1", "C1", "1772442900.000100"),
    )
    assert [each.topic.name for each in told.sent] == ["runs.commands", "audit.runs", "audit.decisions"]
    assert {each.key for each in told.sent[:2]} == {"T1:C1:1772442900.000100"}
    started: RunState = told.only(RunState)
    assert (started.state, started.origin, started.session) == ("start", "channel", "T1:C1:1772442900.000100")
    assert isinstance(told.decision, Dispatched)
    assert told.decision.aliases == ("client_msg:C1:m1",)
    assert len({each.id for each in told.sent}) == len(told.sent)


@pytest.mark.parametrize("first", ["app_mention", "message"])
def test_the_two_halves_of_a_mention_are_one_run(router: Deciding, first: str) -> None:
    halves = {"app_mention": router.mention, "message": router.message}
    second = next(name for name in halves if name != first)
    one = halves[first]("<@UBOT> hello", ts="5.000001")
    other = halves[second]("<@UBOT> hello", ts="5.000001")
    assert (one.kind, other.kind) == ("dispatched", "duplicate")
    assert isinstance(other.decision, Duplicate)
    assert (other.decision.of, other.decision.first_offset) == ("cause", 0)


def test_a_message_that_addresses_nobody_leaves_its_mention_alone(router: Deciding) -> None:
    """Where a delivery does not say who we are, the message half cannot be told to be a mention."""
    assert why(router.message("<@UBOT> hello", ts="5.000001", outer={"authorizations": []})) == "not_addressed"
    assert router.mention("<@UBOT> hello", ts="5.000001").kind == "dispatched"


def test_a_double_send_is_one_run(router: Deciding) -> None:
    assert router.mention(ts="5.000001", client_msg_id="same").kind == "dispatched"
    assert router.mention(ts="6.000001", client_msg_id="same").kind == "duplicate"


def test_the_same_delivery_is_known_for_an_hour_and_the_same_cause_for_a_day(router: Deciding) -> None:
    assert router.mention(ts="5.000001", outer={"event_id": "Ev1"}).kind == "dispatched"
    again = router.mention(ts="5.000001", outer={"event_id": "Ev1"})
    assert isinstance(again.decision, Duplicate)
    assert again.decision.of == "event"
    router.wait(3600)
    later = router.mention(ts="5.000001", outer={"event_id": "Ev1"})
    assert isinstance(later.decision, Duplicate)
    assert later.decision.of == "cause"
    router.wait(86_400 - 3600)
    assert router.mention(ts="5.000001", outer={"event_id": "Ev1"}).kind == "dispatched"


def test_a_direct_message_is_answered_in_a_thread_of_its_own(router: Deciding) -> None:
    told = router.message("hello", ts="7.000001", channel="D1", channel_type="im")
    command = run_of(told)
    assert (command.trigger, command.place.thread_ts, command.message.channel.kind) == ("dm", "7.000001", "im")
    assert told.only(RunState).origin == "dm"


def test_a_thread_is_followed_for_thirty_idle_minutes(router: Deciding) -> None:
    router.mention(ts="5.000001")
    router.wait(1799)
    assert run_of(router.message("and then?", thread_ts="5.000001")).trigger == "thread"
    router.wait(1799)
    assert router.message("more", thread_ts="5.000001").kind == "dispatched"
    router.wait(1800)
    assert why(router.message("too late", thread_ts="5.000001")) == "not_addressed"
    assert why(router.message("elsewhere", thread_ts="6.000001")) == "not_addressed"


def test_a_group_dm_is_answered_when_it_is_addressed(router: Deciding) -> None:
    assert why(router.message("hello", channel="G1", channel_type="mpim")) == "not_addressed"
    assert run_of(router.message("<@UBOT> hello", channel="G1", channel_type="mpim")).trigger == "mention"


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast", "me_message"])
def test_people_write_under_some_subtypes(router: Deciding, subtype: str) -> None:
    files = [{"id": "F1", "name": "a.pdf", "mimetype": "application/pdf", "size": 3, "url_private": "https://x"}, 3]
    told = router.message("<@UBOT> look", subtype=subtype, files=files)
    [attachment] = run_of(told).message.attachments
    assert (attachment.id, attachment.media_type) == ("F1", "application/pdf")
    assert "https://x" not in "".join(each.fact.model_dump_json() for each in told.sent)


def test_the_command_to_ask_starts_a_run_without_a_thread(router: Deciding) -> None:
    command = run_of(router.command("/ask", "what is <#C9|news>?"))
    assert (command.trigger, command.place.thread_ts, command.message.content) == ("command", None, "what is #news?")
    assert command.message.channel.name == "help"
    assert router.command("/ask", "  ").only(Notice).notice == "command_help"


def test_a_shortcut_asks_about_a_message(router: Deciding) -> None:
    payload = {
        "type": "message_action",
        "api_app_id": "A1",
        "team": {"id": "T1"},
        "user": {"id": "UANNA", "username": "anna"},
        "channel": {"id": "C1", "name": "help"},
        "callback_id": ASK,
        "action_ts": "9.5",
        "message": {"type": "message", "user": "UBEN", "text": "is it down?", "ts": "9.000001"},
    }
    told = router.take(router.envelope("interactive", payload, "s1"))
    command = run_of(told)
    assert (command.trigger, command.message.content, command.message.sender.id) == ("shortcut", "is it down?", "UANNA")
    assert command.place.thread_ts == "9.000001"
    other = {**payload, "callback_id": "theirs", "action_ts": "9.6"}
    assert why(router.take(router.envelope("interactive", other, "s2"))) == "not_addressed"


def test_a_program_asks_once_for_each_key(router: Deciding) -> None:
    told = router.program("how many?", key="k1")
    command = run_of(told)
    assert command.run_id == run_id("A1:T1", "gateway:k1")
    assert (command.trigger, command.place.channel_id, command.message.channel.kind) == ("gateway", None, "gateway")
    assert told.only(RunState).origin == "gateway"
    assert told.sent[0].key == f"T1:gateway:{command.run_id}"
    assert router.program(key="k1").kind == "duplicate"
    assert run_of(router.program(channel_id="C1", thread_ts="5.000001")).place.thread_ts == "5.000001"
    assert why(router.program(agent="nobody")) == "no_agent"
    assert router.program(tenant_id="other").kind == "unknown_workspace"


# --- which agent -----------------------------------------------------------------------------------------------------


def test_an_agent_is_chosen_by_name_then_thread_then_channel_then_default(router: Deciding) -> None:
    ben = Agent("ben", "Ben the Builder", channels=frozenset({"C2"}))
    router.has(agents=(MARA, ben))
    assert run_of(router.mention("<@UBOT> ben, hello")).agent_id == "ben"
    assert run_of(router.mention("<@UBOT> Ben the builder: hello", ts="5.000001")).agent_id == "ben"
    assert run_of(router.message("go on", thread_ts="5.000001")).agent_id == "ben"
    assert run_of(router.message("mara? go on", thread_ts="5.000001")).agent_id == "mara"
    assert run_of(router.mention("<@UBOT> hello", channel="C2")).agent_id == "ben"
    assert run_of(router.mention("<@UBOT> benjamin is here")).agent_id == "mara"
    router.has(agents=(ben, Agent("cem", "Cem")))
    assert why(router.mention("<@UBOT> hello")) == "no_agent"


# --- what asks for nothing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"user": "UBOT"}, "own_message"),
        ({"bot_id": "B1", "app_id": "A1", "user": "UX"}, "own_message"),
        ({"bot_id": "B1", "bot_profile": {"app_id": "A1"}, "user": None}, "own_message"),
        ({"bot_id": "B2", "app_id": "A2"}, "bot_message"),
        ({"subtype": "bot_message", "user": None}, "bot_message"),
        ({"user": "USLACKBOT"}, "bot_message"),
        ({"subtype": "message_changed", "hidden": True}, "edited"),
        ({"subtype": "message_deleted", "hidden": True}, "deleted"),
        ({"hidden": True}, "hidden"),
        ({"subtype": "channel_topic"}, "lifecycle"),
        ({"subtype": "assistant_app_thread"}, "lifecycle"),
        ({"user": None}, "lifecycle"),
        ({}, "not_addressed"),
    ],
)
def test_nothing_is_done_and_it_is_said_why(router: Deciding, changes: dict[str, Any], reason: str) -> None:
    text = "hello" if not changes else "<@UBOT> hello"
    assert why(router.message(text, **changes)) == reason


def test_an_installation_says_who_we_are_where_the_delivery_does_not(router: Deciding) -> None:
    router.has(bot_users={"A1:T1": "UBOT"})
    assert why(router.message("<@UBOT> hi", user="UBOT", outer={"authorizations": []})) == "own_message"


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ({"type": "app_home_opened", "user": "U1", "tab": "messages"}, "lifecycle"),
        ({"type": "assistant_thread_started"}, "lifecycle"),
        ({"type": "tokens_revoked"}, "lifecycle"),
        ({"type": "reaction_added", "item": {"type": "file"}, "user": "U1", "reaction": "eyes"}, "lifecycle"),
        ({"type": "something_new"}, "unknown_event"),
        ({"type": 5}, "unknown_event"),
    ],
)
def test_events_that_ask_for_nothing(router: Deciding, event: dict[str, Any], reason: str) -> None:
    assert why(router.event(event)) == reason


def test_views_and_buttons_of_others_are_theirs(router: Deciding) -> None:
    assert why(router.click("theirs")) == "unknown_event"
    view = {"type": "view_closed", "api_app_id": "A1", "team": {"id": "T1"}, "user": {"id": "U1"}, "view": {"id": "V"}}
    assert why(router.take(router.envelope("interactive", view, "v1"))) == "lifecycle"


def test_an_unknown_workspace_is_silence_and_claims_nothing(router: Deciding) -> None:
    tenant, router.tenant = router.tenant, None
    told = router.mention(ts="5.000001", outer={"event_id": "Ev1"})
    assert (told.kind, told.types()) == ("unknown_workspace", [])
    router.tenant = tenant
    assert router.mention(ts="5.000001", outer={"event_id": "Ev1"}).kind == "dispatched"


def test_closed_and_switched_off_is_silence(router: Deciding) -> None:
    router.has(closed=frozenset({"A1:T1"}))
    assert why(router.mention()) == "connection_closed"
    router.has(closed=frozenset(), enabled=False)
    assert why(router.mention()) == "tenant_disabled"
    router.has(enabled=True, agents=())
    assert why(router.mention()) == "no_agent"


def test_people_of_other_organisations_ask_where_they_may(router: Deciding) -> None:
    def asks(team: str) -> Told:
        return router.mention(user_team=team, outer={"is_ext_shared_channel": True})

    assert run_of(asks("T9")).message.sender.team_id == "T9"
    assert run_of(asks("T9")).message.channel.shared
    router.has(strangers_may_ask=False, partners={"T8": True, "T7": False}, homes=frozenset({"T1", "E1"}))
    assert why(asks("T9")) == "stranger"
    assert why(asks("T7")) == "stranger"
    assert {asks(team).kind for team in ("T8", "T1", "E1")} == {"dispatched"}
    assert router.mention(user_team="T9").kind == "dispatched", "nobody of another organisation is in that channel"


def test_an_organisation_wide_installation_answers_in_the_workspace_where_it_was_asked(router: Deciding) -> None:
    authorization = {"enterprise_id": "E1", "team_id": None, "user_id": "UBOT", "is_bot": True}
    outer = {"authorizations": [authorization | {"is_enterprise_install": True}], "team_id": "T5"}
    told = router.mention(outer=outer)
    assert (run_of(told).place.connection, run_of(told).place.team_id) == ("A1:E1", "T5")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "message", "user": "U1", "text": "x", "ts": "1.1"},
        {"type": "message", "user": "U1", "text": "x", "ts": "now", "channel": "C1"},
        {"type": "app_mention", "user": "U1", "text": "x", "channel": "C1"},
        {"type": "reaction_added", "item": {"type": "message", "channel": "C1", "ts": "1.1"}},
        {"type": "member_joined_channel", "user": "U1"},
        {"type": "message", "user": "U1", "ts": "1.1", "channel": "C1", "thread_ts": "x"},
    ],
)
def test_what_slack_would_never_send_is_malformed_and_the_fault_quotes_nothing(
    router: Deciding, event: dict[str, Any]
) -> None:
    with pytest.raises(Malformed, match=r"^(there is no|thread_ts is|ts is) ?\w*") as fault:
        router.event(event)
    assert "now" not in str(fault.value)


# --- the limit -------------------------------------------------------------------------------------------------------


def test_the_thirtieth_passes_and_the_thirty_first_is_refused_and_told(router: Deciding) -> None:
    told = [router.mention() for _ in range(31)]
    assert [each.kind for each in told] == ["dispatched"] * 30 + ["throttled"]
    refused = told[30]
    assert refused.types() == ["Notice"]
    notice: Notice = refused.only(Notice)
    assert (notice.user_id, notice.text) == ("UANNA", "Too many requests, try again in 2 s.")
    assert notice.retry_after_s == 2.0
    router.wait(1.999)
    assert router.mention().kind == "throttled"
    router.wait(0.001)
    assert router.mention().kind == "dispatched"
    router.wait(60)
    assert [router.mention().kind for _ in range(31)] == ["dispatched"] * 30 + ["throttled"]


def test_connections_and_tenants_do_not_share(router: Deciding) -> None:
    for _ in range(31):
        router.mention()
    other = {"authorizations": [{"team_id": "T2", "user_id": "UBOT", "is_bot": True}], "team_id": "T2"}
    assert router.mention(outer=other).kind == "dispatched"


def test_a_notice_is_shown_once_a_minute_for_each_person_then_an_emoji_while_there_is_room(router: Deciding) -> None:
    for _ in range(30):
        router.mention()
    router.has(limits=(Limit("connection", 1, 30),))
    told = [router.mention() for _ in range(25)]
    assert [each.decision.told_by for each in told if isinstance(each.decision, Throttled)] == (
        ["notice"] + ["emoji"] * 20 + ["nothing"] * 4
    )
    shown: EmojiRequested = told[1].only(EmojiRequested)
    assert (shown.emoji, shown.message_ts) == ("hourglass_flowing_sand", shown.place.thread_ts)
    assert told[-1].types() == []
    assert router.mention(user="UBEN").types() == ["Notice"]
    router.wait(59.9)
    assert router.mention(user="UBEN").types() != ["Notice"]
    router.wait(0.2)
    router.mention()
    assert router.mention(user="UBEN").types() == ["Notice"]


def test_a_refused_message_claims_no_cause(router: Deciding) -> None:
    for _ in range(30):
        router.mention()
    assert router.mention(ts="5.000001", outer={"event_id": "Ev-a"}).kind == "throttled"
    again = router.mention(ts="5.000001", outer={"event_id": "Ev-a"})
    assert again.kind == "duplicate", "the delivery is known: it is not told twice"
    router.wait(60)
    assert router.message("<@UBOT> hello", ts="5.000001").kind == "dispatched", "what was done is not"


def test_channels_and_users_have_buckets_where_the_tenant_wants_them(router: Deciding) -> None:
    router.has(limits=(Limit("connection", 30, 30), Limit("user", 1, 2), Limit("channel", 1, 3)))
    assert [router.mention().kind for _ in range(3)] == ["dispatched", "dispatched", "throttled"]
    refused = router.mention()
    assert isinstance(refused.decision, Throttled)
    assert refused.decision.bucket == "user"
    assert [router.mention(user=f"U{n}").kind for n in range(2)] == ["dispatched", "throttled"]
    assert router.mention(user="U7", channel="C7").kind == "dispatched"


def test_a_refusal_takes_from_no_bucket(router: Deciding) -> None:
    router.has(limits=(Limit("connection", 1, 3), Limit("user", 60, 1)))
    assert router.mention().kind == "dispatched"
    assert router.mention().kind == "throttled"
    assert router.mention(user="UBEN").kind == "dispatched"
    assert router.mention(user="UCEM").kind == "dispatched"
    assert router.mention(user="UDAN").kind == "throttled"


def test_a_program_is_refused_without_a_word_in_slack(router: Deciding) -> None:
    for _ in range(30):
        router.program()
    refused = router.program(channel_id="C1")
    assert (refused.kind, refused.types()) == ("throttled", [])


# --- stops -----------------------------------------------------------------------------------------------------------


def stop_of(told: Told) -> StopRequested:
    assert told.types() == ["StopRequested", "RunState"]
    assert told.only(RunState).state == "cancel_requested"
    stop: StopRequested = told.only(StopRequested)
    return stop


def test_every_way_to_stop(router: Deciding) -> None:
    router.mention(ts="5.000001")
    stop = stop_of(router.command("/stop"))
    assert (stop.source, stop.target) == ("command", StopUser(channel_id="C1", user_id="UANNA"))
    for word in ("stop", "!stop", "Stop.", " STOP! ", "<@UBOT> stop"):
        stop = stop_of(router.message(word, thread_ts="5.000001"))
        assert (stop.source, stop.target) == ("word", StopThread(channel_id="C1", thread_ts="5.000001"))
    emoji = {"type": "reaction_added", "user": "UANNA", "reaction": "octagonal_sign", "item_user": "UBOT"}
    stop = stop_of(router.event(emoji | {"item": {"type": "message", "channel": "C1", "ts": "6.000001"}}))
    assert (stop.source, stop.target) == ("emoji", StopMessage(channel_id="C1", message_ts="6.000001"))
    stop = stop_of(router.click(STOP, RUN))
    assert (stop.source, stop.target) == ("button", StopRun(run_id=RUN))
    stop = stop_of(router.click(STOP, "tampered with"))
    assert stop.target == StopMessage(channel_id="C1", message_ts="5.5")
    native = {"type": "agent_session_stopped", "channel": "C1", "thread_ts": "5.000001", "user": "UANNA"}
    stop = stop_of(router.event(native | {"event_ts": "7.000001"}))
    assert (stop.source, stop.target) == ("native", StopThread(channel_id="C1", thread_ts="5.000001"))
    stop = stop_of(router.cancel(RUN))
    assert (stop.source, stop.target, stop.may_stop_anyone) == ("gateway", StopRun(run_id=RUN), True)


def test_the_word_is_a_stop_only_where_an_agent_listens(router: Deciding) -> None:
    assert why(router.message("stop")) == "not_addressed"
    assert why(router.message("stop", thread_ts="5.000001")) == "not_addressed"
    assert stop_of(router.message("stop", channel="D1", channel_type="im")).target.by == "user"
    assert stop_of(router.mention("<@UBOT> stop")).target.by == "user"
    router.mention(ts="5.000001")
    assert router.message("stop it, please", thread_ts="5.000001").kind == "dispatched"


def test_an_emoji_on_somebody_elses_message_is_no_stop(router: Deciding) -> None:
    emoji = {"type": "reaction_added", "user": "UANNA", "reaction": "octagonal_sign", "item_user": "UBEN"}
    told = router.event(emoji | {"item": {"type": "message", "channel": "C1", "ts": "6.000001"}})
    assert why(told) == "not_addressed"


def test_the_two_halves_of_a_stop_are_one(router: Deciding) -> None:
    router.mention(ts="5.000001")
    assert router.mention("<@UBOT> stop", ts="6.000001", thread_ts="5.000001").kind == "control"
    assert router.message("<@UBOT> stop", ts="6.000001", thread_ts="5.000001").kind == "duplicate"


def test_a_stop_says_whether_its_asker_may_end_anybodys_run(router: Deciding) -> None:
    assert not stop_of(router.command("/stop")).may_stop_anyone
    assert stop_of(router.command("/stop", user_id="UBOSS")).may_stop_anyone
    router.has(anyone_may_stop=True)
    assert stop_of(router.command("/stop")).may_stop_anyone


def test_who_may_not_ask_may_not_stop_and_is_told(router: Deciding) -> None:
    router.has(strangers_may_ask=False)
    outer = {"is_ext_shared_channel": True}
    told = router.mention("<@UBOT> stop", user_team="T9", outer=outer)
    assert isinstance(told.decision, Control)
    assert not told.decision.permitted
    assert (told.types(), told.only(Notice).notice) == (["Notice"], "stop_refused")


def test_a_stop_takes_no_token(router: Deciding) -> None:
    for _ in range(31):
        router.mention()
    assert router.command("/stop").kind == "control"


# --- clicks and commands ---------------------------------------------------------------------------------------------


def test_clicks_that_are_no_stop(router: Deciding) -> None:
    assert router.click(WHY, RUN).only(WhyAsked).run_id == RUN
    given: FeedbackGiven = router.click(FEEDBACK, f"bad:{RUN}").only(FeedbackGiven)
    assert (given.verdict, given.run_id, given.place.thread_ts) == ("bad", RUN, "1.1")
    answered: ApprovalAnswered = router.click(APPROVAL, "ap1:abcd:approve").only(ApprovalAnswered)
    assert (answered.approval_id, answered.arguments_hash, answered.answer) == ("ap1", "abcd", "approve")
    task: TaskCommanded = router.click(TASK, "cancel:task-1").only(TaskCommanded)
    assert (task.verb, task.task_id) == ("cancel", "task-1")
    for action, value in (
        (WHY, "x"),
        (FEEDBACK, "maybe"),
        (APPROVAL, "ap1"),
        ("threadline:older", ""),
        (f"{WHY}:2", RUN),
    ):
        told = router.click(action, value)
        assert told.only(Notice).notice == "retired_button"


@pytest.mark.parametrize("verb", ["reject", "answer", "approve", "cancel", "show"])
@pytest.mark.parametrize("action", [TASK, f"{TASK}:second"])
def test_a_button_wants_something_of_a_task_or_an_approval(router: Deciding, verb: str, action: str) -> None:
    task: TaskCommanded = router.click(action, f"{verb}:deploy:981", trigger_id="1.2.x").only(TaskCommanded)
    assert (task.verb, task.task_id, task.trigger_id, task.channel_id) == (verb, "deploy:981", "1.2.x", "C1")


def test_a_select_answers_an_approval_with_what_is_chosen(router: Deciding) -> None:
    chosen = {"value": "deploy:981:abcd:choose 2", "text": {"type": "plain_text", "text": "Berlin"}}
    action = {"type": "static_select", "action_id": APPROVAL, "selected_option": chosen}
    beside = {
        "type": "message_attachment",
        "attachment_id": 1,
        "message_ts": "1.2",
        "channel_id": "C2",
        "thread_ts": "1.1",
    }
    answered: ApprovalAnswered = router.click(APPROVAL, "", actions=[action], container=beside).only(ApprovalAnswered)
    assert (answered.approval_id, answered.arguments_hash, answered.answer) == ("deploy:981", "abcd", "choose 2")
    assert (answered.channel_id, answered.thread_ts) == ("C2", "1.1")
    again: ApprovalAnswered = router.click(f"{APPROVAL}:yes", "ap1:abcd:approve").only(ApprovalAnswered)
    assert (again.approval_id, again.answer) == ("ap1", "approve")


@pytest.mark.parametrize(("answer", "typed"), [("reject", "too dear"), ("answer", "Take the second.\n\nIt is new.")])
def test_an_approval_may_come_with_what_was_typed(router: Deciding, answer: str, typed: str) -> None:
    view = {
        "id": "V1",
        "hash": "h",
        "callback_id": APPROVAL,
        "private_metadata": f"ap1:abcd:{answer}",
        "state": {"values": {"b": {"a": {"type": "plain_text_input", "value": typed}}}},
    }
    payload = {"type": "view_submission", "api_app_id": "A1", "team": {"id": "T1"}, "user": {"id": "UANNA"}}
    told = router.take(router.envelope("interactive", payload | {"view": view}, "v1"))
    answered: ApprovalAnswered = told.only(ApprovalAnswered)
    assert (answered.answer, answered.reason, answered.channel_id) == (answer, typed, None)


def test_in_the_agents_channel_plain_words_are_for_them(router: Deciding) -> None:
    assert router.message("ask deployer to deploy").kind == "ignored"
    router.has(agents_channels=frozenset({"C1", "C7"}))
    words: TaskCommanded = router.message("ask deployer to deploy").only(TaskCommanded)
    assert (words.verb, words.text, words.addressed, words.channel_id) == (
        "text",
        "ask deployer to deploy",
        False,
        "C1",
    )
    assert router.mention("<@UBOT> list").kind == "dispatched", "a mention is answered everywhere"
    assert router.message("in a thread", thread_ts="1.1").kind == "ignored"


def test_agents_hear_in_a_channel_of_each_workspace_whose_id_is_known() -> None:
    named = (Connection(workspace="T1", agents_channel="C1"), Connection(workspace="T2"), Connection(workspace="T3"))
    facts = TenantFacts(id="acme", name="Acme", agents_channel="C2", connections=named[:2])
    assert tenant_of(facts, 60).agents_channels == {"C1", "C2"}
    facts = TenantFacts(id="acme", name="Acme", agents_channel="#agents", connections=named)
    assert tenant_of(facts, 60).agents_channels == {"C1"}


def test_a_message_becomes_a_task_by_its_shortcut(router: Deciding) -> None:
    chosen = {
        "type": "message_action",
        "callback_id": TASK,
        "api_app_id": "A1",
        "team": {"id": "T1"},
        "user": {"id": "UANNA"},
        "channel": {"id": "C1"},
        "message": message("ask deployer to deploy", "1.1", user="UBEN"),
    }
    told = router.take(router.envelope("interactive", chosen, "s1"))
    words: TaskCommanded = told.only(TaskCommanded)
    assert (words.text, words.user_id, words.addressed) == ("ask deployer to deploy", "UANNA", True)


def test_a_retry_is_a_run_of_its_own_and_counts(router: Deciding) -> None:
    told = router.click(RETRY, RUN)
    retry: RetryAsked = told.only(RetryAsked)
    assert isinstance(told.decision, Interaction)
    assert retry.retry_of == RUN
    assert retry.run_id == told.decision.run_id != RUN
    assert told.only(RunState).state == "start"
    for _ in range(29):
        assert router.mention().kind == "dispatched"
    refused = router.click(RETRY, RUN)
    assert (refused.kind, refused.types()) == ("throttled", ["Notice"])


@pytest.mark.parametrize(
    ("typed", "verb", "task", "text"),
    [
        ("", "help", None, ""),
        ("list", "list", None, ""),
        ("show t1", "show", "t1", ""),
        ("cancel t1 please", "cancel", "t1", "please"),
        ("approve a1", "approve", "a1", ""),
        ("reject a1 too dear", "reject", "a1", "too dear"),
        ("Answer a1 the second one", "answer", "a1", "the second one"),
        ("answer", "answer", None, ""),
        ("run fix the build", "run", None, "fix the build"),
        ("fix the build", "text", None, "fix the build"),
    ],
)
def test_what_is_typed_behind_agent_task(router: Deciding, typed: str, verb: str, task: str | None, text: str) -> None:
    command: TaskCommanded = router.command("/agent-task", typed).only(TaskCommanded)
    assert (command.verb, command.task_id, command.text) == (verb, task, text)


def test_an_unknown_command_is_helped(router: Deciding) -> None:
    assert router.command("/what").only(Notice).notice == "command_help"


# --- rules -----------------------------------------------------------------------------------------------------------


def rules(*found: Rule) -> tuple[Rule, ...]:
    return tuple(sorted(found, key=lambda rule: (-rule.priority, rule.name)))


def skipped(told: Told) -> tuple[str, int]:
    skip: ReactionSkip = told.only(ReactionSkip)
    return skip.reason, skip.candidate_count


def test_a_rule_wants_an_answer_to_what_addresses_nobody(router: Deciding) -> None:
    outage = Rule("outage", "message", pattern=re.compile("down"), prompt="{sender} in {channel}: {text}", summary="s")
    router.has(rules=rules(outage))
    told = router.message("is it down?", ts="5.000001")
    command = run_of(told)
    assert (command.trigger, command.rule_name) == ("rule", "outage")
    assert command.prompt == "<@UANNA> in <#C1>: is it down?"
    match: ReactionMatch = told.only(ReactionMatch)
    assert (match.run_id, match.filter_summary, match.candidate_count) == (command.run_id, "s", 1)
    assert skipped(router.message("all is well")) == ("pattern", 1)
    assert router.message("and?", thread_ts="5.000001").kind == "dispatched", "its thread is followed"


def test_what_the_nearest_rule_failed_on_is_told(router: Deciding) -> None:
    assert skipped(router.message()) == ("no_rules", 0)
    here, nobody = frozenset({"C9"}), frozenset({"UNOBODY"})
    router.has(rules=rules(Rule("a", "message", channels=here), Rule("b", "join")))
    assert skipped(router.message()) == ("channel", 1)
    router.has(rules=rules(Rule("a", "message", channels=here), Rule("b", "message", senders=nobody)))
    assert skipped(router.message()) == ("sender", 2)


def test_of_several_rules_the_highest_priority_wins_then_the_name(router: Deciding) -> None:
    router.has(rules=rules(Rule("a", "message"), Rule("z", "message", priority=5), Rule("b", "message", priority=5)))
    told = router.message()
    assert run_of(told).rule_name == "b"
    assert told.only(ReactionMatch).candidate_count == 3


def test_a_rule_rests_in_a_channel_after_it_has_matched_there(router: Deciding) -> None:
    router.has(rules=rules(Rule("a", "message", cooldown_s=60)))
    assert run_of(router.message()).rule_name == "a"
    assert skipped(router.message()) == ("cooldown", 1)
    assert router.message(channel="C2").kind == "dispatched"
    router.wait(60)
    assert router.message().kind == "dispatched"


def test_rules_look_at_emoji_reactions_and_joins(router: Deciding) -> None:
    router.has(
        rules=rules(Rule("ticket", "emoji_reaction", emoji=frozenset({"ticket"}), prompt="{emoji}"), Rule("hi", "join"))
    )
    added = {"type": "reaction_added", "user": "UANNA", "item_user": "UBEN"}
    item = {"item": {"type": "message", "channel": "C1", "ts": "6.000001"}}
    told = router.event(added | item | {"reaction": "ticket"})
    assert (run_of(told).prompt, run_of(told).place.thread_ts) == ("ticket", "6.000001")
    assert skipped(router.event(added | item | {"reaction": "eyes"})) == ("no_match", 1)
    assert why(router.event(added | item | {"reaction": "ticket", "user": "UBOT"})) == "own_message"
    told = router.event({"type": "member_joined_channel", "user": "UCEM", "channel": "C1", "event_ts": "7.1"})
    assert (run_of(told).rule_name, run_of(told).place.thread_ts) == ("hi", None)


def test_a_rule_for_mentions_says_by_whom_and_how(router: Deciding) -> None:
    ben = Agent("ben", "Ben")
    billing = Rule("billing", "mention", pattern=re.compile("bill"), prompt="be exact: {text}", agent="ben")
    router.has(agents=(MARA, ben), rules=rules(billing))
    told = router.mention("<@UBOT> my bill")
    assert (run_of(told).agent_id, run_of(told).prompt) == ("ben", "be exact: my bill")
    assert told.only(ReactionMatch).rule_name == "billing"
    plain = router.mention("<@UBOT> hello")
    assert (run_of(plain).agent_id, run_of(plain).prompt, skipped(plain)) == ("mara", None, ("pattern", 1))


def test_a_match_that_may_not_start_is_a_skip(router: Deciding) -> None:
    router.has(rules=rules(Rule("a", "message")), limits=(Limit("connection", 1, 1),))
    router.message(ts="5.000001", client_msg_id="m")
    assert skipped(router.message(ts="6.000001", client_msg_id="m")) == ("duplicate", 1)
    refused = router.message(ts="7.000001")
    assert skipped(refused) == ("throttled", 1)
    assert refused.types() == ["ReactionSkip"], "nobody asked, so that nobody is told"
    router.has(rules=rules(Rule("a", "message", agent="gone")))
    assert skipped(router.message(ts="8.000001")) == ("no_match", 1)


def test_every_evaluated_message_has_one_record(router: Deciding) -> None:
    router.has(rules=rules(Rule("a", "message", pattern=re.compile("x"))))
    for text in ("x", "y", "x x"):
        told = router.message(text)
        assert sum(name.startswith("Reaction") for name in told.types()) == 1


def test_the_tenant_of_the_tests_is_as_they_think() -> None:
    assert ACME.agents == (MARA,)


# --- what was found by trying ----------------------------------------------------------------------------------------


def test_in_a_shared_channel_an_organisation_wide_app_answers_nobody_elses_workspace(router: Deciding) -> None:
    authorization = {"enterprise_id": "E1", "team_id": None, "user_id": "UBOT", "is_bot": True}
    outer: dict[str, Any] = {"authorizations": [authorization | {"is_enterprise_install": True}], "team_id": "T9"}
    outer |= {"is_ext_shared_channel": True, "context_team_id": "T5"}
    assert run_of(router.mention(user_team="T9", outer=outer)).place.team_id == "T5"
    router.has(strangers_may_ask=False, homes=frozenset({"E1", "T5"}))
    assert why(router.mention(user_team="T9", outer=outer)) == "stranger"
    assert why(router.mention(user_team="T9", outer=outer | {"context_team_id": None})) == "stranger"


def test_a_thread_of_an_organisation_has_one_name(router: Deciding) -> None:
    authorization = {"enterprise_id": "E1", "team_id": None, "user_id": "UBOT", "is_bot": True}
    keys = set()
    for team in ("T5", "T6"):
        outer = {"authorizations": [authorization | {"is_enterprise_install": True}], "team_id": team}
        told = router.mention(thread_ts="5.000001", outer=outer)
        keys |= {each.key for each in told.sent[:-1]}
        assert run_of(told).place.team_id == team
    assert keys == {"E1:C1:5.000001"}


def test_of_whom_nobody_knows_whose_person_it_is_rules_hear_nothing_and_stops_end_only_ones_own(
    router: Deciding,
) -> None:
    router.has(strangers_may_ask=False, anyone_may_stop=True, rules=(Rule("a", "emoji_reaction"),))
    item = {"item": {"type": "message", "channel": "C1", "ts": "6.000001"}, "item_user": "UBOT"}
    added = {"type": "reaction_added", "user": "USTRANGE", **item}
    outer = {"is_ext_shared_channel": True}
    assert why(router.event(added | {"reaction": "eyes"}, **outer)) == "stranger"
    assert not stop_of(router.event(added | {"reaction": "octagonal_sign"}, **outer)).may_stop_anyone


def test_a_refused_mention_and_its_other_half_are_told_once(router: Deciding) -> None:
    for _ in range(30):
        router.mention()
    assert router.mention(ts="5.000001").types() == ["Notice"]
    assert router.message("<@UBOT> hello", ts="5.000001").types() == []
    assert router.mention(ts="6.000001").types() == ["EmojiRequested"]
    assert router.message("<@UBOT> hello", ts="6.000001").types() == []


def test_the_halves_of_a_mention_are_looked_at_by_rules_once(router: Deciding) -> None:
    router.has(rules=(Rule("m", "mention"),))
    assert router.mention(ts="5.000001").only(ReactionMatch).rule_name == "m"
    assert router.message("<@UBOT> hello", ts="5.000001").types() == []


def test_a_limit_that_was_changed_grants_what_the_lower_one_would(router: Deciding) -> None:
    router.has(limits=(Limit("connection", 1000, 1000),))
    assert {router.mention().kind for _ in range(1000)} == {"dispatched"}
    router.has(limits=(Limit("connection", 1, 1000),))
    router.wait(3600)
    assert sum(router.mention().kind == "dispatched" for _ in range(100)) == 60
    router.has(limits=(Limit("connection", 1000, 1000),))
    router.wait(600)
    assert sum(router.mention().kind == "dispatched" for _ in range(100)) == 10


def test_a_rule_for_mentions_may_be_the_only_one_that_says_who_answers(router: Deciding) -> None:
    ben, cem = Agent("ben", "Ben"), Agent("cem", "Cem")
    router.has(agents=(ben, cem), rules=(Rule("bill", "mention", pattern=re.compile("bill"), agent="ben"),))
    assert run_of(router.mention("<@UBOT> my bill")).agent_id == "ben"
    told = router.mention("<@UBOT> hello")
    assert (why(told), skipped(told)) == ("no_agent", ("pattern", 1))


def test_an_approval_is_given_in_a_modal_or_at_home_too(router: Deciding) -> None:
    told = router.click(APPROVAL, "ap1:abcd:approve", channel=None, container={"type": "view", "view_id": "V1"})
    assert told.only(ApprovalAnswered).channel_id is None


def test_a_retry_follows_its_thread_and_keeps_its_agent(router: Deciding) -> None:
    ben = Agent("ben", "Ben")
    router.has(agents=(MARA, ben))
    router.mention("<@UBOT> ben, hello", ts="1.1")
    router.wait(1790)
    assert router.click(RETRY, RUN).kind == "interaction"
    router.wait(20)
    assert run_of(router.message("and?", thread_ts="1.1")).agent_id == "ben"
    router.has(agents=())
    assert why(router.click(RETRY, RUN)) == "no_agent"


def test_a_program_in_a_thread_is_answered_by_the_threads_agent(router: Deciding) -> None:
    router.has(agents=(MARA, Agent("ben", "Ben")))
    router.mention("<@UBOT> ben, hello", ts="5.000001")
    assert run_of(router.program(channel_id="C1", thread_ts="5.000001")).agent_id == "ben"


def test_a_workspaces_next_owner_finds_nothing_of_the_last(router: Deciding) -> None:
    for _ in range(30):
        router.mention(ts="5.000001" if router.number == 0 else None)
    assert router.mention().kind == "throttled"
    router.has(id="globex")
    assert why(router.message("and?", thread_ts="5.000001")) == "not_addressed"
    assert router.mention().kind == "dispatched"


def test_where_nobody_says_who_we_are_the_mention_wins_and_a_stop_is_one(router: Deciding) -> None:
    router.has(rules=(Rule("all", "message"),))
    nobody: dict[str, Any] = {"authorizations": []}
    assert why(router.message("<@UBOT> hello", ts="5.000001", outer=nobody)) == "not_addressed"
    command = run_of(router.mention("<@UBOT> hello", ts="5.000001", outer=nobody))
    assert (command.trigger, command.rule_name) == ("mention", None)
    assert router.mention("<@UBOT> stop", outer=nobody).kind == "control"


def test_a_mention_that_was_edited_asks_for_nothing(router: Deciding) -> None:
    assert why(router.mention(edited={"user": "UANNA", "ts": "6.000001"})) == "edited"


def test_a_template_cannot_grow_without_end(router: Deciding) -> None:
    router.has(rules=(Rule("grow", "message", prompt="{text}" * 1300),))
    command = run_of(router.message("x" * 900))
    assert command.prompt is not None
    assert len(command.prompt) == 100_000
