"""The HTTP door for Slack: events, interactivity and slash commands, each signed, fresh and only once."""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Sequence

from aiohttp import web
from aiohttp.http import HttpProcessingError
from slack_bolt.response import BoltResponse

from services.ingress import metrics
from services.ingress.adapters.door import OK, UNAUTHORIZED, UNAVAILABLE, Door
from services.ingress.adapters.receiver import Receipt
from services.kit.clock import Clock
from services.kit.telemetry.instruments import Instruments

log = logging.getLogger(__name__)

LARGEST_BODY = 2 << 20
PATHS = ("/slack/events", "/slack/interactivity", "/slack/commands")
FRESH_S = 600.0
"""How long a signature that was accepted is remembered. Older than 300 s it is refused for its age."""
RETRY_AFTER_S = "30"
SENT_WITHIN_S = 5.0
"""How long a request may take to arrive. Slack's are here at once."""


class SeenSignatures:
    """Signatures that were accepted. What comes with one again is no retry of Slack's: those are signed anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, float] = OrderedDict()

    def holds(self, signature: str) -> bool:
        """Whether it was accepted a while ago."""
        now = self._clock.monotonic()
        while self._seen and next(iter(self._seen.values())) < now - FRESH_S:
            self._seen.popitem(last=False)
        return signature in self._seen

    def add(self, signature: str) -> None:
        """It is good no more."""
        self._seen[signature] = self._clock.monotonic()

    def forget(self, signature: str) -> None:
        """What came with it was not taken in: Slack may send it again."""
        self._seen.pop(signature, None)


class SlackHttp:
    """What Slack calls."""

    def __init__(self, doors: Sequence[Door], instruments: Instruments) -> None:
        self._doors = doors
        self._clock, self._emitter = instruments.clock, instruments.emitter
        self._seen = SeenSignatures(instruments.clock)

    def routes(self) -> list[web.RouteDef]:
        """Slack may be given one address for all three kinds, or three."""
        return [web.post(path, self.take_in) for path in PATHS]

    async def take_in(self, request: web.Request) -> web.Response:
        """One request of Slack's."""
        at, monotonic = self._clock.now(), self._clock.monotonic()
        raw = await self._body_of(request)
        signature = request.headers.get("X-Slack-Signature", "")
        if self._seen.holds(signature):
            return self._refused("replayed", "this request came before")
        response = BoltResponse(status=UNAUTHORIZED)
        for door in self._doors:
            receipt = Receipt("http", at, monotonic, app_id=door.app.app_id)
            self._seen.add(signature)
            try:
                response = await door.request(raw, request.headers, receipt)
            except BaseException:
                self._seen.forget(signature)
                raise
            if response.status == OK:
                return self._taken(response, monotonic)
            self._seen.forget(signature)
            if response.status != UNAUTHORIZED:
                break
        return self._not_taken(response)

    async def _body_of(self, request: web.Request) -> bytes:
        try:
            async with asyncio.timeout(SENT_WITHIN_S):
                return await request.read()
        except web.HTTPRequestEntityTooLarge:
            self._emitter.count(metrics.HTTP_REFUSED, reason="too_large")
            log.warning("a request of more than %d bytes was refused", LARGEST_BODY)
            raise
        except TimeoutError:
            self._emitter.count(metrics.HTTP_REFUSED, reason="unread")
            raise web.HTTPRequestTimeout from None
        except (web.RequestPayloadError, HttpProcessingError, ConnectionError):
            self._emitter.count(metrics.HTTP_REFUSED, reason="unread")
            raise web.HTTPBadRequest from None

    def _taken(self, response: BoltResponse, began: float) -> web.Response:
        self._emitter.observe(metrics.ACK_SECONDS, self._clock.monotonic() - began, transport="http")
        self._emitter.count(metrics.ACKS, transport="http", result="sent")
        kind = "application/json" if response.body else "text/plain"
        return web.Response(text=response.body, content_type=kind)

    def _not_taken(self, response: BoltResponse) -> web.Response:
        if response.status != UNAUTHORIZED:
            self._emitter.count(metrics.ACKS, transport="http", result="withheld")
            reason = "not_kept" if response.status == UNAVAILABLE else "failed"
            self._emitter.count(metrics.HTTP_REFUSED, reason=reason)
            headers = {"Retry-After": RETRY_AFTER_S}
            return web.Response(
                text=response.body, status=response.status, content_type="application/json", headers=headers
            )
        return self._refused("signature", "the signature does not fit, or is older than five minutes")

    def _refused(self, reason: str, words: str) -> web.Response:
        self._emitter.count(metrics.HTTP_REFUSED, reason=reason)
        return web.Response(text=json.dumps({"error": words}), status=UNAUTHORIZED, content_type="application/json")
