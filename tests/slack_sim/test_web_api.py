"""What the Web API answers to what is wrong: Slack's own error, and never a failure of the server."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import SlackSim
from services.slack_sim.control.asks import (
    AddApp,
    InstallApp,
    ReadCounts,
    RevokeToken,
    SetLimits,
    UninstallApp,
)
from services.slack_sim.web_api.table import METHODS
from tests.slack_sim.calling import call, raw
from tests.slack_sim.first import First

LONG = "x" * 13_000


@pytest.fixture
async def unlimited(sim: SlackSim) -> None:
    await sim.ask(SetLimits(on=False))


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        (b'{"channel":', "application/json", "invalid_json"),
        (b"\xff\xfe", "application/json", "invalid_json"),
        (b"[" * 100_000, "application/json", "invalid_json"),
        (b'{"limit": NaN}', "application/json", "invalid_json"),
        (b'{"limit": 1e400}', "application/json", "invalid_json"),
        (b"[1,2]", "application/json", "json_not_object"),
        (b'"text"', "application/json", "json_not_object"),
        (b"channel=C1", "text/csv", "invalid_post_type"),
        (b"%ff=\xff", "application/x-www-form-urlencoded", "invalid_form_data"),
        (b"rubbish", "multipart/form-data", "invalid_form_data"),
        (b"rubbish", "multipart/form-data; boundary=x", "invalid_form_data"),
    ],
)
async def test_a_body_that_cannot_be_read_is_named(
    sim: SlackSim, first: First, body: bytes, content_type: str, error: str
) -> None:
    status, answer, _ = await raw(sim, "chat.postMessage", first.bot_token, body, content_type)
    assert (status, json.loads(answer)["error"]) == (200, error)


async def test_a_body_without_a_kind_is_named(sim: SlackSim, first: First) -> None:
    status, answer, _ = await raw(sim, "chat.postMessage", first.bot_token, b"{}", None)
    assert (status, json.loads(answer)["error"]) == (200, "missing_post_type")


async def test_half_a_character_and_deep_nesting_harm_nobody(sim: SlackSim, first: First) -> None:
    half = f'{{"channel": "{first.general}", "text": "a\\ud83d b"}}'.encode()
    _, answer, _ = await raw(sim, "chat.postMessage", first.bot_token, half, "application/json")
    assert json.loads(answer)["message"]["text"] == "a? b"
    nested = b'{"channel": "%s", "blocks": %s%s}' % (first.general.encode(), b'[{"elements":' * 300, b"}]" * 300)
    _, answer, _ = await raw(sim, "chat.postMessage", first.bot_token, nested, "application/json")
    assert json.loads(answer)["error"] in {"invalid_json", "invalid_blocks", "invalid_arguments"}


async def test_tokens_that_are_no_good(sim: SlackSim, first: First) -> None:
    assert (await call(sim, "auth.test", None))["error"] == "not_authed"
    assert (await call(sim, "auth.test", "xoxb-nobody"))["error"] == "invalid_auth"
    in_json = json.dumps({"token": first.bot_token}).encode()
    _, refused, _ = await raw(sim, "auth.test", None, in_json, "application/json")
    assert json.loads(refused)["error"] == "not_authed"
    assert (await call(sim, "chat.postMessage", first.app.app_token))["error"] == "not_allowed_token_type"
    assert (await call(sim, "apps.connections.open", first.bot_token))["error"] == "not_allowed_token_type"
    await sim.ask(RevokeToken(app_id=first.app.id, team_id=first.team))
    assert (await call(sim, "auth.test", first.bot_token))["error"] == "token_revoked"
    again = await sim.ask(InstallApp(app_id=first.app.id, team_id=first.team))
    assert (await call(sim, "auth.test", again.bot_token))["ok"]
    assert (await call(sim, "auth.test", first.bot_token))["error"] == "token_revoked"
    await sim.ask(UninstallApp(app_id=first.app.id, team_id=first.team))
    assert (await call(sim, "auth.test", again.bot_token))["error"] == "account_inactive"


async def test_a_missing_scope_says_what_is_needed_and_what_there_is(sim: SlackSim, first: First) -> None:
    app = await sim.ask(AddApp(name="Reader", scopes=["channels:read"]))
    installed = await sim.ask(InstallApp(app_id=app.id, team_id=first.team))
    refused = await call(sim, "chat.postMessage", installed.bot_token, channel=first.general, text="hi")
    assert refused == {"ok": False, "error": "missing_scope", "needed": "chat:write", "provided": "channels:read"}
    groups = await call(sim, "conversations.list", installed.bot_token, types="public_channel,private_channel")
    assert (groups["error"], groups["needed"]) == ("missing_scope", "groups:read")
    assert first.app.id != app.id


async def test_the_scopes_are_in_a_header(sim: SlackSim, first: First) -> None:
    _, _, headers = await raw(sim, "auth.test", first.bot_token, b"", "application/x-www-form-urlencoded")
    assert headers["x-oauth-scopes"].split(",") == first.app.scopes


async def test_an_unknown_method_is_named_and_counted(sim: SlackSim, first: First) -> None:
    for _ in range(2):
        assert (await call(sim, "chat.shout", first.bot_token))["error"] == "unknown_method"
    assert (await sim.ask(ReadCounts())).unknown_methods == {"chat.shout": 2}


Case = tuple[str, dict[str, Any], str]


def block(kind: str, **rest: Any) -> list[dict[str, Any]]:
    return [{"type": kind, **rest}]


def section(text: str) -> list[dict[str, Any]]:
    return block("section", text={"type": "mrkdwn", "text": text})


MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": []}
CASES: list[Case] = [
    ("chat.postMessage", {"channel": "C0NOWHERE", "text": "hi"}, "channel_not_found"),
    ("chat.postMessage", {"text": "hi"}, "invalid_arguments"),
    ("chat.postMessage", {"channel": "$general"}, "no_text"),
    ("chat.postMessage", {"channel": "$general", "blocks": []}, "no_text"),
    ("chat.postMessage", {"channel": "$general", "blocks": "{"}, "invalid_blocks_format"),
    ("chat.postMessage", {"channel": "$general", "blocks": {"a": 1}}, "invalid_blocks_format"),
    ("chat.postMessage", {"channel": "$general", "blocks": block("nothing")}, "invalid_blocks"),
    ("chat.postMessage", {"channel": "$general", "blocks": ["text"]}, "invalid_blocks"),
    ("chat.postMessage", {"channel": "$general", "blocks": section("x" * 3001)}, "invalid_blocks"),
    ("chat.postMessage", {"channel": "$general", "blocks": section("x") * 51}, "invalid_blocks"),
    ("chat.postMessage", {"channel": "$general", "blocks": section("x" * 3000) * 5}, "msg_blocks_too_long"),
    ("chat.postMessage", {"channel": "$general", "blocks": block("markdown", text=LONG)}, "invalid_blocks"),
    ("chat.postMessage", {"channel": "$general", "text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
    ("chat.postMessage", {"channel": "$general", "attachments": ["x"]}, "invalid_attachments"),
    ("chat.postMessage", {"channel": "$general", "text": "a", "metadata": "x"}, "invalid_metadata_format"),
    ("chat.postMessage", {"channel": "$general", "text": "a", "metadata": {"x": 1}}, "invalid_metadata_format"),
    (
        "chat.postMessage",
        {"channel": "$general", "text": "a", "metadata": {"event_type": "e", "event_payload": {"a": [[1]]}}},
        "invalid_metadata_schema",
    ),
    (
        "chat.postMessage",
        {"channel": "$general", "text": "a", "metadata": {"event_type": "e", "event_payload": {"a": LONG}}},
        "metadata_too_large",
    ),
    ("chat.postEphemeral", {"channel": "$general", "user": "U0NOBODY", "text": "a"}, "user_not_in_channel"),
    ("chat.update", {"channel": "$general", "ts": "1.000000", "text": "a"}, "message_not_found"),
    ("chat.update", {"channel": "$general", "ts": "$theirs", "text": "a"}, "cant_update_message"),
    ("chat.update", {"channel": "$general", "ts": "$mine", "text": "x" * 4001}, "msg_too_long"),
    ("chat.delete", {"channel": "$general", "ts": "$theirs"}, "cant_delete_message"),
    ("chat.startStream", {"channel": "$general"}, "missing_recipient_user_id"),
    ("chat.startStream", {"channel": "$general", "recipient_user_id": "$you"}, "missing_recipient_team_id"),
    (
        "chat.appendStream",
        {"channel": "$general", "ts": "$mine", "markdown_text": "a"},
        "message_not_in_streaming_state",
    ),
    ("chat.appendStream", {"channel": "$general", "ts": "$theirs", "markdown_text": "a"}, "message_not_owned_by_app"),
    ("chat.stopStream", {"channel": "$general", "ts": "$mine"}, "message_not_in_streaming_state"),
    ("conversations.history", {"channel": "$general", "cursor": "rubbish"}, "invalid_cursor"),
    ("conversations.history", {"channel": "$general", "latest": "now"}, "invalid_ts_latest"),
    ("conversations.history", {"channel": "$random"}, "not_in_channel"),
    ("conversations.replies", {"channel": "$general", "ts": "1.000000"}, "thread_not_found"),
    ("conversations.info", {"channel": "C0NOWHERE"}, "channel_not_found"),
    ("conversations.list", {"types": "secret"}, "invalid_types"),
    ("conversations.open", {}, "users_list_not_supplied"),
    ("conversations.open", {"users": "U0NOBODY"}, "user_not_found"),
    ("users.info", {"user": "U0NOBODY"}, "user_not_found"),
    ("users.lookupByEmail", {"email": "nobody@acme.example"}, "users_not_found"),
    ("reactions.add", {"channel": "$general", "timestamp": "1.000000", "name": "eyes"}, "message_not_found"),
    ("reactions.add", {"channel": "$general", "timestamp": "soon", "name": "eyes"}, "bad_timestamp"),
    ("reactions.add", {"name": "eyes"}, "no_item_specified"),
    ("reactions.add", {"channel": "$general", "timestamp": "$mine", "name": "<b>"}, "invalid_name"),
    ("reactions.remove", {"channel": "$general", "timestamp": "$mine", "name": "eyes"}, "no_reaction"),
    ("views.open", {"view": MODAL, "trigger_id": "1.2.abc"}, "invalid_trigger_id"),
    ("views.open", {"view": MODAL | {"title": {"type": "plain_text", "text": "x" * 25}}}, "invalid_arguments"),
    ("views.open", {"view": MODAL | {"blocks": section("x") * 101}}, "invalid_arguments"),
    ("views.open", {"view": MODAL | {"private_metadata": "x" * 3001}}, "invalid_arguments"),
    ("views.open", {"view": "[1]"}, "invalid_arguments"),
    ("views.open", {"view": MODAL | {"callback_id": "x" * 260_000}}, "view_too_large"),
    ("views.update", {"view": MODAL, "view_id": "V0"}, "not_found"),
    ("views.publish", {"view": MODAL, "user_id": "$you"}, "invalid_arguments"),
    (
        "agents.sessions.setStatus",
        {"channel_id": "$general", "thread_ts": "$mine", "status": "asleep"},
        "invalid_status",
    ),
    ("agents.sessions.setStatus", {"channel_id": "$general", "status": "active"}, "thread_ts_required"),
    ("assistant.threads.setStatus", {"channel_id": "$general", "thread_ts": "1.0", "status": "a"}, "invalid_thread_ts"),
    ("files.getUploadURLExternal", {"filename": "a.txt", "length": 0}, "missing_argument"),
    ("files.info", {"file": "F0"}, "file_not_found"),
    ("bots.info", {"bot": "B0"}, "bot_not_found"),
    ("oauth.v2.access", {"client_id": "1.2", "client_secret": "x", "code": "y"}, "invalid_client_id"),
    ("apps.uninstall", {"client_id": "1.2", "client_secret": "x"}, "invalid_client_id"),
]


@pytest.mark.usefixtures("unlimited")
async def test_each_mistake_has_its_own_error(sim: SlackSim, first: First, bot: AsyncWebClient) -> None:
    theirs = await sim.say(first.you, first.general, "mine")
    mine = (await bot.chat_postMessage(channel=first.general, text="ours"))["ts"]
    names = {
        "$general": first.general, "$random": first.random, "$you": first.you, "$theirs": theirs, "$mine": mine,
    }  # fmt: skip
    for method, arguments, error in CASES:
        filled = {
            name: names.get(value, value) if isinstance(value, str) else value for name, value in arguments.items()
        }
        refused = await call(sim, method, first.bot_token, **filled)
        assert (refused["ok"], refused["error"]) == (False, error), (method, arguments, refused)


@pytest.mark.usefixtures("unlimited")
async def test_where_a_block_is_wrong_is_said(sim: SlackSim, first: First) -> None:
    wrong = await call(sim, "chat.postMessage", first.bot_token, channel=first.general, blocks=section("x" * 3001))
    told = "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
    assert wrong["errors"] == [told]
    assert wrong["response_metadata"]["messages"] == [f"[ERROR] {told}"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        "channel",
        "ts",
        "text",
        "blocks",
        "attachments",
        "metadata",
        "view",
        "trigger_id",
        "view_id",
        "user",
        "users",
        "name",
        "timestamp",
        "thread_ts",
        "chunks",
        "markdown_text",
        "files",
        "limit",
        "cursor",
        "types",
        "oldest",
        "latest",
        "status",
        "channel_id",
        "loading_messages",
        "prompts",
        "title",
        "bot",
        "team",
        "code",
        "client_id",
        "external_id",
        "hash",
        "user_id",
        "filename",
        "length",
        "recipient_user_id",
        "event_context",
    ]
)


@pytest.mark.usefixtures("unlimited")
async def test_no_rubbish_makes_the_server_fail(sim: SlackSim, first: First) -> None:
    mine = (await call(sim, "chat.postMessage", first.bot_token, channel=first.general, text="x"))["ts"]
    known = st.sampled_from([first.general, first.you, first.bot_user, mine, first.team])
    drawn: list[tuple[str, dict[str, Any]]] = []

    @settings(max_examples=600, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(sorted(METHODS)), st.dictionaries(NAMES, known | VALUES, max_size=6))
    def draw(method: str, arguments: dict[str, Any]) -> None:
        drawn.append((method, arguments))

    draw()
    for method, arguments in drawn:
        token = first.app.app_token if method.startswith("apps.conn") else first.bot_token
        if method in {"auth.revoke", "apps.uninstall"}:
            continue
        as_form = "&".join(f"{name}={value}" for name, value in arguments.items()).encode("utf-8", "replace")
        for body, kind in (
            (json.dumps(arguments).encode(), "application/json"),
            (as_form, "application/x-www-form-urlencoded"),
        ):
            status, answer, _ = await raw(sim, method, token, body, kind)
            parsed = json.loads(answer)
            assert status in {200, 413}
            assert parsed["ok"] or parsed["error"] != "internal_error", (method, arguments, parsed)
