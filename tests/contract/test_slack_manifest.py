"""The manifests ask Slack for what Threadline has use for, and for nothing else."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from schemas.buttons import ASK, TASK
from schemas.envelope import Received, SlackEnvelope
from services.directory.slack_tokens import MORE_SCOPES, SCOPES
from services.ingress.decisions.event_types import EVENTS as KNOWN
from services.ingress.decisions.reading import Delivery
from services.ingress.decisions.removal import removed_from
from services.router.decisions.inbound import Commanded, Origin, Passing
from services.router.decisions.interactions import kind_of
from services.router.decisions.normalize import normalize
from services.slack_sim.telling.events import HEARD_AS
from services.slack_sim.web_api.table import METHODS
from services.slack_sim.world.sample import SHORTCUTS as LOCAL_SHORTCUTS
from tests.deciding import Deciding, message
from threadline.slack_manifest import ADDRESS, COMMANDS, EVENTS, HTTP, OF_AGENTS, SHORTCUTS, SOCKETS

ROOT = Path(__file__).parents[2]
CALLERS = ("ingress", "responder", "directory", "local", "kit")
CONNECTION = "A1:T1"


def text(longest: int) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": longest}


def thing(needed: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**needed, **more},
        "required": list(needed),
        "additionalProperties": False,
    }


YES_OR_NO: Any = {"type": "boolean"}
URL = {"type": "string", "pattern": "^https://"}
NAMES = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}
SHAPE = thing(
    {
        "display_information": thing({"name": text(35)}, description=text(140)),
        "features": thing(
            {
                "app_home": thing(
                    {
                        "home_tab_enabled": YES_OR_NO,
                        "messages_tab_enabled": YES_OR_NO,
                        "messages_tab_read_only_enabled": YES_OR_NO,
                    }
                ),
                "bot_user": thing({"display_name": {**text(80), "pattern": "^[a-z0-9._-]+$"}}, always_online=YES_OR_NO),
                "shortcuts": {
                    "type": "array",
                    "maxItems": 10,
                    "items": thing(
                        {
                            "type": {"enum": ["global", "message"]},
                            "name": text(24),
                            "callback_id": text(255),
                            "description": text(150),
                        }
                    ),
                },
                "slash_commands": {
                    "type": "array",
                    "maxItems": 50,
                    "items": thing(
                        {"command": {**text(32), "pattern": "^/"}, "description": text(2000)},
                        should_escape=YES_OR_NO,
                        url=URL,
                        usage_hint=text(1000),
                    ),
                },
            }
        ),
        "oauth_config": thing({"scopes": thing({"bot": NAMES})}, redirect_urls={"type": "array", "items": URL}),
        "settings": thing(
            {
                "event_subscriptions": thing({"bot_events": NAMES}, request_url=URL),
                "interactivity": thing({"is_enabled": YES_OR_NO}, request_url=URL),
                "org_deploy_enabled": YES_OR_NO,
                "socket_mode_enabled": YES_OR_NO,
                "token_rotation_enabled": YES_OR_NO,
            }
        ),
    }
)
"""What Slack documents of a manifest, as far as ours use it."""

WORKS_WITHOUT = {"bots.info", "conversations.list"}
"""The first is only asked where an app token names no app, which Slack's own always do; a refusal is told with what to
set. The second is asked for channels alone, with the scopes of events; without them a channel is posted to by name."""


@pytest.mark.parametrize("name", [SOCKETS, HTTP])
def test_a_manifest_is_as_slack_wants_it(name: str) -> None:
    found = read(name)
    Draft202012Validator(SHAPE).validate(found)
    assert found["features"]["app_home"]["messages_tab_enabled"], "people could not write to it directly"
    assert not found["features"]["app_home"]["messages_tab_read_only_enabled"]


def test_they_differ_in_how_slack_reaches_the_app_and_in_nothing_else() -> None:
    over_http = read(HTTP)
    addresses = re.findall(r"https?://\S+", (ROOT / "infra/slack" / HTTP).read_text("utf-8"))
    assert len(addresses) > 4
    assert {each.removeprefix(ADDRESS) for each in addresses} == {"", "/slack/events", "/slack/oauth_redirect"}
    del over_http["oauth_config"]["redirect_urls"]
    for each in (*over_http["features"]["slash_commands"], over_http["settings"]["interactivity"]):
        each.pop("url", None)
        each.pop("request_url", None)
    del over_http["settings"]["event_subscriptions"]["request_url"]
    over_http["settings"]["socket_mode_enabled"] = True
    assert over_http == read(SOCKETS)


def test_it_hears_what_somebody_here_has_use_for() -> None:
    useful = {name for name in KNOWN if is_useful(name)}
    assert {"message", "app_mention", "tokens_revoked", OF_AGENTS} <= useful
    heard = {*(useful - {"message", OF_AGENTS}), *HEARD_AS.values()}
    assert set(read(SOCKETS)["settings"]["event_subscriptions"]["bot_events"]) == heard == set(EVENTS)


def test_each_scope_is_needed_and_none_is_missing() -> None:
    by_calls = {scope for name in called() - WORKS_WITHOUT for scope in METHODS[name].scopes}
    by_events = {scope for scopes in EVENTS.values() for scope in scopes}
    asked_for = set(read(SOCKETS)["oauth_config"]["scopes"]["bot"])
    assert asked_for == by_calls | by_events | {"commands"}
    assert asked_for == {*SCOPES, *MORE_SCOPES}, "the doctor and OAuth ask for the same"


def test_the_calls_are_those_that_we_know_of() -> None:
    assert {
        "chat.postMessage",
        "conversations.replies",
        "reactions.add",
        "auth.test",
        "apps.connections.open",
    } <= called()


def test_what_it_works_without_is_called() -> None:
    assert called() >= WORKS_WITHOUT


def test_a_command_does_what_it_says_where_another_only_helps() -> None:
    assert kind_of(typed("/deploy")) == "help"
    for each in read(SOCKETS)["features"]["slash_commands"]:
        is_stop = each["command"] == "/stop"
        assert is_stop or kind_of(typed(each["command"])) != "help", each
    assert [each["command"] for each in read(SOCKETS)["features"]["slash_commands"]] == list(COMMANDS)


def test_a_shortcut_does_something_where_another_does_nothing() -> None:
    router = Deciding()
    assert router.take(router.envelope("interactive", chosen("theirs"), "s0")).kind == "ignored"
    offered = read(SOCKETS)["features"]["shortcuts"]
    assert [each["callback_id"] for each in offered] == list(SHORTCUTS) == [ASK, TASK]
    told = [router.take(router.envelope("interactive", chosen(each), each)).kind for each in (ASK, TASK)]
    assert told == ["dispatched", "interaction"]
    assert {each["type"] for each in offered} == {"message"}, "the router reads no other"


def test_the_local_slack_offers_the_shortcuts_of_the_manifest() -> None:
    local = [(each.callback_id, each.name) for each in LOCAL_SHORTCUTS if each.on == "message"]
    assert local == [(callback_id, name) for callback_id, (name, _) in SHORTCUTS.items()]


def read(name: str) -> Any:
    return YAML(typ="safe", pure=True).load(ROOT / "infra/slack" / name)


def called() -> set[str]:
    """Methods of Slack's that are named in services, as Slack or as its SDK writes them."""
    code = "\n".join(path.read_text("utf-8") for room in CALLERS for path in (ROOT / "services" / room).rglob("*.py"))
    return {name for name in METHODS if f'"{name}"' in code or f".{name.replace('.', '_')}(" in code}


def is_useful(event_type: str) -> bool:
    """Whether an event is more to the router than one that passes, or tells ingress that the app is gone."""
    event = {
        "type": event_type,
        "channel": "C1",
        "user": "U1",
        "ts": "1.1",
        "thread_ts": "1.1",
        "text": "hello",
        "reaction": "eyes",
        "item": {"type": "message", "channel": "C1", "ts": "1.1"},
        "tokens": {"bot": ["U2"]},
    }
    payload: dict[str, Any] = {"type": "event_callback", "event": event}
    now = datetime(2026, 3, 2, tzinfo=UTC)
    envelope = SlackEnvelope(
        at=now,
        kind="events_api",
        connection=CONNECTION,
        event_id="Ev1",
        received=Received(transport="socket", received_at=now, ingress="test"),
        payload=payload,
    )
    if removed_from(Delivery("events_api", payload, CONNECTION, "Ev1")) is not None:
        return True
    return not isinstance(normalize(envelope), Passing)


def chosen(callback_id: str) -> dict[str, Any]:
    """Somebody chooses a shortcut of a message."""
    return {
        "type": "message_action",
        "callback_id": callback_id,
        "api_app_id": "A1",
        "team": {"id": "T1"},
        "user": {"id": "UANNA"},
        "channel": {"id": "C1"},
        "action_ts": "9.5",
        "message": message("deploy version 4", "9.000001", user="UBEN"),
    }


def typed(command: str) -> Commanded:
    return Commanded(Origin(CONNECTION, "T1", sender="U1"), "slash_command", command, "something", "C1")
