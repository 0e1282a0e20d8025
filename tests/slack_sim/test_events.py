"""What apps hear of what people do, in the shapes that Slack gives it."""

from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from services.slack_sim.client import Refused, SlackSim
from services.slack_sim.control.asks import (
    AddChannel,
    AddUser,
    AddWorkspace,
    ChangeApp,
    Delete,
    Edit,
    InstallApp,
    Join,
    Leave,
    OpenApp,
    OpenAssistant,
    React,
    Say,
    StopAgent,
    UninstallApp,
)
from services.slack_sim.control.conditions import ASession
from tests.slack_sim.calling import call
from tests.slack_sim.first import First

Json = dict[str, Any]


async def heard(sim: SlackSim, name: str) -> Json:
    """The one event of that kind."""
    (envelope,) = await sim.envelopes(name)
    event: Json = envelope.payload["event"]
    return event


async def test_the_outer_part_says_for_whom_it_is(sim: SlackSim, first: First) -> None:
    await sim.say(first.you, first.general, "hi")
    (envelope,) = await sim.envelopes()
    payload = envelope.payload
    assert payload["type"] == "event_callback"
    assert payload["api_app_id"] == first.app.id
    assert payload["authorizations"] == [
        {
            "enterprise_id": None,
            "team_id": first.team,
            "user_id": first.bot_user,
            "is_bot": True,
            "is_enterprise_install": False,
        }
    ]
    assert payload["is_ext_shared_channel"] is False
    assert payload["event_id"].startswith("Ev")
    event = payload["event"]
    assert event["client_msg_id"]
    assert (event["user"], event["channel"], event["ts"]) == (first.you, first.general, event["event_ts"])


async def test_a_reply_names_its_thread_and_whose_it_is(sim: SlackSim, first: First) -> None:
    root = await sim.say(first.you, first.general, "root")
    await sim.say(first.colleague, first.general, f"<@{first.bot_user}> reply", root)
    reply = await heard(sim, "app_mention")
    assert (reply["thread_ts"], reply["parent_user_id"]) == (root, first.you)


async def test_edits_and_deletions_are_hidden_messages(sim: SlackSim, first: First) -> None:
    ts = await sim.say(first.you, first.general, "one")
    await sim.ask(Edit(user_id=first.you, channel_id=first.general, ts=ts, text="two"))
    await sim.ask(Delete(user_id=first.you, channel_id=first.general, ts=ts))
    _, changed, deleted = [each.payload["event"] for each in await sim.envelopes("message")]
    assert (changed["subtype"], changed["hidden"]) == ("message_changed", True)
    assert (changed["previous_message"]["text"], changed["message"]["text"]) == ("one", "two")
    assert changed["message"]["edited"]["user"] == first.you
    assert (deleted["subtype"], deleted["deleted_ts"], deleted["previous_message"]["text"]) == (
        "message_deleted",
        ts,
        "two",
    )
    assert "text" not in deleted
    for only_theirs in (Edit(user_id=first.colleague, channel_id=first.general, ts=ts, text="x"),):
        with pytest.raises(Refused, match="message_not_found"):
            await sim.ask(only_theirs)


async def test_files_and_broadcasts_have_their_subtypes(sim: SlackSim, first: First) -> None:
    root = await sim.say(first.you, first.general, "root")
    await sim.ask(Say(user_id=first.you, channel_id=first.general, text="see", files=["a.pdf"]))
    await sim.ask(Say(user_id=first.you, channel_id=first.general, text="all", thread_ts=root, broadcast=True))
    _, shared, broadcast = [each.payload["event"] for each in await sim.envelopes("message")]
    assert (shared["subtype"], shared["files"][0]["name"], shared["files"][0]["filetype"]) == (
        "file_share",
        "a.pdf",
        "pdf",
    )
    assert (broadcast["subtype"], broadcast["thread_ts"]) == ("thread_broadcast", root)
    shown = [message["text"] for message in (await sim.transcript(first.general)).messages]
    assert shown == ["root", "see", "all"]


async def test_reactions_come_and_go(sim: SlackSim, first: First, bot: AsyncWebClient) -> None:
    ts = await sim.say(first.you, first.general, "hi")
    await sim.ask(React(user_id=first.colleague, channel_id=first.general, ts=ts, name="octagonal_sign"))
    added = await heard(sim, "reaction_added")
    assert (added["user"], added["reaction"], added["item_user"]) == (first.colleague, "octagonal_sign", first.you)
    assert added["item"] == {"type": "message", "channel": first.general, "ts": ts}
    await sim.ask(React(user_id=first.colleague, channel_id=first.general, ts=ts, name="octagonal_sign", remove=True))
    assert (await heard(sim, "reaction_removed"))["user"] == first.colleague
    await bot.reactions_add(channel=first.general, timestamp=ts, name="eyes")
    assert len(await sim.envelopes("reaction_added")) == 2


async def test_a_direct_message_is_no_mention(sim: SlackSim, first: First) -> None:
    dm = (await sim.ask(OpenApp(user_id=first.you, app_id=first.app.id))).id
    opened = await heard(sim, "app_home_opened")
    assert (opened["tab"], opened["channel"], opened["user"]) == ("messages", dm, first.you)
    await sim.say(first.you, dm, f"<@{first.bot_user}> hi")
    assert (await heard(sim, "message"))["channel_type"] == "im"
    assert not await sim.envelopes("app_mention")


async def test_an_app_hears_only_where_it_stands_and_what_it_asked_for(sim: SlackSim, first: First) -> None:
    await sim.say(first.you, first.random, f"<@{first.bot_user}> hi")
    assert not await sim.envelopes()
    await sim.ask(ChangeApp(app_id=first.app.id, events=["app_mention"]))
    await sim.say(first.you, first.general, f"<@{first.bot_user}> hi")
    assert [each.name for each in await sim.envelopes()] == ["app_mention"]


async def test_its_own_message_is_no_mention_of_itself(sim: SlackSim, first: First, bot: AsyncWebClient) -> None:
    await bot.chat_postMessage(channel=first.general, text=f"I am <@{first.bot_user}>")
    (envelope,) = await sim.envelopes()
    event = envelope.payload["event"]
    assert (event["type"], event["bot_id"][0], event["app_id"]) == ("message", "B", first.app.id)


async def test_joining_and_leaving(sim: SlackSim, first: First) -> None:
    await sim.ask(Join(user_id=first.bot_user, channel_id=first.random, inviter=first.you))
    joined = await heard(sim, "member_joined_channel")
    assert (joined["user"], joined["channel_type"], joined["inviter"]) == (first.bot_user, "C", first.you)
    assert (await heard(sim, "message"))["subtype"] == "channel_join"
    await sim.ask(Leave(user_id=first.bot_user, channel_id=first.random))
    await sim.say(first.you, first.random, "gone?")
    assert len(await sim.envelopes("message")) == 1


async def test_a_native_stop_ends_streams_and_leaves_the_session_to_the_app(
    sim: SlackSim, first: First, bot: AsyncWebClient
) -> None:
    root = await sim.say(first.you, first.general, f"<@{first.bot_user}> hi")
    status = {"channel_id": first.general, "thread_ts": root, "status": "processing"}
    assert (await call(sim, "agents.sessions.setStatus", first.bot_token, **status))["agent_status"] == "processing"
    started = await bot.chat_startStream(
        channel=first.general,
        thread_ts=root,
        markdown_text="I",
        recipient_user_id=first.you,
        recipient_team_id=first.team,
    )
    stream = started["ts"]
    pressed = StopAgent(user_id=first.you, channel_id=first.general, thread_ts=root, app_id=first.app.id)
    assert (await sim.ask(pressed)).streaming_message_ts == [stream]
    stopped = await heard(sim, "agent_session_stopped")
    assert (stopped["thread_ts"], stopped["user"], stopped["streaming_message_ts"]) == (root, first.you, [stream])
    late = await call(sim, "chat.appendStream", first.bot_token, channel=first.general, ts=stream, markdown_text="x")
    assert late["error"] == "stopped_by_user"
    await sim.wait(ASession(channel_id=first.general, thread_ts=root, status="processing"))
    await call(sim, "agents.sessions.setStatus", first.bot_token, **(status | {"status": "active"}))
    with pytest.raises(Refused, match="nothing_to_stop"):
        await sim.ask(pressed)


async def test_without_the_event_the_status_warns(sim: SlackSim, first: First) -> None:
    await sim.ask(ChangeApp(app_id=first.app.id, events=["app_mention"]))
    root = await sim.say(first.you, first.general, "hi")
    status = {"channel_id": first.general, "thread_ts": root, "status": "processing"}
    answer = await call(sim, "agents.sessions.setStatus", first.bot_token, **status)
    assert answer["warning"] == "missing_agent_session_stopped_event_subscription"


async def test_an_assistant_of_the_older_kind(sim: SlackSim, first: First) -> None:
    asked = OpenAssistant(user_id=first.you, app_id=first.app.id, looking_at=first.general)
    thread = await sim.ask(asked)
    started = (await heard(sim, "assistant_thread_started"))["assistant_thread"]
    assert (started["user_id"], started["channel_id"], started["thread_ts"]) == (
        first.you,
        thread.channel_id,
        thread.ts,
    )
    assert started["context"]["channel_id"] == first.general
    await sim.ask(asked.model_copy(update={"looking_at": first.support, "thread_ts": thread.ts}))
    changed = (await heard(sim, "assistant_thread_context_changed"))["assistant_thread"]
    assert changed["context"]["channel_id"] == first.support
    line = {"channel_id": thread.channel_id, "thread_ts": thread.ts, "status": "is thinking…"}
    assert (await call(sim, "assistant.threads.setStatus", first.bot_token, **line))["ok"]
    await sim.wait(ASession(channel_id=thread.channel_id, thread_ts=thread.ts, line="is thinking…"))
    said = {"channel": thread.channel_id, "thread_ts": thread.ts, "text": "done"}
    await call(sim, "chat.postMessage", first.bot_token, **said)
    await sim.wait(ASession(channel_id=thread.channel_id, thread_ts=thread.ts, line=""))


async def test_a_shared_channel_tells_each_workspaces_app_for_whom_it_is(sim: SlackSim, first: First) -> None:
    other = (await sim.ask(AddWorkspace(name="Other"))).id
    stranger = (await sim.ask(AddUser(team_id=other, name="stranger"))).id
    members = [first.you, stranger, first.bot_user]
    asked = AddChannel(team_id=other, name="shared", members=members, connected_team_ids=[first.team])
    shared = (await sim.ask(asked)).id
    await sim.say(stranger, shared, f"<@{first.bot_user}> hi")
    (envelope,) = await sim.envelopes("app_mention")
    assert envelope.payload["team_id"] == other
    assert envelope.payload["authorizations"][0]["team_id"] == first.team
    assert envelope.payload["is_ext_shared_channel"] is True
    assert (await call(sim, "users.info", first.bot_token, user=stranger))["user"]["team_id"] == other
    assert (await call(sim, "chat.postMessage", first.bot_token, channel=shared, text="hello"))["ok"]


async def test_an_enterprises_workspaces_say_so(sim: SlackSim, first: First) -> None:
    team = (await sim.ask(AddWorkspace(name="Grid", enterprise_id="E0GRID"))).id
    user = (await sim.ask(AddUser(team_id=team, name="somebody"))).id
    channel = (await sim.ask(AddChannel(team_id=team, name="general", members=[user]))).id
    installed = await sim.ask(InstallApp(app_id=first.app.id, team_id=team, channels=[channel]))
    await sim.say(user, channel, f"<@{installed.bot_user_id}> hi")
    (envelope,) = await sim.envelopes("app_mention")
    assert envelope.payload["enterprise_id"] == "E0GRID"
    assert envelope.payload["authorizations"][0]["enterprise_id"] == "E0GRID"
    assert (await call(sim, "auth.test", installed.bot_token))["enterprise_id"] == "E0GRID"


async def test_an_app_that_is_taken_out_is_told_and_hears_no_more(sim: SlackSim, first: First) -> None:
    await sim.ask(UninstallApp(app_id=first.app.id, team_id=first.team))
    revoked = await heard(sim, "tokens_revoked")
    assert revoked["tokens"] == {"oauth": [], "bot": [first.bot_user]}
    assert (await heard(sim, "app_uninstalled"))["type"] == "app_uninstalled"
    await sim.say(first.you, first.general, "anybody?")
    assert not await sim.envelopes("message")
    with pytest.raises(Refused, match="app_not_installed"):
        await sim.ask(UninstallApp(app_id=first.app.id, team_id=first.team))
