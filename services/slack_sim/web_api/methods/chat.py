"""chat.*: posting, editing and deleting messages."""

from services.slack_sim.refusal import Refusal
from services.slack_sim.telling.shapes import Json, message_shape
from services.slack_sim.web_api.arguments import is_stamp
from services.slack_sim.web_api.call import Call, Method
from services.slack_sim.web_api.content import LONGEST_EDIT, Content, content_of, metadata_of
from services.slack_sim.world.entities import Channel, Message


def place_to_post(call: Call, named: str | None = None) -> Channel:
    """The channel to post to: by id, by name, or a user's direct messages; one that the caller may post to."""
    world, given = call.slack.world, named or call.args.needed("channel")
    if given[0] in "UW":
        user = world.user(given, call.team_id)
        if user is None:
            raise Refusal("channel_not_found")
        return call.slack.talk.direct(call.team_id, [user.id, call.bot.id], call.bot.id)
    found = world.channel(given)
    if found is None:
        wanted = given.removeprefix("#")
        found = next((each for each in world.channels_of(call.team_id) if each.name == wanted and wanted), None)
    hidden = found is not None and found.kind != "channel" and call.bot.id not in found.members
    if found is None or hidden or call.team_id not in world.teams_of(found):
        raise Refusal("channel_not_found")
    if call.bot.id not in found.members and "chat:write.public" not in call.installation.scopes:
        raise Refusal("not_in_channel")
    if found.archived:
        raise Refusal("is_archived")
    return found


def thread_of(call: Call, channel: Channel) -> str | None:
    """The thread to post to. A reply to a reply goes to its thread."""
    given = call.args.text("thread_ts")
    if not given:
        return None
    if not is_stamp(given):
        raise Refusal("invalid_thread_ts", f"[ERROR] {given} is not a valid thread_ts")
    root = call.slack.world.conversations[channel.id].messages.get(given)
    return root.root_ts if root is not None else given


def new_message(call: Call, channel: Channel, content: Content, thread_ts: str | None) -> Message:
    """A message of the calling app's."""
    message = content.said_by(call.installation, call.slack.moments.stamp(), (channel.id, thread_ts))
    if any(name in call.args for name in ("username", "icon_emoji", "icon_url")):
        call.need_scope("chat:write.customize")
        message.username = call.args.text("username") or None
        message.icon = call.args.text("icon_emoji") or call.args.text("icon_url") or None
        message.subtype = "bot_message" if message.username else None
    return message


def post_message(call: Call) -> Json:
    """chat.postMessage."""
    channel = place_to_post(call)
    content, metadata = content_of(call.args), metadata_of(call.args)
    call.pace_post(channel)
    message = new_message(call, channel, content, thread_of(call, channel))
    message.metadata = metadata or None
    if message.thread_ts and call.args.flag("reply_broadcast"):
        message.subtype = "thread_broadcast"
    if content.was_cut:
        call.warnings.append("message_truncated")
    call.slack.talk.post(message)
    call.slack.sessions.spoke(message)
    shape = message_shape(call.slack.world, message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shape}


def post_ephemeral(call: Call) -> Json:
    """chat.postEphemeral."""
    channel = place_to_post(call)
    content = content_of(call.args)
    if call.args.needed("user") not in channel.members:
        raise Refusal("user_not_in_channel")
    place, stamp = (channel.id, thread_of(call, channel)), call.slack.moments.stamp()
    ephemeral = content.shown_to(call.args.text("user"), stamp, call.installation, place)
    call.slack.talk.whisper(ephemeral)
    return {"message_ts": ephemeral.ts}


def own_message(call: Call, channel: Channel, error: str) -> Message:
    """A message that the calling app wrote."""
    message = call.message(channel)
    if message.app_id != call.installation.app_id:
        raise Refusal(error)
    return message


def update(call: Call) -> Json:
    """chat.update: what is not said of it stays, but for blocks, which a new text replaces."""
    channel = call.channel()
    message = own_message(call, channel, "cant_update_message")
    if message.stream is not None and message.stream.state == "streaming":
        raise Refusal("streaming_state_conflict")
    metadata = metadata_of(call.args)
    content = content_of(call.args, longest=LONGEST_EDIT, cuts=False)
    changes: Json = {"text": content.text, "blocks": content.blocks, "markdown": content.is_markdown}
    if "attachments" in call.args:
        changes["attachments"] = content.attachments
    if metadata is not None:
        changes["metadata"] = metadata or None
    call.slack.talk.edit(message, call.bot.id, **changes)
    shape = message_shape(call.slack.world, message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shape}


def delete(call: Call) -> Json:
    """chat.delete."""
    channel = call.channel()
    message = own_message(call, channel, "cant_delete_message")
    call.slack.talk.delete(message)
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(call: Call) -> Json:
    """chat.getPermalink."""
    channel = call.channel()
    message = call.message(channel, "message_ts")
    link = f"{call.host}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts is not None and message.thread_ts != message.ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


_WRITE = ("chat:write",)
METHODS = (
    Method("chat.postMessage", post_message, _WRITE),
    Method("chat.postEphemeral", post_ephemeral, _WRITE, tier=4),
    Method("chat.update", update, _WRITE, tier=3),
    Method("chat.delete", delete, _WRITE, tier=3),
    Method("chat.getPermalink", get_permalink),
)
