from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.cause import Cause
from schemas.ids import run_id
from schemas.slack import UnidentifiedConnection, connection_of, event_id_of
from schemas.slack import cause_of_payload as cause_of
from tests.samples import event_callback

MENTION = {
    "type": "app_mention",
    "client_msg_id": "m-1",
    "user": "U1",
    "text": "<@UBOT> hi",
    "ts": "1.0",
    "channel": "C1",
}
MESSAGE = {**MENTION, "type": "message", "channel_type": "channel"}


def authorized(**facts: Any) -> list[dict[str, Any]]:
    return [{"enterprise_id": None, "team_id": None, "is_enterprise_install": False, **facts}]


def test_a_connection_is_the_app_in_the_authorized_team() -> None:
    assert connection_of(event_callback(MENTION)) == "A1:T1"


def test_slack_connect_belongs_to_the_authorized_team_and_not_to_the_senders() -> None:
    payload = event_callback(
        MENTION, team_id="TOTHER", is_ext_shared_channel=True, authorizations=authorized(team_id="T1")
    )
    assert connection_of(payload) == "A1:T1"


def test_an_organisation_wide_installation_is_one_connection_whatever_the_workspace() -> None:
    here = authorized(team_id="T1", enterprise_id="E1", is_enterprise_install=True)
    there = authorized(team_id="T2", enterprise_id="E1", is_enterprise_install=True)
    assert connection_of(event_callback(MENTION, authorizations=here)) == "A1:E1"
    assert connection_of(event_callback(MENTION, team_id="T2", authorizations=there)) == "A1:E1"


def test_a_workspace_of_an_organisation_that_installed_the_app_itself_is_its_own_connection() -> None:
    assert (
        connection_of(event_callback(MENTION, authorizations=authorized(team_id="T1", enterprise_id="E1"))) == "A1:T1"
    )


def test_an_authorization_without_a_team_names_the_enterprise() -> None:
    assert connection_of(event_callback(MENTION, authorizations=authorized(enterprise_id="E1"))) == "A1:E1"


def test_two_apps_in_one_channel_are_two_connections_and_answer_separately() -> None:
    one, other = event_callback(MENTION), event_callback(MENTION, api_app_id="A2")
    cause = cause_of("events_api", one)
    assert cause == cause_of("events_api", other)
    assert cause is not None
    assert run_id(connection_of(one), cause.name) != run_id(connection_of(other), cause.name)
    assert event_id_of("events_api", one) != event_id_of("events_api", other)


@pytest.mark.parametrize(
    ("payload", "connection"),
    [
        ({"api_app_id": "A1", "team_id": "T1", "command": "/stop"}, "A1:T1"),
        ({"api_app_id": "A1", "team_id": "T1", "enterprise_id": "E1", "is_enterprise_install": "true"}, "A1:E1"),
        ({"api_app_id": "A1", "team_id": "T1", "enterprise_id": "E1", "is_enterprise_install": "false"}, "A1:T1"),
        ({"api_app_id": "A1", "team": {"id": "T1"}, "is_enterprise_install": False}, "A1:T1"),
        ({"api_app_id": "A1", "team": {"id": "TEXTERNAL"}, "view": {"app_installed_team_id": "T1"}}, "A1:T1"),
        ({"api_app_id": "A1", "team": None, "user": {"id": "U1", "team_id": "T1"}}, "A1:T1"),
        ({"api_app_id": "A1", "team": None, "view": {"team_id": "T1"}}, "A1:T1"),
        ({"api_app_id": "A1", "team": None, "enterprise": {"id": "E1"}, "is_enterprise_install": True}, "A1:E1"),
    ],
)
def test_commands_and_interactions_name_the_same_connection_as_events(payload: dict[str, Any], connection: str) -> None:
    assert connection_of(payload) == connection


def test_a_shortcut_names_no_app_and_belongs_to_the_one_that_received_it() -> None:
    shortcut = {"type": "shortcut", "callback_id": "ask", "team": {"id": "T1"}, "user": {"id": "U1"}}
    assert connection_of(shortcut, "A1") == "A1:T1"
    assert event_id_of("interactive", shortcut, "env-1", "A1") == "A1:env-1"
    assert connection_of({**shortcut, "api_app_id": "A2"}, "A1") == "A2:T1"


@pytest.mark.parametrize("payload", [{}, {"api_app_id": "A1"}, {"team_id": "T1"}, {"api_app_id": 7, "team_id": "T1"}])
def test_a_payload_without_an_app_or_an_owner_is_refused(payload: dict[str, Any]) -> None:
    with pytest.raises(UnidentifiedConnection):
        connection_of(payload)


def test_a_delivery_is_named_by_slack_then_by_the_envelope_then_by_its_content() -> None:
    click = {"api_app_id": "A1", "type": "block_actions"}
    assert event_id_of("events_api", event_callback(MENTION), "env-1") == "A1:Ev1"
    assert event_id_of("interactive", click, "env-1") == "A1:env-1"
    assert event_id_of("interactive", click) == event_id_of("interactive", dict(reversed(click.items())))
    assert event_id_of("interactive", click) != event_id_of("interactive", {**click, "trigger_id": "2"})


def test_a_mention_and_its_message_twin_are_one_cause() -> None:
    mention, message = cause_of("events_api", event_callback(MENTION)), cause_of("events_api", event_callback(MESSAGE))
    assert mention == message == Cause("message:C1:1.0", ("client_msg:C1:m-1",))


def test_a_message_that_was_sent_twice_shares_a_name_with_the_first() -> None:
    first = cause_of("events_api", event_callback(MESSAGE))
    again = cause_of("events_api", event_callback({**MESSAGE, "ts": "2.0"}))
    assert first is not None
    assert again is not None
    assert first.name != again.name
    assert set(first.names) & set(again.names)


def test_a_twin_without_client_msg_id_still_has_the_same_name() -> None:
    bare = {name: value for name, value in MESSAGE.items() if name != "client_msg_id"}
    first, twin = cause_of("events_api", event_callback(MENTION)), cause_of("events_api", event_callback(bare))
    assert first is not None
    assert twin is not None
    assert first.name == twin.name


@pytest.mark.parametrize(
    ("kind", "payload", "name"),
    [
        (
            "events_api",
            event_callback(
                {
                    "type": "reaction_added",
                    "user": "U1",
                    "reaction": "eyes",
                    "item": {"type": "message", "channel": "C1", "ts": "1.0"},
                }
            ),
            "reaction:C1:1.0:eyes:U1",
        ),
        (
            "events_api",
            event_callback({"type": "member_joined_channel", "user": "U1", "channel": "C1", "event_ts": "3.0"}),
            "join:C1:U1:3.0",
        ),
        (
            "events_api",
            event_callback({"type": "agent_session_stopped", "user": "U1", "channel": "C1", "thread_ts": "1.0"}),
            "session_stop:C1:1.0:Ev1",
        ),
        ("slash_commands", {"trigger_id": "1.2.a"}, "command:1.2.a"),
        (
            "interactive",
            {
                "type": "block_actions",
                "user": {"id": "U1"},
                "container": {"message_ts": "1.0"},
                "actions": [{"action_id": "why", "action_ts": "4.0"}],
            },
            "click:1.0:why:U1:4.0",
        ),
        (
            "interactive",
            {"type": "view_submission", "user": {"id": "U1"}, "view": {"id": "V1", "hash": "h"}},
            "view_submission:V1:h:U1",
        ),
        (
            "interactive",
            {"type": "message_action", "callback_id": "ask", "user": {"id": "U1"}, "action_ts": "5.0"},
            "shortcut:ask:U1:5.0",
        ),
    ],
)
def test_each_act_has_a_name(kind: Any, payload: dict[str, Any], name: str) -> None:
    cause = cause_of(kind, payload)
    assert cause is not None
    assert cause.name == name


@pytest.mark.parametrize("subtype", ["message_changed", "message_deleted"])
def test_an_edit_or_a_deletion_starts_nothing(subtype: str) -> None:
    assert cause_of("events_api", event_callback({**MESSAGE, "subtype": subtype})) is None


def test_a_partial_act_has_no_name_since_it_would_stand_for_too_much() -> None:
    assert cause_of("events_api", event_callback({"type": "message", "channel": "C1"})) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        "api_app_id",
        "team_id",
        "authorizations",
        "event",
        "type",
        "item",
        "actions",
        "container",
        "user",
        "team",
        "view",
        "ts",
    ]
)


@given(st.dictionaries(FIELDS, JSON, max_size=8), st.sampled_from(["events_api", "slash_commands", "interactive"]))
def test_rubbish_has_no_name_and_does_no_harm(payload: dict[str, Any], kind: Any) -> None:
    cause_of(kind, payload)
    assert event_id_of(kind, payload)
    try:
        assert ":" in connection_of(payload)
    except UnidentifiedConnection as error:
        assert "payload" in str(error)  # noqa: PT017 - both outcomes are right, which one depends on the rubbish
