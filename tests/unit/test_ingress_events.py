from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import EnvelopeKind
from services.ingress.decisions.answering import COMMAND_TAKEN, answer_to
from services.ingress.decisions.event_types import EVENT_TYPES, EVENTS, INTERACTIONS, event_type_of
from services.ingress.decisions.reading import KINDS, Arrived, Challenge, Delivery, Farewell, Hello, Probe, Unreadable
from services.ingress.decisions.refusals import ADVICE, advice_for
from services.ingress.decisions.removal import removed_from
from tests.samples import event_callback
from tests.unit.test_slack import JSON

KIND = st.sampled_from(list(KINDS.values()))
WORDS: list[Arrived] = [Hello("A1"), Farewell("warning"), Probe(), Unreadable("not_json", "it is no JSON")]


def delivery(kind: EnvelopeKind, payload: dict[str, Any]) -> Delivery:
    return Delivery(kind, payload, "A1:T1", "A1:Ev1")


def event(**facts: Any) -> Delivery:
    return delivery("events_api", event_callback(facts))


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_called_what_slack_calls_it(name: str) -> None:
    assert event_type_of(event(type=name)) == name


@pytest.mark.parametrize("name", INTERACTIONS)
def test_an_interaction_is_called_what_slack_calls_it(name: str) -> None:
    assert event_type_of(delivery("interactive", {"type": name})) == name


def test_a_command_has_one_name_whatever_is_typed() -> None:
    assert event_type_of(delivery("slash_commands", {"command": "/ask", "type": "message"})) == "slash_command"


def test_an_event_without_an_inner_one_is_called_by_its_own_type() -> None:
    assert event_type_of(delivery("events_api", {"type": "app_rate_limited"})) == "app_rate_limited"


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("events_api", event_callback({"type": "invented"})),
        ("events_api", event_callback({"type": ["message"]})),
        ("events_api", event_callback({})),
        ("events_api", {"event": "message"}),
        ("interactive", {"type": "message"}),
        ("interactive", {}),
    ],
)
def test_what_is_not_known_is_other(kind: Any, payload: Any) -> None:
    assert event_type_of(delivery(kind, payload)) == "other"


@pytest.mark.parametrize("arrived", WORDS)
def test_what_is_no_delivery_is_unreadable(arrived: Arrived) -> None:
    assert event_type_of(arrived) == "unreadable"


PAYLOADS = st.fixed_dictionaries({}, optional={"type": JSON, "event": JSON | st.dictionaries(st.just("type"), JSON)})


@given(KIND, PAYLOADS)
def test_a_label_is_always_one_of_those_that_are_declared(kind: EnvelopeKind, payload: dict[str, Any]) -> None:
    assert event_type_of(delivery(kind, payload)) in EVENT_TYPES


def test_no_label_is_declared_twice() -> None:
    assert len(set(EVENT_TYPES)) == len(EVENT_TYPES)


@pytest.mark.parametrize(
    ("arrived", "answer"),
    [
        (Challenge("3eZb"), {"challenge": "3eZb"}),
        (delivery("slash_commands", {"command": "/ask"}), {"response_type": "ephemeral", "text": COMMAND_TAKEN}),
        (delivery("interactive", {"type": "block_suggestion"}), {"options": []}),
        (delivery("interactive", {"type": "view_submission"}), None),
        (delivery("interactive", {"type": ["block_suggestion"]}), None),
        (delivery("events_api", {"type": "block_suggestion"}), None),
        *((each, None) for each in WORDS),
    ],
)
def test_an_acknowledgement_carries_something_only_where_slack_shows_it(arrived: Arrived, answer: Any) -> None:
    assert answer_to(arrived) == answer


@pytest.mark.parametrize(
    "facts", [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"bot": ["UBOT"], "oauth": ["U1"]}}]
)
def test_an_app_is_removed_where_it_is_uninstalled_or_its_bot_token_is_revoked(facts: dict[str, Any]) -> None:
    assert removed_from(event(**facts)) == ("A1", "T1")
    organisation = Delivery("events_api", event_callback(facts), "A1:E1", "A1:Ev1")
    assert removed_from(organisation) == ("A1", "E1")


@pytest.mark.parametrize(
    "tokens",
    [{"oauth": ["U1"]}, {"oauth": ["U1"], "bot": []}, {}, None, [], "bot", {"bot": "UBOT"}, {"bot": {"UBOT": 1}}],
)
def test_an_app_stays_where_no_bot_token_is_revoked(tokens: object) -> None:
    assert removed_from(event(type="tokens_revoked", tokens=tokens)) is None


@pytest.mark.parametrize(
    "arrived",
    [
        event(type="message", text="app_uninstalled"),
        event(type=["app_uninstalled"]),
        event(type="tokens_revoked"),
        delivery("events_api", {"type": "app_uninstalled"}),
        delivery("events_api", {"event": "app_uninstalled"}),
        delivery("interactive", {"event": {"type": "app_uninstalled"}}),
        delivery("slash_commands", {"event": {"type": "app_uninstalled"}}),
        *WORDS,
    ],
)
def test_anything_else_removes_no_app(arrived: Arrived) -> None:
    assert removed_from(arrived) is None


@given(JSON, JSON)
def test_rubbish_removes_no_app_and_does_no_harm(inner: object, tokens: object) -> None:
    assert removed_from(delivery("events_api", {"event": inner})) is None
    revoked = removed_from(event(type="tokens_revoked", tokens=tokens))
    bots = tokens.get("bot") if isinstance(tokens, dict) else None
    assert revoked == (("A1", "T1") if isinstance(bots, list) and bots else None)


@pytest.mark.parametrize("code", sorted(ADVICE))
def test_advice_names_slacks_code_and_what_to_do(code: str) -> None:
    advice = advice_for(code)
    assert advice is not None
    assert f"({code})" in advice
    assert "SLACK_APP_TOKEN" in advice or "THREADLINE_INGRESS_HTTP" in advice


@pytest.mark.parametrize("code", ["", "ratelimited", "internal_error", "fatal_error", "INVALID_AUTH", "invented"])
def test_there_is_no_advice_where_trying_again_may_help(code: str) -> None:
    assert advice_for(code) is None
