"""A Slack and a model in one process that only stamp: Socket Mode, a Web API that says yes, and streamed words.

They share a process so that they share a clock, and so that two cores are left to what is measured. Run as
`python -m bench.beds.stamping`.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress
from dataclasses import astuple
from typing import Any

from aiohttp import WSMsgType, web

from bench.beds.outside import LAST, Outside, Pace
from bench.beds.stamps import Load, Stamps
from bench.beds.traffic import APP, BOT
from bench.load import open_loop
from services.kit.http import served

SECOND = 1_772_442_900
"""Of every message: the number stands behind the point, and so tells a thread."""
CHANNELS = 50
"""In a workspace. Slack takes a message a second in each."""
LOOK_EVERY_S = 0.02
SETTLES_S = 0.3
"""An edit that was on its way may come behind the last words."""


class Stamping:
    """What happened when, by the number of the event."""

    def __init__(self) -> None:
        self.model = Outside()
        self.clock = self.model.clock
        self.address = ""
        self._sockets: list[web.WebSocketResponse] = []
        self._sent = 0
        self._acked: dict[int, float] = {}
        self._placed: dict[int, float] = {}
        self._ended: dict[int, float] = {}

    async def link(self, request: web.Request) -> web.WebSocketResponse:
        """One socket: a hello, and acknowledgements from then on."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": APP}})
        self._sockets.append(socket)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    now = self.clock.monotonic()
                    self._acked.setdefault(int(json.loads(message.data)["envelope_id"]), now)
        finally:
            self._sockets.remove(socket)
        return socket

    async def web_api(self, request: web.Request) -> web.Response:
        """Any method."""
        now, method = self.clock.monotonic(), request.match_info["method"]
        if method == "apps.connections.open":
            return web.json_response({"ok": True, "url": f"{self.address.replace('http', 'ws', 1)}/link"})
        text = await request.text()
        if method not in {"chat.postMessage", "chat.update"}:
            return web.json_response({"ok": True, "messages": []})
        body = json.loads(text)
        number = int(str(body.get("thread_ts") or body["ts"]).partition(".")[2])
        if method == "chat.postMessage":
            self._placed.setdefault(number, now)
        elif LAST in text:
            self._ended[number] = now
        return web.json_response({"ok": True, "ts": f"{SECOND + 1}.{number:06d}", "channel": body["channel"]})

    async def sockets(self, _: web.Request) -> web.Response:
        """How many are open."""
        return web.Response(text=str(len(self._sockets)))

    async def load(self, request: web.Request) -> web.Response:
        """Sends what is wanted, waits until everything is answered, and says when what happened."""
        wanted = Load(**await request.json())
        self.model.pace = Pace(wanted.words, wanted.pause_s, wanted.first_s)
        numbers = range(self._sent, self._sent + wanted.count)
        self._sent += wanted.count
        cpu, begun = time.process_time(), self.clock.monotonic()
        late_ms = await self._send_all(numbers, wanted)
        await self._until_answered(numbers, wanted.within_s)
        found: dict[str, Any] = {"late_ms": late_ms, "cpu_s": time.process_time() - cpu, "stamps": []}
        found["missing"] = self._missing(numbers)
        if found["missing"] is None:
            due = (begun + place / wanted.per_second for place in range(wanted.count))
            found["stamps"] = [self._stamps(number, begun, at) for number, at in zip(numbers, due, strict=True)]
        return web.json_response(found)

    async def _send_all(self, numbers: range, wanted: Load) -> list[float]:
        """How late each was sent, in ms."""

        async def one(place: int) -> None:
            await self._send(numbers[place], wanted.workspaces)

        outcome = await open_loop(wanted.per_second, wanted.count, one)
        if outcome.failures:
            raise RuntimeError(f"{len(outcome.failures)} events could not be sent: {outcome.failures[0]}")
        return [round(each, 2) for each in outcome.late_starts_ms]

    async def _until_answered(self, numbers: range, within_s: float) -> None:
        """Or until that takes too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while not all(number in self._ended for number in numbers):  # noqa: ASYNC110 - requests of others write it
                    await asyncio.sleep(LOOK_EVERY_S)
        await asyncio.sleep(SETTLES_S)

    def _missing(self, numbers: range) -> str | None:
        """What has not come, if anything has not."""
        came = (self._acked, self.model.asked, self._placed, self.model.last_word, self._ended)
        if all(number in self._ended for number in numbers):
            return None
        counts = (sum(number in each for number in numbers) for each in came)
        what = ("acknowledged", "asked", "placed", "spoken to their end", "whole")
        return ", ".join(f"{count} {of}" for count, of in zip(counts, what, strict=True))

    async def _send(self, number: int, workspaces: int) -> None:
        """By one socket after the other, as Slack does."""
        socket = self._sockets[number % len(self._sockets)]
        payload = mention(number, number % workspaces, number // workspaces % CHANNELS)
        envelope = {"type": "events_api", "envelope_id": str(number), "accepts_response_payload": False}
        await socket.send_str(json.dumps({**envelope, "payload": payload, "retry_attempt": 0, "retry_reason": ""}))

    def _stamps(self, number: int, begun: float, due: float) -> tuple[float, ...]:
        model = self.model
        times = (due, self._acked[number], model.asked[number], self._placed[number], model.last_word[number])
        return astuple(Stamps(*(round((each - begun) * 1000, 2) for each in (*times, self._ended[number]))))


def mention(number: int, workspace: int, channel: int) -> dict[str, Any]:
    """Somebody asks the agent something, in a message that begins no thread yet."""
    team, ts = f"T{workspace}", f"{SECOND}.{number:06d}"
    said = {"type": "app_mention", "user": f"U{number % 31}", "channel": f"C{channel}", "ts": ts, "event_ts": ts}
    granted = {"enterprise_id": None, "team_id": team, "user_id": BOT, "is_bot": True, "is_enterprise_install": False}
    return {
        "type": "event_callback",
        "team_id": team,
        "api_app_id": APP,
        "event_id": f"Ev{number}",
        "event_time": SECOND,
        "authorizations": [granted],
        "is_ext_shared_channel": False,
        "event_context": "4-" + "x" * 80,
        "event": {**said, "text": f"<@{BOT}> run-{number}: " + "what could somebody want to know here? " * 5},
    }


async def main() -> None:
    """Runs until it is ended."""
    stamping = Stamping()
    application = web.Application(client_max_size=1 << 24)
    application.router.add_get("/link", stamping.link)
    application.router.add_get("/sockets", stamping.sockets)
    application.router.add_post("/load", stamping.load)
    application.router.add_post("/v1/chat/completions", stamping.model.model)
    application.router.add_route("*", "/api/{method}", stamping.web_api)
    async with served(application, "127.0.0.1", 0) as address:
        stamping.address = str(address)
        sys.stdout.write(f"serves {address} \n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
