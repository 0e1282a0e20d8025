"""Gateway runs: programs ask for answers and end them, by the same topic and the same gates as people."""

import re

from aiohttp import web
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from schemas.attributes import Attributes
from schemas.cause import gateway_cause
from schemas.envelope import GatewayCancel, GatewayRun, Received
from schemas.ids import run_id
from schemas.record import CannotWrite, encode
from schemas.topics import SLACK_INBOUND, name_of
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
from services.kit.telemetry.traces import About, context_from_outside, current_trace, spanning

_RUN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class RunAsked(Asked):
    """The body of POST /v1/runs."""

    text: Text
    agent: Line | None = None
    channel: Line | None = None
    thread_ts: Stamp | None = None


class CancelAsked(Asked):
    """The body of POST /v1/runs/{id}/cancel; it may be left out."""


class Gateway:
    """The addresses for programs."""

    def __init__(self, name: str, directory: Directory, intakes: Intakes, runs: Runs, tools: "GatewayTools") -> None:
        self._name, self._intakes, self._runs = name, intakes, runs
        self._programs = Programs(directory, tools.instruments.clock, "runs")
        self._ids = tools.ids
        self._clock, self._emitter = tools.instruments.clock, tools.instruments.emitter
        self._tracer = tools.instruments.tracer

    def routes(self) -> list[web.RouteDef]:
        """Ask, look, end."""
        return [
            web.post("/v1/runs", self._programs.told(self._ask)),
            web.get("/v1/runs/{run_id}", self._programs.told(self._look)),
            web.post("/v1/runs/{run_id}/cancel", self._programs.told(self._cancel)),
        ]

    async def _ask(self, request: web.Request, granted: Granted) -> web.Response:
        asked = await body_of(request, RunAsked)
        connection = connection_of(granted.tenant, asked)
        key = key_of(request, asked) or self._ids.new()
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
        await self._keep(event, GATEWAY_RUN, context_from_outside(request.headers))
        self._runs.accepted(run, granted.tenant.tenant_id, received.received_at)
        return _accepted(run, key)

    async def _cancel(self, request: web.Request, granted: Granted) -> web.Response:
        run = _run_named(request)
        asked = await body_of(request, CancelAsked)
        connection = connection_of(granted.tenant, asked)
        key = key_of(request, asked) or self._ids.new()
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
        await self._keep(event, GATEWAY_CANCEL, context_from_outside(request.headers))
        return _accepted(run, key)

    async def _look(self, request: web.Request, granted: Granted) -> web.Response:
        view = self._runs.view(_run_named(request), granted.tenant.tenant_id)
        if view is None:
            raise No(404, "unknown_run", "there is no such run, it is older than a day, or it is not decided yet")
        return json_answer(web.HTTPOk.status_code, view.shown())

    def _received(self) -> Received:
        return Received(transport="gateway", received_at=self._clock.now(), ingress=self._name)

    async def _keep(self, event: GatewayRun | GatewayCancel, event_type: str, trace: Context) -> None:
        began = self._clock.monotonic()
        about = About(f"receive {event_type}", SpanKind.SERVER, {"threadline.transport": "gateway"})
        with spanning(self._tracer, about, trace):
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


def _run_named(request: web.Request) -> str:
    run = request.match_info["run_id"]
    if _RUN.fullmatch(run) is None:
        raise No(404, "unknown_run", "a run's id looks like 8a6e0804-2bd0-5672-b79d-d97027f9071a")
    return run


def _accepted(run: str, key: str) -> web.Response:
    body = {"run_id": run, "state": "accepted", "key": key}
    return json_answer(web.HTTPAccepted.status_code, body, {"Location": f"/v1/runs/{run}"})
