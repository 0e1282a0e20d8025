"""Slack's objects, as its API and events show them: a message, a user, a channel, a view, a file."""

from typing import Any

from services.slack_sim.telling.rich_text import rich_text_of
from services.slack_sim.world.entities import App, Channel, Ephemeral, File, Message, User, View, Workspace
from services.slack_sim.world.world import World

Json = dict[str, Any]


def message_shape(world: World, message: Message, *, with_metadata: bool = False) -> Json:
    """A message as history shows it. Metadata is there only for who asks."""
    shape: Json = {"type": "message"}
    if message.subtype is not None:
        shape["subtype"] = message.subtype
    shape |= {"user": message.user, "ts": message.ts, "text": message.text, "team": message.team}
    if message.client_msg_id is not None:
        shape["client_msg_id"] = message.client_msg_id
    shape |= _author_of(world, message) | _content_of(world, message)
    if message.metadata is not None and with_metadata:
        shape["metadata"] = message.metadata
    if message.edited_ts is not None:
        shape["edited"] = {"user": message.edited_by, "ts": message.edited_ts}
    if message.reactions:
        shape["reactions"] = [
            {"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()
        ]
    if message.stream is not None:
        shape["streaming_state"] = "in_progress" if message.stream.state == "streaming" else "completed"
    return shape | _thread_of(world, message)


def _author_of(world: World, message: Message) -> Json:
    shape: Json = {}
    if message.bot_id is not None:
        shape |= {"bot_id": message.bot_id, "app_id": message.app_id, "bot_profile": _profile_of(world, message)}
    if message.username is not None:
        shape["username"] = message.username
    if message.icon is not None:
        shape["icons"] = {"emoji": message.icon} if message.icon.startswith(":") else {"image_64": message.icon}
    return shape


def _content_of(world: World, message: Message) -> Json:
    shape: Json = {}
    if message.blocks is not None:
        shape["blocks"] = message.blocks
    elif message.text and message.subtype not in {"channel_join", "channel_leave"}:
        shape["blocks"] = rich_text_of(message.text, message.ts)
    if message.attachments is not None:
        shape["attachments"] = message.attachments
    if message.files is not None:
        shape["files"] = [file_shape(world.files[each]) for each in message.files if each in world.files]
    return shape


def _thread_of(world: World, message: Message) -> Json:
    conversation = world.conversations[message.channel]
    replies = conversation.replies(message.ts)
    if not replies:
        if message.thread_ts is None or message.thread_ts == message.ts:
            return {}
        root = conversation.messages.get(message.thread_ts)
        return {"thread_ts": message.thread_ts} | ({"parent_user_id": root.user} if root else {})
    people = list(dict.fromkeys(conversation.messages[ts].user for ts in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(people),
        "latest_reply": replies[-1],
        "reply_users": people,
        "is_locked": False,
        "subscribed": False,
    }


def _profile_of(world: World, message: Message) -> Json:
    bot = world.bot(message.bot_id or "")
    app = world.apps.get(message.app_id or "")
    return {
        "id": message.bot_id,
        "app_id": message.app_id,
        "user_id": bot.id if bot else message.user,
        "name": app.name if app else message.user,
        "icons": {},
        "deleted": False,
        "updated": 0,
        "team_id": message.team,
    }


def ephemeral_shape(ephemeral: Ephemeral) -> Json:
    """A message that one person sees, as an interaction on it tells of it."""
    shape: Json = {"type": "message", "subtype": "bot_message", "is_ephemeral": True, "text": ephemeral.text}
    shape |= {"ts": ephemeral.ts, "user": ephemeral.bot_user_id, "app_id": ephemeral.app_id}
    if ephemeral.blocks is not None:
        shape["blocks"] = ephemeral.blocks
    if ephemeral.thread_ts is not None:
        shape["thread_ts"] = ephemeral.thread_ts
    return shape


def user_shape(user: User) -> Json:
    """A user as users.info shows it."""
    profile: Json = {
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "first_name": user.real_name.partition(" ")[0],
        "last_name": user.real_name.partition(" ")[2],
        "status_text": "",
        "status_emoji": "",
        "title": "",
        "team": user.team_id,
    }
    if user.email is not None:
        profile["email"] = user.email
    if user.bot_id is not None:
        profile |= {"bot_id": user.bot_id, "api_app_id": user.app_id}
    return {
        "id": user.id,
        "team_id": user.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": 0,
        "profile": profile,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": user.bot_id is not None,
        "is_app_user": False,
        "updated": 0,
    }


def channel_shape(world: World, channel: Channel, viewer: str) -> Json:
    """A channel as conversations.info shows it to somebody."""
    is_member = viewer in channel.members
    shape: Json = {
        "id": channel.id,
        "created": channel.created,
        "creator": channel.creator,
        "is_archived": channel.archived,
        "is_im": channel.kind == "im",
        "is_mpim": channel.kind == "mpim",
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind in {"group", "mpim"},
        "is_private": channel.kind != "channel",
        "is_org_shared": False,
        "context_team_id": channel.team_id,
        "updated": channel.created * 1000,
    }
    if channel.kind == "im":
        others = [member for member in channel.members if member != viewer] or channel.members
        return shape | {"user": others[0], "is_user_deleted": False, "priority": 0}
    return shape | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_general": channel.name == "general",
        "is_member": is_member,
        "is_shared": bool(channel.connected_team_ids),
        "is_ext_shared": bool(channel.connected_team_ids),
        "is_pending_ext_shared": False,
        "pending_shared": [],
        "shared_team_ids": world.teams_of(channel),
        "previous_names": [],
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": channel.purpose, "creator": "", "last_set": 0},
        "num_members": len(channel.members),
    }


def file_shape(file: File) -> Json:
    """A file as files.info shows it."""
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": file.mimetype,
        "filetype": file.name.rpartition(".")[2] if "." in file.name else "binary",
        "size": file.size,
        "user": file.user,
        "user_team": file.team_id,
        "mode": "hosted",
        "is_external": False,
        "is_public": False,
        "channels": [each for each in file.channels if each.startswith("C")],
        "groups": [each for each in file.channels if each.startswith("G")],
        "ims": [each for each in file.channels if each.startswith("D")],
    }


def view_shape(world: World, view: View) -> Json:
    """A view as views.open gives it back, and as interactions tell of it."""
    installation = world.installations[view.app_id, view.team_id]
    body = view.body
    shape: Json = {
        "id": view.id,
        "team_id": view.team_id,
        "type": body["type"],
        "blocks": body.get("blocks", []),
        "private_metadata": body.get("private_metadata", ""),
        "callback_id": body.get("callback_id", ""),
        "external_id": view.external_id or "",
        "state": {"values": view.values},
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "app_id": view.app_id,
        "app_installed_team_id": view.team_id,
        "bot_id": installation.bot_id,
    }
    if body["type"] == "modal":
        shape |= {
            "title": body["title"],
            "close": body.get("close"),
            "submit": body.get("submit"),
            "clear_on_close": body.get("clear_on_close", False),
            "notify_on_close": body.get("notify_on_close", False),
        }
    return shape


def team_shape(workspace: Workspace) -> Json:
    """A workspace as interactions tell of it."""
    shape: Json = {"id": workspace.id, "domain": workspace.domain}
    if workspace.enterprise_id is not None:
        shape["enterprise_id"] = workspace.enterprise_id
    return shape


def bot_shape(app: App, user: User) -> Json:
    """A bot as bots.info shows it."""
    return {
        "id": user.bot_id,
        "deleted": user.deleted,
        "name": app.name,
        "updated": 0,
        "app_id": app.id,
        "user_id": user.id,
        "icons": {},
    }
