"""Answers calls of the Web API: from a request to Slack's answer, whatever the request says."""

import asyncio
import base64
import binascii
import logging
from typing import Any

from aiohttp import web

from services.slack_sim.faults.calls import CallFault
from services.slack_sim.records import ApiCall
from services.slack_sim.refusal import Refusal
from services.slack_sim.simulation import Simulation
from services.slack_sim.web_api.arguments import JSON, Arguments, arguments_of
from services.slack_sim.web_api.call import Call, Method, RateLimited
from services.slack_sim.web_api.table import METHODS
from services.slack_sim.wire import as_json

log = logging.getLogger(__name__)

HIDDEN = "[redacted]"
SECRETS = {"token", "client_secret", "code", "refresh_token"}
CUT_AT = 12
LONGEST_KEPT = 20_000
"""Of what a call says and is answered, for whoever looks at it later."""


class WebApi:
    """The Web API of one simulation."""

    def __init__(self, slack: Simulation) -> None:
        self._slack = slack

    def routes(self) -> list[web.RouteDef]:
        """Where it is served."""
        return [web.route("*", "/api/{method}", self.answer), web.route("*", "/api/", self.answer)]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answers one call."""
        slack, loop = self._slack, asyncio.get_running_loop()
        await slack.link_faults.passable()
        record = slack.calls.begin(request.match_info.get("method", ""), slack.moments.now())
        started = loop.time()
        headers: dict[str, str] = {}
        body = await self._body(request, record, headers)
        text = as_json(body)
        record.status = record.status or web.HTTPOk.status_code
        record.error = body.get("error") if not body["ok"] else None
        kept = len(text) <= LONGEST_KEPT
        record.answer = (
            _without_secrets(body) if kept else {"ok": True, "": f"{len(text)} characters, too long to keep"}
        )
        record.took_ms = (loop.time() - started) * 1000
        slack.calls.end(record)
        if record.fault == "lost_after":
            _drop(request)
        if record.fault == "cut":
            return await _cut(request, text)
        return web.Response(text=text, content_type=JSON, charset="utf-8", status=record.status, headers=headers)

    async def _body(self, request: web.Request, record: ApiCall, headers: dict[str, str]) -> dict[str, Any]:
        """What is answered; never a failure of the server, whatever was asked."""
        try:
            given = await self._given(request, record)
            call, method = self._called(request, given, record, headers)
            fault, epoch = self._slack.call_faults.hitting(record.method, record.app_id), self._slack.epoch
            answer = await self._faulty(fault, record, request)
            if self._slack.epoch != epoch:  # who called is not there any more
                return {"ok": False, "error": "fatal_error"}
            return answer or _answered(fault, record, self._run(call, method))
        except Refusal as refusal:
            return {"ok": False, "error": refusal.error, **refusal.more}
        except RateLimited as limited:
            headers["Retry-After"] = str(limited.wait_s)
            record.status = web.HTTPTooManyRequests.status_code
            return {"ok": False, "error": "ratelimited"}
        except web.HTTPRequestEntityTooLarge:
            record.status = web.HTTPRequestEntityTooLarge.status_code
            return {"ok": False, "error": "request_too_large"}
        except Exception:
            log.exception("the simulator failed in %s; the call is answered with internal_error", record.method)
            return {"ok": False, "error": "internal_error"}

    async def _given(self, request: web.Request, record: ApiCall) -> dict[str, Any]:
        given = await arguments_of(request)
        shown = {name: HIDDEN if name in SECRETS else value for name, value in given.items()}
        size = request.content_length or 0
        record.arguments = shown if size <= LONGEST_KEPT else {"": f"{size} bytes, too long to keep"}
        return given

    def _called(
        self, request: web.Request, given: dict[str, Any], record: ApiCall, headers: dict[str, str]
    ) -> tuple[Call, Method]:
        """Who calls what, as far as it is allowed."""
        name = record.method
        method = METHODS.get(name)
        if method is None:
            raise Refusal("unknown_method", req_method=name)
        sent = _token(request, given)
        call = Call(self._slack, Arguments(given), host=_host(request), basic=_basic(request), token=sent)
        if request.method == "POST" and request.content_type == JSON and request.charset is None:
            call.warnings.append("missing_charset")
        if method.token == "none":  # noqa: S105 - it names a kind of token
            return call, method
        self._sign_in(call, method, sent, record)
        if call.by is not None:
            headers["x-oauth-scopes"] = ",".join(call.by.scopes)
            headers["x-accepted-oauth-scopes"] = ",".join(method.scopes)
        wait = self._slack.limits.take(name, self._tier(call, method), (record.app_id or "", record.team_id or ""))
        if wait is not None:
            raise RateLimited(wait)
        if method.scopes:
            call.need_scope(*method.scopes)
        return call, method

    def _tier(self, call: Call, method: Method) -> int | None:
        reads = method.name in {"conversations.history", "conversations.replies"}
        return 1 if reads and call.app is not None and call.app.commercial else method.tier

    def _sign_in(self, call: Call, method: Method, token: str, record: ApiCall) -> None:
        if not token:
            raise Refusal("not_authed")
        known = self._slack.world.tokens.get(token)
        if known is None:
            raise Refusal("invalid_auth")
        call.app, call.by = known.app, known.installation
        record.app_id = known.app.id
        if call.by is None:
            if method.token == "bot":  # noqa: S105 - it names a kind of token
                raise Refusal("not_allowed_token_type")
            return
        record.team_id = call.by.team_id
        if call.by.ended == "uninstalled":
            raise Refusal("account_inactive")
        if call.by.ended == "revoked" or token in call.by.old_tokens:
            raise Refusal("token_revoked")
        until = call.by.rotated.get(token, call.by.expires_at)
        if until is not None and until <= self._slack.moments.now():
            raise Refusal("token_expired")
        if method.token == "app":  # noqa: S105 - it names a kind of token
            raise Refusal("not_allowed_token_type")

    async def _faulty(self, fault: CallFault | None, record: ApiCall, request: web.Request) -> dict[str, Any] | None:
        """What a fault makes of the call; nothing where it goes on as usual."""
        if fault is None:
            return None
        record.fault = fault.kind or "delay"
        if fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        match fault.kind:
            case "ratelimited":
                raise RateLimited(fault.retry_after_s)
            case "error":
                raise Refusal(fault.error)
            case "status":
                return _failed(fault, record)
            case "lost_before":
                _drop(request)
                raise Refusal("lost")
            case _:
                return None

    def _run(self, call: Call, method: Method) -> dict[str, Any]:
        body = {"ok": True, **method.run(call)}
        if call.warnings:
            body["warning"] = ",".join(call.warnings)
            body.setdefault("response_metadata", {})["warnings"] = call.warnings
        return body


def _answered(fault: CallFault | None, record: ApiCall, body: dict[str, Any]) -> dict[str, Any]:
    """What is said of a call that is done."""
    return _failed(fault, record) if fault is not None and fault.kind == "status_after" else body


def _failed(fault: CallFault, record: ApiCall) -> dict[str, Any]:
    """An HTTP error, which says nothing of what was done."""
    record.status = fault.status
    return {"ok": False, "error": "service_unavailable"}


def _drop(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()


async def _cut(request: web.Request, text: str) -> web.StreamResponse:
    """Begins to answer, and breaks off."""
    answer = web.StreamResponse(headers={"Content-Type": JSON, "Content-Length": str(len(text.encode()))})
    await answer.prepare(request)
    await answer.write(text.encode()[:CUT_AT])
    _drop(request)
    return answer


def _host(request: web.Request) -> str:
    return f"{request.scheme}://{request.host}"


def _token(request: web.Request, given: dict[str, Any]) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    said = given.get("token")
    return said if isinstance(said, str) and request.content_type != JSON else ""


def _basic(request: web.Request) -> tuple[str, str] | None:
    scheme, _, said = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, password = base64.b64decode(said, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return name, password


def _without_secrets(body: dict[str, Any]) -> dict[str, Any]:
    """The answer as it may be shown."""
    hidden = {"access_token", "id_token", "refresh_token", "upload_url"}
    shown = {name: HIDDEN if name in hidden else value for name, value in body.items()}
    return shown | ({"url": HIDDEN} if "ticket=" in str(body.get("url", "")) else {})
