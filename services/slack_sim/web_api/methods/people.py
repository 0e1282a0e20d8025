"""users.*, bots.info, team.info, reactions.*: who is there, and what they put on messages."""

import re

from services.slack_sim.refusal import Refusal
from services.slack_sim.telling.shapes import Json, bot_shape, message_shape, user_shape
from services.slack_sim.web_api.call import Call, Method
from services.slack_sim.web_api.paging import page_of
from services.slack_sim.world.entities import Channel, Message

MOST_EMOJI = 23
_EMOJI = re.compile(r"[\w+'-]+(::skin-tone-[2-6])?")
_STAMP = re.compile(r"\d+\.\d+")


def user_info(call: Call) -> Json:
    """users.info."""
    return {"user": _without_email(call, user_shape(call.user()))}


def users_list(call: Call) -> Json:
    """users.list."""
    everybody = sorted(call.slack.world.users_of(call.team_id), key=lambda each: each.id)
    shapes = [(each.id, _without_email(call, user_shape(each))) for each in everybody]
    found, following = page_of(shapes, call.args, "user", default=len(shapes) or 1)
    return {"members": found, "cache_ts": call.slack.moments.seconds(), "response_metadata": {"next_cursor": following}}


def lookup_by_email(call: Call) -> Json:
    """users.lookupByEmail."""
    email = call.args.needed("email").lower()
    for user in call.slack.world.users_of(call.team_id):
        if user.email is not None and user.email.lower() == email:
            return {"user": user_shape(user)}
    raise Refusal("users_not_found")


def profile(call: Call) -> Json:
    """users.profile.get."""
    user = call.user() if "user" in call.args else call.bot
    return {"profile": _without_email(call, user_shape(user))["profile"] | {"fields": {}}}


def presence(call: Call) -> Json:
    """users.getPresence."""
    if "user" in call.args:
        call.user()
    return {"presence": "active"}


def _without_email(call: Call, shape: Json) -> Json:
    if "users:read.email" not in call.installation.scopes:
        shape["profile"].pop("email", None)
    return shape


def bots_info(call: Call) -> Json:
    """bots.info."""
    user = call.slack.world.bot(call.args.needed("bot"))
    if user is None or user.team_id != call.team_id:
        raise Refusal("bot_not_found")
    return {"bot": bot_shape(call.slack.world.apps[user.app_id or ""], user)}


def team_info(call: Call) -> Json:
    """team.info."""
    wanted = call.args.text("team", call.team_id)
    if wanted != call.team_id:
        raise Refusal("team_not_found")
    team = call.slack.world.workspaces[wanted]
    shape: Json = {"id": team.id, "name": team.name, "domain": team.domain, "email_domain": ""}
    shape |= {"url": f"https://{team.domain}.slack.com/", "icon": {"image_default": True}}
    if team.enterprise_id is not None:
        shape |= {"enterprise_id": team.enterprise_id, "enterprise_name": team.enterprise_id}
    return {"team": shape}


def _reacted(call: Call) -> tuple[Channel, Message]:
    if not ("channel" in call.args and "timestamp" in call.args):
        raise Refusal("no_item_specified")
    channel = call.channel()
    if not _STAMP.fullmatch(call.args.text("timestamp")):
        raise Refusal("bad_timestamp")
    return channel, call.message(channel, "timestamp")


def _emoji(call: Call) -> str:
    name = call.args.needed("name").strip(":")
    if not _EMOJI.fullmatch(name):
        raise Refusal("invalid_name")
    return name


def react(call: Call) -> Json:
    """reactions.add."""
    name = _emoji(call)
    channel, message = _reacted(call)
    if channel.archived:
        raise Refusal("is_archived")
    if len(message.reactions or {}) >= MOST_EMOJI and name not in (message.reactions or {}):
        raise Refusal("too_many_emoji")
    if not call.slack.talk.react(message, call.bot, name):
        raise Refusal("already_reacted")
    return {}


def unreact(call: Call) -> Json:
    """reactions.remove."""
    name = _emoji(call)
    _, message = _reacted(call)
    if not call.slack.talk.unreact(message, call.bot, name):
        raise Refusal("no_reaction")
    return {}


def reactions_of(call: Call) -> Json:
    """reactions.get."""
    channel, message = _reacted(call)
    return {"type": "message", "channel": channel.id, "message": message_shape(call.slack.world, message)}


METHODS = (
    Method("users.info", user_info, ("users:read",), tier=4),
    Method("users.list", users_list, ("users:read",), tier=2),
    Method("users.lookupByEmail", lookup_by_email, ("users:read.email",), tier=3),
    Method("users.profile.get", profile, ("users.profile:read", "users:read"), tier=4),
    Method("users.getPresence", presence, ("users:read",), tier=3),
    Method("bots.info", bots_info, ("users:read",), tier=3),
    Method("team.info", team_info, ("team:read",), tier=3),
    Method("reactions.add", react, ("reactions:write",), tier=3),
    Method("reactions.remove", unreact, ("reactions:write",), tier=2),
    Method("reactions.get", reactions_of, ("reactions:read",), tier=3),
)
