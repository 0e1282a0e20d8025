"""conversations.*: what channels there are, what was said in them, and who is in them."""

import re

from services.slack_sim.refusal import Refusal
from services.slack_sim.telling.shapes import Json, channel_shape, message_shape
from services.slack_sim.web_api.call import Call, Method
from services.slack_sim.web_api.paging import cursor_of, cursor_to, limit_of, page_of
from services.slack_sim.world.conversation import within
from services.slack_sim.world.entities import Channel, ChannelKind, Message

TYPES: dict[str, ChannelKind] = {
    "public_channel": "channel",
    "private_channel": "group",
    "im": "im",
    "mpim": "mpim",
}
PREFIX = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
READ = tuple(f"{prefix}:read" for prefix in PREFIX.values())
HISTORY = tuple(f"{prefix}:history" for prefix in PREFIX.values())
MOST_MEMBERS = 8
LONGEST_NAME, LONGEST_TOPIC = 80, 250
MOST_REPLIES = 1000
COMMERCIAL_PER_MINUTE, COMMERCIAL_MOST = 1, 15
_STAMP = re.compile(r"\d+(\.\d+)?")


def _see(call: Call, what: str) -> Channel:
    """The channel that is named, with the scope for its kind."""
    channel = call.channel()
    call.need_scope(f"{PREFIX[channel.kind]}:{what}")
    return channel


def list_channels(call: Call) -> Json:
    """conversations.list."""
    return _listed(call, call.bot.id, only_theirs=False)


def users_conversations(call: Call) -> Json:
    """users.conversations."""
    who = call.user().id if "user" in call.args else call.bot.id
    return _listed(call, who, only_theirs=True)


def _listed(call: Call, viewer: str, *, only_theirs: bool) -> Json:
    kinds = set()
    for name in call.args.names("types") or ["public_channel"]:
        if name not in TYPES:
            raise Refusal("invalid_types")
        call.need_scope(f"{PREFIX[TYPES[name]]}:read")
        kinds.add(TYPES[name])
    without_archived = call.args.flag("exclude_archived")
    found = [
        (channel.id, channel_shape(call.slack.world, channel, viewer))
        for channel in call.slack.world.channels_of(call.team_id)
        if channel.kind in kinds
        and not (channel.archived and without_archived)
        and (viewer in channel.members or (channel.kind == "channel" and not only_theirs))
        and (channel.kind == "channel" or call.bot.id in channel.members)
    ]
    channels, following = page_of(sorted(found, key=lambda each: each[0]), call.args, "team")
    if only_theirs:
        channels = [{k: v for k, v in each.items() if k not in {"is_member", "num_members"}} for each in channels]
    return {"channels": channels, "response_metadata": {"next_cursor": following}}


def info(call: Call) -> Json:
    """conversations.info."""
    shape = channel_shape(call.slack.world, _see(call, "read"), call.bot.id)
    if not call.args.flag("include_num_members"):
        shape.pop("num_members", None)
    return {"channel": shape}


def members(call: Call) -> Json:
    """conversations.members."""
    channel = _see(call, "read")
    found, following = page_of([(each, each) for each in sorted(channel.members)], call.args, "user_id")
    return {"members": found, "response_metadata": {"next_cursor": following}}


def history(call: Call) -> Json:
    """conversations.history: the newest first."""
    channel = _see(call, "history")
    if call.bot.id not in channel.members:
        raise Refusal("not_in_channel")
    conversation = call.slack.world.conversations[channel.id]
    oldest, latest, inclusive = _span(call)
    cursor = cursor_of(call.args, "next_ts")
    limit = _history_limit(call, 100, 999)
    stamps = conversation.between(oldest, latest, inclusive=inclusive)
    if cursor is not None:
        last = f"{cursor[:-6]}.{cursor[-6:]}"
        stamps = within(stamps, "", last, inclusive=True)
    page = stamps[-limit:][::-1]
    shape: Json = {
        "messages": [_shown(call, conversation.messages[ts]) for ts in page],
        "has_more": len(stamps) > limit,
        "pin_count": 0,
    }
    if len(stamps) > limit:
        shape["response_metadata"] = {"next_cursor": cursor_to("next_ts", stamps[-limit - 1].replace(".", ""))}
    return shape


def replies(call: Call) -> Json:
    """conversations.replies: the thread's root first, then its replies, the oldest first."""
    channel = _see(call, "history")
    if call.bot.id not in channel.members:
        raise Refusal("not_in_channel")
    conversation = call.slack.world.conversations[channel.id]
    named = conversation.messages.get(call.args.needed("ts"))
    if named is None:
        raise Refusal("thread_not_found")
    root = conversation.messages.get(named.root_ts, named)
    oldest, latest, inclusive = _span(call)
    cursor = cursor_of(call.args, "next_ts")
    limit = _history_limit(call, MOST_REPLIES, MOST_REPLIES)
    rest = within(conversation.replies(root.ts), oldest, latest, inclusive=inclusive)
    if cursor is not None:
        rest = within(rest, f"{cursor[:-6]}.{cursor[-6:]}", "", inclusive=True)
    first = [] if cursor is not None else [_shown(call, root)]
    page, following = rest[: limit - len(first)], rest[limit - len(first) :]
    shape: Json = {
        "messages": [*first, *(_shown(call, conversation.messages[ts]) for ts in page)],
        "has_more": bool(following),
    }
    if following:
        shape["response_metadata"] = {"next_cursor": cursor_to("next_ts", following[0].replace(".", ""))}
    return shape


def _span(call: Call) -> tuple[str, str, bool]:
    oldest, latest = call.args.text("oldest"), call.args.text("latest")
    for name, stamp in (("oldest", oldest), ("latest", latest)):
        if stamp and not _STAMP.fullmatch(stamp):
            raise Refusal(f"invalid_ts_{name}")
    oldest = "" if oldest in {"0", "0.0"} else oldest
    return oldest, latest, call.args.flag("inclusive")


def _history_limit(call: Call, default: int, most: int) -> int:
    if call.slack.world.apps[call.installation.app_id].commercial:
        return limit_of(call.args, COMMERCIAL_MOST, COMMERCIAL_MOST)
    return limit_of(call.args, default, most)


def _shown(call: Call, message: Message) -> Json:
    return message_shape(call.slack.world, message, with_metadata=call.args.flag("include_all_metadata"))


def open_channel(call: Call) -> Json:
    """conversations.open: the direct messages of some people, or a channel of that kind by its id."""
    if "channel" in call.args:
        channel = call.channel()
        if channel.kind not in {"im", "mpim"}:
            raise Refusal("method_not_supported_for_channel_type")
        return _opened(call, channel, was_there=True)
    users = call.args.names("users")
    if not users:
        raise Refusal("users_list_not_supplied")
    if len(users) > MOST_MEMBERS:
        raise Refusal("too_many_users")
    for each in users:
        if call.slack.world.user(each, call.team_id) is None:
            raise Refusal("user_not_found")
    call.need_scope("im:write" if len(users) == 1 else "mpim:write")
    together = [*users, call.bot.id]
    was_there = call.slack.world.direct(call.team_id, list(dict.fromkeys(together))) is not None
    if not was_there and call.args.flag("prevent_creation"):
        raise Refusal("channel_not_found")
    return _opened(call, call.slack.talk.direct(call.team_id, together, call.bot.id), was_there=was_there)


def _opened(call: Call, channel: Channel, *, was_there: bool) -> Json:
    shape: Json = {"id": channel.id}
    if call.args.flag("return_im"):
        shape = channel_shape(call.slack.world, channel, call.bot.id) | {"is_open": True}
    return {"channel": shape} | ({"no_op": True, "already_open": True} if was_there else {})


def join(call: Call) -> Json:
    """conversations.join."""
    channel = call.channel()
    if channel.kind != "channel":
        raise Refusal("method_not_supported_for_channel_type")
    if channel.archived:
        raise Refusal("is_archived")
    if call.bot.id in channel.members:
        call.warnings.append("already_in_channel")
    else:
        call.slack.talk.join(channel, call.bot)
    return {"channel": channel_shape(call.slack.world, channel, call.bot.id)}


def leave(call: Call) -> Json:
    """conversations.leave."""
    channel = call.channel()
    if channel.kind in {"im", "mpim"}:
        raise Refusal("method_not_supported_for_channel_type")
    if channel.name == "general":
        raise Refusal("cant_leave_general")
    if call.bot.id not in channel.members:
        return {"not_in_channel": True}
    call.slack.talk.leave(channel, call.bot)
    return {}


def create(call: Call) -> Json:
    """conversations.create."""
    name, private = call.args.text("name"), call.args.flag("is_private")
    call.need_scope("groups:write" if private else "channels:manage")
    _check_name(call, name)
    kind: ChannelKind = "group" if private else "channel"
    slack = call.slack
    channel = Channel(
        slack.names.id("C"), call.team_id, name, kind, call.bot.id, slack.moments.seconds(), [call.bot.id]
    )
    slack.talk.make_channel(channel)
    return {"channel": channel_shape(slack.world, channel, call.bot.id)}


def _check_name(call: Call, name: str) -> None:
    if not name:
        raise Refusal("invalid_name_required")
    if len(name) > LONGEST_NAME:
        raise Refusal("invalid_name_maxlength")
    if not re.search(r"[a-z0-9]", name):
        raise Refusal("invalid_name_punctuation")
    if not re.fullmatch(r"[\w-]+", name) or name != name.lower():
        raise Refusal("invalid_name_specials")
    if any(each.name == name for each in call.slack.world.channels_of(call.team_id)):
        raise Refusal("name_taken")


def invite(call: Call) -> Json:
    """conversations.invite."""
    channel = call.channel_as_member()
    if channel.kind in {"im", "mpim"}:
        raise Refusal("method_not_supported_for_channel_type")
    prefix = PREFIX[channel.kind]
    call.need_scope(f"{prefix}:manage", f"{prefix}:write", f"{prefix}:write.invites")
    users = call.args.names("users")
    if not users:
        raise Refusal("no_user")
    errors = {each: error for each in users if (error := _cannot_invite(call, channel, each))}
    if errors and not (call.args.flag("force") and len(errors) < len(users)):
        listed = [{"user": each, "ok": False, "error": error} for each, error in errors.items()]
        raise Refusal(next(iter(errors.values())), errors=listed)
    for each in users:
        if each not in errors:
            call.slack.talk.join(channel, call.slack.world.users[each], call.bot.id)
    return {"channel": channel_shape(call.slack.world, channel, call.bot.id)}


def _cannot_invite(call: Call, channel: Channel, user_id: str) -> str | None:
    if call.slack.world.user(user_id, call.team_id) is None:
        return "user_not_found"
    if user_id == call.bot.id:
        return "cant_invite_self"
    return "already_in_channel" if user_id in channel.members else None


def archive(call: Call) -> Json:
    """conversations.archive."""
    channel = call.channel_as_member()
    if channel.kind in {"im", "mpim"}:
        raise Refusal("method_not_supported_for_channel_type")
    if channel.name == "general":
        raise Refusal("cant_archive_general")
    if channel.archived:
        raise Refusal("already_archived")
    channel.archived = True
    call.slack.world.keep(channel)
    return {}


def set_topic(call: Call) -> Json:
    """conversations.setTopic."""
    return _describe(call, "topic")


def set_purpose(call: Call) -> Json:
    """conversations.setPurpose."""
    return _describe(call, "purpose")


def _describe(call: Call, what: str) -> Json:
    channel = call.channel_as_member()
    text = call.args.needed(what)
    if len(text) > LONGEST_TOPIC:
        raise Refusal("too_long")
    setattr(channel, what, text)
    call.slack.world.keep(channel)
    return {"channel": channel_shape(call.slack.world, channel, call.bot.id), what: text}


_MANAGE = ("channels:manage", "groups:write")
METHODS = (
    Method("conversations.list", list_channels, READ, tier=2),
    Method("users.conversations", users_conversations, READ, tier=3),
    Method("conversations.info", info, READ, tier=3),
    Method("conversations.members", members, READ, tier=4),
    Method("conversations.history", history, HISTORY, tier=3),
    Method("conversations.replies", replies, HISTORY, tier=3),
    Method("conversations.open", open_channel, ("im:write", "mpim:write"), tier=3),
    Method("conversations.join", join, ("channels:join",), tier=3),
    Method("conversations.leave", leave, (*_MANAGE, "channels:write"), tier=3),
    Method("conversations.create", create, _MANAGE, tier=2),
    Method("conversations.invite", invite, (*_MANAGE, "channels:write.invites", "groups:write.invites"), tier=3),
    Method("conversations.archive", archive, _MANAGE, tier=2),
    Method("conversations.setTopic", set_topic, (*_MANAGE, "channels:write.topic", "groups:write.topic"), tier=2),
    Method("conversations.setPurpose", set_purpose, (*_MANAGE, "channels:write.topic", "groups:write.topic"), tier=2),
)
