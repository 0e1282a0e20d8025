"""What a message is to say: its text, blocks, attachments and metadata, and which of it Slack would refuse."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.slack_sim.refusal import Refusal
from services.slack_sim.web_api.arguments import Arguments
from services.slack_sim.web_api.blocks import MESSAGE, checked_blocks
from services.slack_sim.world.entities import Ephemeral, Installation, Message

LONGEST_TEXT = 40_000
LONGEST_EDIT = 4_000
LONGEST_MARKDOWN = 12_000
MOST_ATTACHMENTS = 100
NAMED_COLORS = {"good": "2eb886", "warning": "daa038", "danger": "a30200"}
LONGEST_METADATA = 8_000
"""Of its JSON. Slack names no figure; refusing what is far too long is what matters."""
Place = tuple[str, str | None]
"""A channel, and a thread in it perhaps."""
SCALARS = (str, int, float, bool)


@dataclass(frozen=True)
class Content:
    """What a message says."""

    text: str = ""
    blocks: list[dict[str, Any]] | None = None
    attachments: list[dict[str, Any]] | None = None
    is_markdown: bool = False
    was_cut: bool = False

    def said_by(self, by: Installation, ts: str, place: Place) -> Message:
        """A message of an app's that says it, in a channel or a thread there."""
        channel_id, thread_ts = place
        return Message(
            ts=ts,
            channel=channel_id,
            team=by.team_id,
            user=by.bot_user_id,
            text=self.text,
            thread_ts=thread_ts,
            bot_id=by.bot_id,
            app_id=by.app_id,
            blocks=self.blocks,
            attachments=self.attachments,
            markdown=self.is_markdown,
        )

    def shown_to(self, user_id: str, ts: str, by: Installation, place: Place) -> Ephemeral:
        """The same for one person's eyes."""
        channel_id, thread_ts = place
        return Ephemeral(
            ts=ts,
            channel=channel_id,
            to=user_id,
            text=self.text,
            app_id=by.app_id,
            bot_user_id=by.bot_user_id,
            thread_ts=thread_ts,
            blocks=self.blocks,
        )


def content_of(given: Mapping[str, Any] | Arguments, *, longest: int = LONGEST_TEXT, cuts: bool = True) -> Content:
    """What these arguments say. Too long a text is cut, or refused."""
    arguments = given if isinstance(given, Arguments) else Arguments(given)
    text, markdown = arguments.text("text"), arguments.text("markdown_text")
    blocks = arguments.items("blocks", "invalid_blocks_format")
    attachments = arguments.items("attachments", "invalid_attachments")
    if markdown and (text or blocks):
        raise Refusal("markdown_text_conflict")
    if len(markdown) > LONGEST_MARKDOWN:
        raise Refusal("msg_too_long")
    if blocks:
        checked_blocks(blocks, MESSAGE)
    if attachments is not None:
        attachments = _checked_attachments(attachments)
    if not (text or markdown or blocks or attachments):
        raise Refusal("no_text")
    if len(text) > longest and not cuts:
        raise Refusal("msg_too_long")
    cut = len(text) > longest
    return Content(markdown or text[:longest], blocks or None, attachments or None, bool(markdown), cut)


def _checked_attachments(attachments: list[Any]) -> list[dict[str, Any]]:
    """As Slack keeps them: numbered, and their colours without #."""
    if len(attachments) > MOST_ATTACHMENTS:
        raise Refusal("too_many_attachments")
    for each in attachments:
        if not isinstance(each, dict):
            raise Refusal("invalid_attachments")
        blocks = each.get("blocks")
        if blocks is not None and not isinstance(blocks, list):
            raise Refusal("invalid_blocks_format")
        if blocks:
            checked_blocks(blocks, MESSAGE)
    return [each | _known_of(each, number) for number, each in enumerate(attachments, 1)]


def _known_of(attachment: dict[str, Any], number: int) -> dict[str, Any]:
    given = attachment.get("color")
    color = NAMED_COLORS.get(given, given.removeprefix("#")) if isinstance(given, str) else None
    is_one = color is not None and re.fullmatch("[0-9a-fA-F]{6}", color)
    fallback = attachment.get("fallback") or "[no preview available]"
    return {"id": number, "fallback": fallback} | ({"color": color} if is_one else {})


def metadata_of(arguments: Arguments) -> dict[str, Any] | None:
    """The metadata that goes with a message: an event's type, and scalars, flat objects or lists of them."""
    metadata = arguments.object("metadata", "invalid_metadata_format")
    if not metadata:
        return metadata
    kind, payload = metadata.get("event_type"), metadata.get("event_payload", {})
    if not isinstance(kind, str) or not kind or not isinstance(payload, dict):
        raise Refusal("invalid_metadata_format")
    for value in payload.values():
        items = value if isinstance(value, list) else [value]
        if not all(_is_flat(each) for each in items):
            raise Refusal("invalid_metadata_schema")
    if len(str(payload)) > LONGEST_METADATA:
        raise Refusal("metadata_too_large")
    return {"event_type": kind, "event_payload": payload}


def _is_flat(value: Any) -> bool:
    if value is None or isinstance(value, SCALARS):
        return True
    return isinstance(value, dict) and all(each is None or isinstance(each, SCALARS) for each in value.values())
