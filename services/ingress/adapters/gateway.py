"""Gateway runs: programs ask for answers and end them, by the same topic and the same gates as people."""

import json
import logging
import re
from typing import Annotated, Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from schemas.attributes import Attributes
from schemas.cause import gateway_cause
from schemas.envelope import GatewayCancel, GatewayRun, Received
from schemas.ids import run_id
from schemas.record import CannotWrite, encode
from schemas.topics import SLACK_INBOUND, name_of
from services.directory.faults import DatabaseAway
from services.directory.holding import Known
from services.directory.lookup import Directory
from services.directory.sign_in import Granted, sign_in
from services.ingress import metrics
from services.ingress.adapters.dead_letters import SOURCE
from services.ingress.adapters.entry import NotKept
from services.ingress.adapters.intakes import Intakes
from services.ingress.adapters.outgoing import Outgoing
from services.ingress.adapters.runs import Runs
from services.ingress.decisions.event_types import GATEWAY_CANCEL, GATEWAY_RUN
from services.ingress.decisions.run_view import cancel_id_of, event_id_of
from services.kit.fresh_ids import FreshIds
from services.kit.telemetry.instruments import Instruments
from services.kit.telemetry.traces import current_trace

log = logging.getLogger(__name__)

LONGEST_TEXT = 40_000
LONGEST_KEY = 200
RETRY_AFTER_S = "5"
_BEARER = re.compile(r"Bearer +(\S+)", re.IGNORECASE)
_RUN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

Line = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_KEY, pattern=r"^[\x20-\x7e]+$")]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    key: Line | None = None
    """The program's own name for the request; a repeat with the same is the same request."""
    workspace: Line | None = None
    app: Line | None = None


class RunAsked(_Body):
    """The body of POST /v1/runs."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)]
    agent: Line | None = None
    channel: Line | None = None
    thread_ts: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}\.[0-9]{1,9}$")] | None = None


class CancelAsked(_Body):
    """The body of POST /v1/runs/{id}/cancel; it may be left out."""


class No(Exception):
    """What a program is told instead."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status, self.error, self.message = status, error, message


class Gateway:
    """The addresses for programs."""

    def __init__(self, name: str, directory: Directory, intakes: Intakes, runs: Runs, tools: "GatewayTools") -> None:
        self._name, self._directory, self._intakes, self._runs = name, directory, intakes, runs
        self._ids = tools.ids
        self._clock, self._emitter = tools.instruments.clock, tools.instruments.emitter
        self._tracer = tools.instruments.tracer

    def routes(self) -> list[web.RouteDef]:
        """Ask, look, end."""
        return [
            web.post("/v1/runs", self._told(self._ask)),
            web.get("/v1/runs/{run_id}", self._told(self._look)),
            web.post("/v1/runs/{run_id}/cancel", self._told(self._cancel)),
        ]

    def _told(self, answer: Any) -> Any:
        """An answer of ours, or why there is none."""

        async def handler(request: web.Request) -> web.Response:
            try:
                granted = await self._signed_in(request)
                response: web.Response = await answer(request, granted)
            except No as no:
                headers = {"Retry-After": RETRY_AFTER_S} if no.status == web.HTTPServiceUnavailable.status_code else {}
                headers |= {"WWW-Authenticate": "Bearer"} if no.status == web.HTTPUnauthorized.status_code else {}
                return _answer(no.status, {"error": no.error, "message": no.message}, headers)
            return response

        return handler

    async def _signed_in(self, request: web.Request) -> Granted:
        bearer = _BEARER.fullmatch(request.headers.get("Authorization", ""))
        if bearer is None:
            raise No(401, "not_signed_in", "send the header Authorization: Bearer tl_…")
        try:
            granted = await sign_in(self._directory, bearer.group(1), "runs", self._clock.now())
        except DatabaseAway as fault:
            raise No(503, "try_again", str(fault)) from None
        if isinstance(granted, Granted):
            return granted
        if granted.reason == "not_for_this":
            raise No(403, "not_for_this", "the token is good, and not for runs; `threadline token create --for runs`")
        raise No(401, "not_signed_in", "the token is not good, or not any more")

    async def _ask(self, request: web.Request, granted: Granted) -> web.Response:
        asked = await _body(request, RunAsked)
        connection = _connection(granted.tenant, asked)
        key = _key(request, asked) or self._ids.new()
        run = run_id(connection, gateway_cause(key).name)
        received = self._received()
        event = GatewayRun(
            at=received.received_at,
            connection=connection,
            event_id=event_id_of(connection, key),
            received=received,
            tenant_id=granted.tenant.tenant_id,
            token_id=granted.token_id,
            request_key=key,
            text=asked.text,
            agent=asked.agent,
            channel_id=asked.channel,
            thread_ts=asked.thread_ts,
        )
        await self._keep(event, GATEWAY_RUN)
        self._runs.accepted(run, granted.tenant.tenant_id, received.received_at)
        return _accepted(run, key)

    async def _cancel(self, request: web.Request, granted: Granted) -> web.Response:
        run = _run_named(request)
        asked = await _body(request, CancelAsked)
        connection = _connection(granted.tenant, asked)
        key = _key(request, asked) or self._ids.new()
        received = self._received()
        event = GatewayCancel(
            at=received.received_at,
            connection=connection,
            event_id=cancel_id_of(connection, run, key),
            received=received,
            tenant_id=granted.tenant.tenant_id,
            token_id=granted.token_id,
            request_key=key,
            run_id=run,
        )
        await self._keep(event, GATEWAY_CANCEL)
        return _accepted(run, key)

    async def _look(self, request: web.Request, granted: Granted) -> web.Response:
        view = self._runs.view(_run_named(request), granted.tenant.tenant_id)
        if view is None:
            raise No(404, "unknown_run", "there is no such run, it is older than a day, or it is not decided yet")
        return _answer(web.HTTPOk.status_code, view.shown())

    def _received(self) -> Received:
        return Received(transport="gateway", received_at=self._clock.now(), ingress=self._name)

    async def _keep(self, event: GatewayRun | GatewayCancel, event_type: str) -> None:
        began = self._clock.monotonic()
        with self._tracer.start_as_current_span(f"receive {event_type}"):
            try:
                attributes = Attributes(event.event_id, name_of(type(event)), SOURCE, event.at, **current_trace())
                encoded = encode(SLACK_INBOUND, event, attributes)
                record = Outgoing(SLACK_INBOUND, event.connection, event.event_id, encoded, event.at, once_only=False)
                kept = await self._intakes.take(record)
            except CannotWrite:
                raise No(400, "not_text", "the text cannot stand as UTF-8; nothing was taken in") from None
            except NotKept as fault:
                self._emitter.count(metrics.RECEIVED, transport="gateway", result="refused")
                raise No(503, "not_kept", f"{fault}. Nothing was taken in; ask again with the same key") from None
            finally:
                self._emitter.observe(metrics.DISPATCH_SECONDS, self._clock.monotonic() - began, event_type=event_type)
        result = "spooled" if kept == "spool" else "published"
        self._emitter.count(metrics.RECEIVED, transport="gateway", result=result)


class GatewayTools:
    """What the gateway works with beside what it reaches."""

    def __init__(self, ids: FreshIds, instruments: Instruments) -> None:
        self.ids, self.instruments = ids, instruments


def _connection(tenant: Known, asked: _Body) -> str:
    """The installation that the run is for: the one that is named, or the only one."""
    open_ones = [each for each in tenant.facts.installations if each.closed_at is None]
    named = [each for each in open_ones if asked.workspace in {None, each.workspace} and asked.app in {None, each.app}]
    if len(named) == 1:
        return f"{named[0].app}:{named[0].workspace}"
    if not named:
        raise No(422, "no_connection", f"{tenant.tenant_id} has no app installed there; describe it in directory.yaml")
    there = ", ".join(f"{each.app} in {each.workspace}" for each in named)
    raise No(422, "which_connection", f"say which one with `workspace` and `app`: {there}")


async def _body(request: web.Request, kind: Any) -> Any:
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise No(413, "too_large", "the body is too large; nothing was taken in") from None
    try:
        return kind.model_validate_json(raw or b"{}")
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        words = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'the body'}: {each['msg']}" for each in problems)
        raise No(400, "wrong_body", f"{words}; nothing was taken in") from None


def _key(request: web.Request, asked: _Body) -> str | None:
    given = request.headers.get("Idempotency-Key")
    if given is not None and (not given.isascii() or not given.isprintable() or not 0 < len(given) <= LONGEST_KEY):
        raise No(400, "wrong_key", "Idempotency-Key has 1 to 200 printable characters of ASCII")
    if given is not None and asked.key is not None and given != asked.key:
        raise No(400, "wrong_key", "Idempotency-Key and `key` differ; give one")
    return given or asked.key


def _run_named(request: web.Request) -> str:
    run = request.match_info["run_id"]
    if _RUN.fullmatch(run) is None:
        raise No(404, "unknown_run", "a run's id looks like 8a6e0804-2bd0-5672-b79d-d97027f9071a")
    return run


def _accepted(run: str, key: str) -> web.Response:
    body = {"run_id": run, "state": "accepted", "key": key}
    return _answer(web.HTTPAccepted.status_code, body, {"Location": f"/v1/runs/{run}"})


def _answer(status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(text=json.dumps(body), status=status, content_type="application/json", headers=headers)
