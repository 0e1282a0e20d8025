"""A program's message: what it is called, behind which others it waits, and which call it becomes."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from schemas import ids
from schemas.base import Instant
from schemas.command import OutboundMessage
from schemas.effect import EffectPurpose
from services.responder.decisions.effects import Call, Subject, call

PURPOSE: Final[EffectPurpose] = "message"
ANEW: Final = 1
"""The part of a message that is posted where another could not be changed."""
LONGEST_FALLBACK: Final = 300
"""What stands for coloured blocks where none can be shown: the text itself goes beside it."""


@dataclass(frozen=True)
class Request:
    """Who asks, under which key."""

    at: Instant
    tenant_id: str
    token_id: str
    connection: str
    key: str


@dataclass(frozen=True)
class Words:
    """What is to be said, and where."""

    channel_id: str
    text: str
    blocks_json: str | None
    thread_ts: str | None
    post_id: str | None
    thread_of: str | None = None
    color: str | None = None

    @property
    def hash(self) -> str:
        """Two requests that ask for the same have the same, also where an older version took the first."""
        newer = {"thread_of": self.thread_of, "color": self.color}
        said = asdict(self)
        return ids.payload_hash({name: each for name, each in said.items() if name not in newer or each is not None})


def blocks_json(blocks: Sequence[Any] | None) -> str | None:
    """Blocks as they are kept: the same ones are the same text. `ValueError` where they are no JSON."""
    if not blocks:
        return None
    return json.dumps(blocks, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def message_of(request: Request, words: Words) -> OutboundMessage:
    """The command that a request becomes."""
    return OutboundMessage(
        at=request.at,
        effect_id=effect_id_of(ids.message_id(request.connection, request.key)),
        request_key=request.key,
        tenant_id=request.tenant_id,
        connection=request.connection,
        team_id=request.connection.partition(":")[2],
        channel_id=words.channel_id,
        thread_ts=words.thread_ts,
        thread_of=words.thread_of,
        post_id=words.post_id,
        token_id=request.token_id,
        text=words.text,
        blocks_json=words.blocks_json,
        color=words.color,
        body_hash=words.hash,
    )


def effect_id_of(command_id: str) -> str:
    """What a program knows its message by: the first call that the command leads to."""
    return ids.effect_id(command_id, PURPOSE, 0)


def partition_key(message: OutboundMessage) -> str:
    """Messages with the same are said in their order. A name without a thread stands for the thread that it begins."""
    place = message.thread_ts or message.thread_of or message.post_id or message.effect_id
    return ids.thread_key(message.team_id, message.channel_id, place)


def posting(subject: Subject, message: OutboundMessage, part: int = 0, head: str | None = None) -> Call:
    """It is said: in a thread, where one is named or a message that heads one, or in the channel."""
    arguments = {name: each for name, each in _said(message).items() if each}
    thread = message.thread_ts or head
    if thread is not None:
        arguments["thread_ts"] = thread
    return call(subject, "chat.postMessage", PURPOSE, arguments, part=part)


def changing(subject: Subject, message: OutboundMessage, ts: str) -> Call:
    """A message that stands says this from now on, and nothing of what it said before."""
    return call(subject, "chat.update", PURPOSE, {"ts": ts, **_said(message)})


def _said(message: OutboundMessage) -> dict[str, Any]:
    """All of it: of what a change leaves out, Slack would keep what was there."""
    blocks = json.loads(message.blocks_json) if message.blocks_json is not None else []
    said: dict[str, Any] = {"text": message.text, "blocks": blocks, "attachments": []}
    if message.color is None or not blocks:
        return said
    beside_a_bar = {"color": message.color, "fallback": message.text[:LONGEST_FALLBACK], "blocks": blocks}
    return {**said, "blocks": [], "attachments": [beside_a_bar]}
