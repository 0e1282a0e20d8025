"""chat.startStream, appendStream and stopStream: a message that is written while people read it."""

from typing import Any

from services.slack_sim.refusal import Refusal
from services.slack_sim.telling.shapes import Json, message_shape
from services.slack_sim.web_api.blocks import MESSAGE, checked_blocks
from services.slack_sim.web_api.call import Call, Method
from services.slack_sim.web_api.content import LONGEST_MARKDOWN, Content, metadata_of
from services.slack_sim.web_api.methods.chat import new_message, place_to_post, thread_of
from services.slack_sim.web_api.methods.sessions import STATUSES
from services.slack_sim.world.entities import Channel, Message, Stream

CHUNKS = {"markdown_text", "task_update", "plan_update", "blocks"}
TASK_FIELDS = ("title", "status", "details", "output", "sources")
LONGEST_TITLE = 256


def start(call: Call) -> Json:
    """chat.startStream: it may begin with no text."""
    channel = place_to_post(call)
    if channel.kind == "mpim" or channel.no_streams:
        raise Refusal("channel_type_not_supported")
    if channel.kind != "im":
        _check_recipient(call)
    display = call.args.text("task_display_mode", "timeline")
    if display not in {"timeline", "plan"}:
        raise Refusal("invalid_arguments", "[ERROR] must be a valid enum value [json-pointer:/task_display_mode]")
    said = _said(call)
    call.pace_post(channel)
    now = call.slack.moments.now()
    message = new_message(call, channel, Content(), thread_of(call, channel))
    message.stream = Stream("streaming", None, now, now, display)
    _write(message, said)
    call.slack.talk.post(message)
    call.slack.streams.started(message)
    return {"channel": channel.id, "ts": message.ts}


def append(call: Call) -> Json:
    """chat.appendStream."""
    channel = call.channel()
    message = _streaming(call, channel)
    said = _said(call)
    if not said:
        raise Refusal("no_text")
    _write(message, said)
    call.slack.streams.touched(message)
    return {"channel": channel.id, "ts": message.ts}


def stop(call: Call) -> Json:
    """chat.stopStream: it may say no more than that it is over."""
    channel = call.channel()
    message = _streaming(call, channel)
    said, metadata = _said(call), metadata_of(call.args)
    blocks = call.args.items("blocks", "invalid_blocks_format")
    if blocks:
        checked_blocks(blocks, MESSAGE)
    status = call.args.text("session_status")
    if status and status not in STATUSES:
        raise Refusal("invalid_status")
    _write(message, said)
    message.metadata = metadata or message.metadata
    message.blocks = [*(message.blocks or []), *(blocks or [])] or None
    call.slack.streams.ended(message, "ended")
    call.slack.sessions.spoke(message)
    if status:
        call.slack.sessions.set_status(message, status)  # type: ignore[arg-type]
    shape = message_shape(call.slack.world, message, with_metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shape}


def _check_recipient(call: Call) -> None:
    for name in ("recipient_user_id", "recipient_team_id"):
        if name not in call.args:
            raise Refusal(f"missing_{name}")
    if call.slack.world.user(call.args.text("recipient_user_id"), call.team_id) is None:
        raise Refusal("user_not_found")


def _streaming(call: Call, channel: Channel) -> Message:
    message = call.message(channel)
    if message.app_id != call.installation.app_id:
        raise Refusal("message_not_owned_by_app")
    if message.stream is not None and message.stream.state == "stopped_by_user":
        raise Refusal("stopped_by_user")
    if message.stream is None or message.stream.state != "streaming":
        raise Refusal("message_not_in_streaming_state")
    return message


def _said(call: Call) -> list[Json]:
    """What is to be added, as chunks. A plain text is one; text and chunks never come together."""
    text = call.args.text("markdown_text")
    chunks = call.args.items("chunks", "invalid_chunks")
    if text and chunks:
        raise Refusal("streaming_mode_mismatch")
    if len(text) > LONGEST_MARKDOWN:
        raise Refusal("msg_too_long")
    if text:
        return [{"type": "text", "text": text}]
    for chunk in chunks or []:
        _check_chunk(chunk)
    return chunks or []


def _check_chunk(chunk: Any) -> None:  # noqa: C901 - each kind has its own rules
    if not isinstance(chunk, dict) or chunk.get("type") not in CHUNKS:
        raise Refusal("invalid_chunks")
    match chunk["type"]:
        case "markdown_text":
            if not isinstance(chunk.get("text"), str):
                raise Refusal("invalid_chunks")
            if len(chunk["text"]) > LONGEST_MARKDOWN:
                raise Refusal("msg_too_long")
        case "task_update":
            if not all(isinstance(chunk.get(name), str) and chunk[name] for name in ("id", "title")):
                raise Refusal("invalid_chunks")
            if len(chunk["title"]) > LONGEST_TITLE:
                raise Refusal("invalid_chunks")
        case "plan_update":
            if not isinstance(chunk.get("title"), str) or len(chunk["title"]) > LONGEST_TITLE:
                raise Refusal("invalid_chunks")
        case _:
            if not isinstance(chunk.get("blocks"), list):
                raise Refusal("invalid_chunks")
            checked_blocks(chunk["blocks"], MESSAGE)


def _write(message: Message, said: list[Json]) -> None:
    """Adds to a streaming message. It keeps to the way in which it was begun: text, or chunks."""
    stream = message.stream
    if stream is None or not said:
        return
    mode = "text" if said[0]["type"] == "text" else "chunks"
    if stream.mode not in {None, mode}:
        raise Refusal("streaming_mode_mismatch")
    stream.mode = mode  # type: ignore[assignment]
    for chunk in said:
        match chunk["type"]:
            case "text" | "markdown_text":
                message.text += chunk["text"]
            case "task_update":
                _update_task(stream, chunk)
            case "plan_update":
                stream.plan = chunk["title"]
            case _:
                message.blocks = [*(message.blocks or []), *chunk["blocks"]]


def _update_task(stream: Stream, chunk: Json) -> None:
    task = next((each for each in stream.tasks if each["id"] == chunk["id"]), None)
    if task is None:
        task = {"id": chunk["id"], "status": "pending"}
        stream.tasks.append(task)
    task |= {name: chunk[name] for name in TASK_FIELDS if chunk.get(name) is not None}


_WRITE = ("chat:write",)
METHODS = (
    Method("chat.startStream", start, _WRITE, tier=2),
    Method("chat.appendStream", append, _WRITE, tier=4),
    Method("chat.stopStream", stop, _WRITE, tier=2),
)
