"""Programs say something in Slack: durable first, then said through the same gate and ledger as an answer."""

import asyncio
from typing import Annotated, Any, Final

from aiohttp import web
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from opentelemetry.trace import SpanKind
from pydantic import Field, StringConstraints

from schemas import ids
from schemas.buttons import PREFIX
from schemas.command import OutboundMessage
from schemas.record import CannotWrite
from schemas.topics import RUNS_COMMANDS
from services.directory.lookup import Directory
from services.directory.programs import (
    Asked,
    Line,
    No,
    Programs,
    Stamp,
    Text,
    body_of,
    connection_of,
    json_answer,
    key_of,
)
from services.directory.sign_in import Granted
from services.kit.fresh_ids import FreshIds
from services.kit.kafka.producer import Producer
from services.kit.telemetry.instruments import Instruments
from services.kit.telemetry.traces import About, context_from_outside, spanning
from services.responder import metrics
from services.responder.adapters.messages import Messages
from services.responder.adapters.turns import Turns
from services.responder.decisions.message_view import MessageView
from services.responder.decisions.outbound import Request, Words, blocks_json, message_of, partition_key
from services.responder.decisions.reserved import reserved_in

LARGEST_BODY: Final = 512 << 10
LARGEST_BLOCKS: Final = 256 << 10
"""In bytes. Quoted within a record they may become twice as long, and a record has 1 MiB."""
MOST_BLOCKS: Final = 50
ABOUT: Final = About("receive message", SpanKind.SERVER, {"threadline.transport": "gateway"})
KEPT_WITHIN_S: Final = 10.0
"""A broker that takes longer is taken for away: the program asks again, and the repeat is recognised."""


class MessageAsked(Asked):
    """The body of POST /v1/messages."""

    channel: Annotated[str, StringConstraints(pattern=r"^[CDG][A-Z0-9]{1,40}$")]
    """Its id: names of channels change."""
    text: Text
    blocks: Annotated[list[dict[str, Any]], Field(max_length=MOST_BLOCKS)] | None = None
    thread_ts: Stamp | None = None
    thread_of: Line | None = None
    """The post_id of the message in whose thread it is said."""
    color: Annotated[str, StringConstraints(pattern=r"^#[0-9a-fA-F]{6}$")] | None = None
    """Of the bar beside the blocks."""
    post_id: Line | None = None
    """The program's own name for the message. Asked for again under the same, it is changed."""


class GatewayTools:
    """What the gateway works with beside what it reaches."""

    def __init__(self, ids: FreshIds, instruments: Instruments) -> None:
        self.ids, self.instruments = ids, instruments


class Gateway:
    """The addresses for programs."""

    def __init__(self, directory: Directory, producer: Producer, messages: Messages, tools: GatewayTools) -> None:
        self._producer, self._messages, self._ids = producer, messages, tools.ids
        self._clock, self._emitter = tools.instruments.clock, tools.instruments.emitter
        self._tracer = tools.instruments.tracer
        self._programs = Programs(directory, self._clock, "messages")
        self._programs.refused = lambda no: self._count("try_again" if _passes(no) else "refused")
        self._turns = Turns()

    def routes(self) -> list[web.RouteDef]:
        """Say, look."""
        return [
            web.post("/v1/messages", self._programs.told(self._say)),
            web.get("/v1/effects/{effect_id}", self._programs.told(self._look)),
        ]

    async def _say(self, request: web.Request, granted: Granted) -> web.Response:
        asked: MessageAsked = await body_of(request, MessageAsked)
        key = key_of(request, asked)
        _must_be_its_own(asked, key)
        words = _words(asked)
        asks = Request(
            at=self._clock.now(),
            tenant_id=granted.tenant.tenant_id,
            token_id=granted.token_id,
            connection=connection_of(granted.tenant, asked),
            key=key or self._ids.new(),
        )
        message = message_of(asks, words)
        self._must_know()
        async with self._turns.turn(message.effect_id):
            claimed = self._messages.claim(message)
            if claimed.is_another(message):
                raise No(409, "key_used", "this key was used for another message; nothing was taken in")
            if not claimed.is_durable:
                trace = context_from_outside(request.headers)
                with spanning(self._tracer, ABOUT, trace):
                    await self._publish(message)
        self._count("repeated" if claimed.is_durable else "accepted")
        return _accepted(claimed, asks.key)

    async def _look(self, request: web.Request, granted: Granted) -> web.Response:
        self._must_know()
        view = self._messages.view(request.match_info["effect_id"], granted.tenant.tenant_id)
        if view is None:
            raise No(404, "unknown_effect", "there is no such message, or it is older than a day")
        self._count("shown")
        return json_answer(web.HTTPOk.status_code, view.shown())

    def _must_know(self) -> None:
        trouble = self._messages.trouble()
        if trouble is not None:
            raise No(503, "try_again", f"{trouble}; nothing was taken in. Ask again with the same key")

    async def _publish(self, message: OutboundMessage) -> None:
        name = ids.message_id(message.connection, message.request_key)
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                sent = await self._producer.send(RUNS_COMMANDS, partition_key(message), message, name)
                await asyncio.shield(sent)
        except CannotWrite:
            raise No(400, "not_text", "the text cannot stand as UTF-8; nothing was taken in") from None
        except MessageSizeTooLargeError:
            raise No(413, "too_large", "the message is too large; nothing was taken in") from None
        except (TimeoutError, KafkaError, OSError) as error:
            words = f"the broker does not take it ({type(error).__name__}); ask again with the same key and body"
            raise No(503, "not_kept", words) from None
        self._messages.accepted(message)

    def _count(self, result: str) -> None:
        self._emitter.count(metrics.REQUESTS, result=result)


def _must_be_its_own(asked: MessageAsked, key: str | None) -> None:
    names = {"post_id": asked.post_id, "thread_of": asked.thread_of, "key": key}
    found = reserved_in(names, asked.blocks)
    if found is not None:
        why = f"begins with {PREFIX}, as only what Threadline itself says does"
        raise No(400, "reserved", f"{found} {why}: choose another name; nothing was taken in")


def _words(asked: MessageAsked) -> Words:
    if asked.thread_ts is not None and asked.thread_of is not None:
        raise No(400, "wrong_body", "thread_ts and thread_of both name a thread: give one; nothing was taken in")
    if asked.color is not None and not asked.blocks:
        raise No(400, "wrong_body", "color is that of the bar beside blocks: give blocks, too; nothing was taken in")
    try:
        blocks = blocks_json(asked.blocks)
    except ValueError:
        raise No(400, "wrong_body", "blocks: a number is none of JSON's; nothing was taken in") from None
    if blocks is not None and len(blocks.encode()) > LARGEST_BLOCKS:
        raise No(413, "too_large", f"blocks have at most {LARGEST_BLOCKS} bytes; nothing was taken in")
    named = {"thread_of": asked.thread_of, "color": asked.color}
    return Words(asked.channel, asked.text, blocks, asked.thread_ts, asked.post_id, **named)


def _passes(no: No) -> bool:
    return no.status == web.HTTPServiceUnavailable.status_code


def _accepted(view: MessageView, key: str) -> web.Response:
    body = {"effect_id": view.effect_id, "state": view.state, "key": key}
    return json_answer(web.HTTPAccepted.status_code, body, {"Location": f"/v1/effects/{view.effect_id}"})
