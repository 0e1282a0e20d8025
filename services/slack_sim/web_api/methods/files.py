"""files.*: uploads in three steps. Only a file's description is kept."""

import mimetypes
from typing import Any

from services.slack_sim.refusal import Refusal
from services.slack_sim.telling.shapes import Json, file_shape
from services.slack_sim.web_api.call import Call, Method
from services.slack_sim.web_api.content import Content
from services.slack_sim.web_api.methods.chat import new_message, place_to_post, thread_of
from services.slack_sim.world.entities import File

UPLOAD_PATH = "/upload/v1"
LARGEST = 1024**3


def get_upload_url(call: Call) -> Json:
    """files.getUploadURLExternal."""
    name, length = call.args.needed("filename"), call.args.number("length", 0)
    if length < 1:
        raise Refusal("missing_argument")
    if length > LARGEST:
        raise Refusal("file_upload_size_restricted")
    slack = call.slack
    file = File(slack.names.id("F"), call.team_id, call.bot.id, name, length, slack.moments.seconds())
    file.mimetype = mimetypes.guess_type(name)[0] or file.mimetype
    file.upload_secret = slack.names.secret("upload")
    slack.world.keep(file)
    return {"upload_url": f"{call.host}{UPLOAD_PATH}/{file.id}/{file.upload_secret}", "file_id": file.id}


def complete_upload(call: Call) -> Json:
    """files.completeUploadExternal: shows the files where it says."""
    files = [_uploaded(call, each) for each in call.args.items("files") or []]
    if not files:
        raise Refusal("invalid_arguments", "[ERROR] missing required field: files")
    named = [call.args.text("channel_id"), *call.args.names("channels")]
    channels = [place_to_post(call, channel_id) for channel_id in dict.fromkeys(each for each in named if each)]
    for channel in channels:
        content = Content(call.args.text("initial_comment"))
        message = new_message(call, channel, content, thread_of(call, channel))
        message.subtype, message.files = "file_share", [file.id for file, _ in files]
        for file, _ in files:
            file.channels.append(channel.id)
        call.slack.talk.post(message)
    for file, title in files:
        file.title, file.complete = title or file.title, True
        call.slack.world.keep(file)
    return {"files": [file_shape(file) for file, _ in files]}


def _uploaded(call: Call, given: Any) -> tuple[File, str]:
    named = given if isinstance(given, dict) else {}
    file = call.slack.world.files.get(str(named.get("id")))
    if file is None or file.user != call.bot.id or not file.uploaded:
        raise Refusal("file_not_found")
    title = named.get("title")
    return file, title if isinstance(title, str) else ""


def _file(call: Call) -> File:
    file = call.slack.world.files.get(call.args.needed("file"))
    if file is None or file.team_id != call.team_id or not file.complete:
        raise Refusal("file_not_found")
    return file


def info(call: Call) -> Json:
    """files.info."""
    return {"file": file_shape(_file(call)), "comments": [], "response_metadata": {"next_cursor": ""}}


METHODS = (
    Method("files.getUploadURLExternal", get_upload_url, ("files:write",), tier=4),
    Method("files.completeUploadExternal", complete_upload, ("files:write",), tier=4),
    Method("files.info", info, ("files:read",), tier=4),
)
