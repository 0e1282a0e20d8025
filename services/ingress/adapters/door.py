"""The door of one Slack app: Bolt checks who is there, the receiver takes in what they bring.

Bolt never reads a payload here. It would trip over one that is not as it expects, and would answer "ok" for a workspace
that it does not know; ours decide about both later, from the log.
"""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from services.ingress.adapters.receiver import Receipt, Receiver, Refused, Taken
from services.ingress.apps import SlackApp
from services.ingress.decisions.reading import Arrived, Delivery, Retry, of_request
from services.kit.quiet import QUIET

OK, UNAUTHORIZED, FAILED, UNAVAILABLE = 200, 401, 500, 503


log = logging.getLogger(__name__)

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}")


@dataclass(frozen=True)
class Brought:
    """What is at the door: read already, where a socket brought it; the bytes of a request otherwise."""

    raw: bytes
    receipt: Receipt
    arrived: Arrived | None = None


class Unopened(AsyncBoltRequest):
    """A request whose body Bolt checks and does not read."""

    def __init__(self, brought: Brought, text: str, headers: Mapping[str, str]) -> None:
        self.raw_body, self.body = text, {}
        self.query = {}
        self.headers = {name.lower(): [value] for name, value in headers.items()}
        self.content_type = headers.get("content-type")
        self.context = AsyncBoltContext({"brought": brought})
        self.lazy_only, self.lazy_function_name = False, None
        self.mode = "http" if brought.arrived is None else "socket_mode"


class Door:
    """One app's."""

    def __init__(self, app: SlackApp, signing_secret: str | None, client: AsyncWebClient, receiver: Receiver) -> None:
        self.app, self.has_address = app, signing_secret is not None
        self._receiver = receiver
        self._bolt = AsyncApp(
            name="threadline",
            logger=QUIET,
            client=client,
            signing_secret=signing_secret or "unset",
            request_verification_enabled=True,
            before_authorize=self._take_in,
            authorize=_never,
            ssl_check_enabled=False,
            ignoring_self_events_enabled=False,
            url_verification_enabled=False,
            attaching_function_token_enabled=False,
        )

    async def frame(self, arrived: Arrived, raw: bytes, receipt: Receipt) -> BoltResponse:
        """What came by a socket."""
        return await self._bolt.async_dispatch(Unopened(Brought(raw, receipt, arrived), "", {}))

    async def request(self, raw: bytes, headers: Mapping[str, str], receipt: Receipt) -> BoltResponse:
        """What came by HTTP. Without a signature that is right and fresh it is not even read."""
        signed = {
            "x-slack-request-timestamp": _only(_TIMESTAMP, headers.get("X-Slack-Request-Timestamp")) or "0",
            "x-slack-signature": _only(_SIGNATURE, headers.get("X-Slack-Signature")),
            "x-slack-retry-num": headers.get("X-Slack-Retry-Num", ""),
            "x-slack-retry-reason": headers.get("X-Slack-Retry-Reason", ""),
            "content-type": headers.get("Content-Type", "").partition(";")[0].strip().lower(),
        }
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError:
            return BoltResponse(status=UNAUTHORIZED, body=json.dumps({"error": "the signature fits no text"}))
        return await self._bolt.async_dispatch(Unopened(Brought(raw, receipt), text, signed))

    def _read(self, request: AsyncBoltRequest) -> Arrived:
        headers = {name: values[0] for name, values in request.headers.items()}
        retry = Retry.of(headers["x-slack-retry-num"], headers["x-slack-retry-reason"])
        return of_request(request.raw_body, headers["content-type"], self.app.app_id, retry)

    def _speaks_for_another(self, arrived: Arrived) -> bool:
        """A signing secret proves which app it is: whoever knows one must not speak for the others."""
        if self.app.app_id is None or not isinstance(arrived, Delivery):
            return False
        return arrived.connection.partition(":")[0] != self.app.app_id

    async def _take_in(self, request: AsyncBoltRequest) -> BoltResponse:
        """Bolt calls it once the signature is right. It ends there: nothing of Bolt's comes after it."""
        brought: Brought = request.context["brought"]
        try:
            arrived = brought.arrived if brought.arrived is not None else self._read(request)
            if brought.arrived is None and self._speaks_for_another(arrived):
                log.warning("a request with the signature of %s speaks for another app: it is refused", self.app.label)
                return BoltResponse(status=UNAUTHORIZED, body=_as_json({"error": "the signature is another app's"}))
            outcome = await self._receiver.receive(arrived, brought.raw, brought.receipt)
        except Exception:  # Bolt would say nothing of it
            log.exception("what came by %s could not be taken in, and is not acknowledged", brought.receipt.transport)
            return BoltResponse(status=FAILED, body=_as_json({"error": "it could not be taken in"}))
        return _response(outcome)


def _response(outcome: Taken | Refused) -> BoltResponse:
    if isinstance(outcome, Refused):
        return BoltResponse(status=UNAVAILABLE, body=_as_json({"error": outcome.why}))
    return BoltResponse(status=OK, body=_as_json(outcome.payload) if outcome.payload else "")


def _as_json(payload: dict[str, Any]) -> str:
    return json.dumps(payload, ensure_ascii=False)


def _only(shape: re.Pattern[str], text: str | None) -> str:
    """What of a header Bolt can be shown without falling over it."""
    return text if text is not None and shape.fullmatch(text) else ""


async def _never() -> AuthorizeResult:
    raise AssertionError("Bolt was to stop at the door")
