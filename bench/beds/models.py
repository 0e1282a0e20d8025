"""Servers that speak as OpenAI's and Anthropic's do, over HTTP, and say or break what a test wants."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from services.kit.http import served


@dataclass(frozen=True)
class Says:
    """An answer, in chunks."""

    text: str = "All right."
    chunk: int = 20
    pause_s: float = 0.0
    stalls_after: int | None = None
    cuts_after: int | None = None
    rubbish_after: int | None = None
    waits_for: asyncio.Event | None = None
    """Nothing of it is said before."""
    uses: tuple[tuple[str, str], ...] = ()
    """The tools that it wants to use, and their arguments as JSON."""


@dataclass(frozen=True)
class Fails:
    """No answer."""

    status: int
    code: str = "server_error"
    retry_after_s: str | None = None


Behaviour = Says | Fails


@dataclass
class ModelServer:
    """What it does next; the last thing for ever."""

    address: str = ""
    plan: list[Behaviour] = field(default_factory=lambda: [Says()])
    asked: list[dict[str, Any]] = field(default_factory=list)
    broken_off: int = 0
    """Calls that their callers gave up."""

    def next(self) -> Behaviour:
        """What comes now."""
        return self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]

    def does(self, *behaviours: Behaviour) -> None:
        """From now on."""
        self.plan[:] = behaviours

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """What POST /v1/chat/completions gives."""
        body = await request.json()
        self.asked.append(body)
        if not body.get("stream"):
            return await self._whole(body["model"], whole_in_openais_words)
        return await self._answer(request, body["model"], in_openais_words)

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """What POST /v1/messages gives."""
        body = await request.json()
        self.asked.append(body)
        if not body.get("stream"):
            return await self._whole(body["model"], whole_in_anthropics_words)
        return await self._answer(request, body["model"], in_anthropics_words)

    async def _whole(self, model: str, shape: Any) -> web.StreamResponse:
        """An answer at once, to who wants no stream."""
        behaviour = self.next()
        if isinstance(behaviour, Fails):
            return _failure(behaviour)
        if behaviour.waits_for is not None:
            await behaviour.waits_for.wait()
        return web.json_response(shape(behaviour, model))

    async def _answer(self, request: web.Request, model: str, shape: Any) -> web.StreamResponse:
        behaviour = self.next()
        if isinstance(behaviour, Fails):
            return _failure(behaviour)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            if behaviour.waits_for is not None:
                await behaviour.waits_for.wait()
            for number, event in enumerate(shape(behaviour, model)):
                if number == behaviour.stalls_after:
                    await asyncio.sleep(3600)
                if number == behaviour.cuts_after and request.transport is not None:
                    request.transport.abort()
                    return response
                await response.write(b"data: {rubbish\n\n" if number == behaviour.rubbish_after else event)
                await asyncio.sleep(behaviour.pause_s)
        except (ConnectionError, asyncio.CancelledError):
            self.broken_off += 1
            raise
        return response


def _failure(fails: Fails) -> web.Response:
    headers = {"Retry-After": fails.retry_after_s} if fails.retry_after_s else {}
    error = {"type": fails.code, "code": fails.code, "message": "SECRET-WORDS of the provider"}
    return web.json_response({"type": "error", "error": error}, status=fails.status, headers=headers)


def _pieces(says: Says) -> list[str]:
    return _in_pieces(says.text, says.chunk)


def _in_pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def whole_in_openais_words(says: Says, model: str) -> dict[str, Any]:
    """An answer as the chat completions of OpenAI give it to who wants no stream."""
    calls = [
        {"id": f"call_{number}", "type": "function", "function": {"name": tool, "arguments": arguments}}
        for number, (tool, arguments) in enumerate(says.uses)
    ]
    message = {"role": "assistant", "content": says.text, **({"tool_calls": calls} if calls else {})}
    choice = {"index": 0, "finish_reason": "tool_calls" if calls else "stop", "message": message}
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    common = {"id": "c1", "object": "chat.completion", "created": 1, "model": model}
    return {**common, "choices": [choice], "usage": usage}


def whole_in_anthropics_words(says: Says, model: str) -> dict[str, Any]:
    """An answer as Anthropic's messages give it to who wants no stream."""
    said: list[dict[str, Any]] = [{"type": "text", "text": says.text}] if says.text else []
    said += [
        {"type": "tool_use", "id": f"toolu_{number}", "name": tool, "input": json.loads(arguments)}
        for number, (tool, arguments) in enumerate(says.uses)
    ]
    stopped = {"stop_reason": "tool_use" if says.uses else "end_turn", "stop_sequence": None}
    common = {"id": "m1", "type": "message", "role": "assistant", "model": model}
    return {**common, "content": said, **stopped, "usage": {"input_tokens": 11, "output_tokens": 7}}


def in_openais_words(says: Says, model: str) -> list[bytes]:
    """An answer as the chat completions of OpenAI stream it."""
    common = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": model}

    def chunk(**choice: Any) -> bytes:
        delta = {"choices": [{"index": 0, "finish_reason": None, **choice}]}
        return f"data: {json.dumps({**common, **delta})}\n\n".encode()

    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    last = f"data: {json.dumps({**common, 'choices': [], 'usage': usage})}\n\n".encode()
    said = [chunk(delta={"content": piece}) for piece in _pieces(says)]
    for number, (tool, arguments) in enumerate(says.uses):
        begun = {
            "index": number,
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": tool, "arguments": ""},
        }
        said.append(chunk(delta={"tool_calls": [begun]}))
        said += [
            chunk(delta={"tool_calls": [{"index": number, "function": {"arguments": piece}}]})
            for piece in _in_pieces(arguments, says.chunk)
        ]
    finished = chunk(delta={}, finish_reason="tool_calls" if says.uses else "stop")
    return [chunk(delta={"role": "assistant"}), *said, finished, last, b"data: [DONE]\n\n"]


def in_anthropics_words(says: Says, model: str) -> list[bytes]:
    """An answer as Anthropic's messages stream it."""

    def event(kind: str, **facts: Any) -> bytes:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **facts})}\n\n".encode()

    message: dict[str, Any] = {
        "id": "m1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 11, "output_tokens": 1},
    }
    block = {"type": "text", "text": ""}
    said = [
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece}) for piece in _pieces(says)
    ]
    said.append(event("content_block_stop", index=0))
    for number, (tool, arguments) in enumerate(says.uses, 1):
        use = {"type": "tool_use", "id": f"toolu_{number}", "name": tool, "input": {}}
        said.append(event("content_block_start", index=number, content_block=use))
        said += [
            event("content_block_delta", index=number, delta={"type": "input_json_delta", "partial_json": piece})
            for piece in _in_pieces(arguments, says.chunk)
        ]
        said.append(event("content_block_stop", index=number))
    stopped = {"stop_reason": "tool_use" if says.uses else "end_turn", "stop_sequence": None}
    return [
        event("message_start", message=message),
        event("content_block_start", index=0, content_block=block),
        *said,
        event("message_delta", delta=stopped, usage={"output_tokens": 7}),
        event("message_stop"),
    ]


@asynccontextmanager
async def model_server() -> AsyncIterator[ModelServer]:
    """Listens within it."""
    server = ModelServer()
    application = web.Application()
    application.router.add_post("/v1/chat/completions", server.chat)
    application.router.add_post("/v1/messages", server.messages)
    async with served(application, "127.0.0.1", 0) as address:
        server.address = str(address)
        yield server
