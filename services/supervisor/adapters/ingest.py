"""Agents report: what they say is checked, and durable before they are answered."""

from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any, Final

from aiohttp import web
from opentelemetry.trace import SpanKind
from pydantic import Field

from schemas.agent import TaskHome
from services.directory.document import ChannelPlace
from services.directory.programs import Asked, No, Programs, body_of, connection_of, json_answer
from services.directory.sign_in import Granted
from services.kit.telemetry.traces import About, context_from_outside, spanning
from services.supervisor import metrics
from services.supervisor.adapters.accepting import accept
from services.supervisor.adapters.given import Given
from services.supervisor.adapters.requests import Requests
from services.supervisor.decisions import wire
from services.supervisor.decisions.pace import Pace
from services.supervisor.decisions.wire import From, WrongEvent

LARGEST_BODY: Final = 1 << 20
MOST_EVENTS: Final = 100
ABOUT: Final = About("receive agent events", SpanKind.SERVER, {"threadline.transport": "agents"})


class EventsAsked(Asked):
    """The body of POST /v1/agents/events."""

    channel: ChannelPlace | None = None
    """Where its tasks are told of; the tenant's own channel in that workspace without it."""
    events: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=MOST_EVENTS)]


@dataclass(frozen=True)
class _No:
    """One event that was not taken."""

    index: int
    why: WrongEvent

    def shown(self) -> dict[str, Any]:
        """As the program is told."""
        return {"index": self.index, "id": self.why.event_id, "error": "wrong_event", "message": str(self.why)}


class Ingest:
    """The address for events."""

    def __init__(self, given: Given, programs: Programs, requests: Requests) -> None:
        self._requests, self._pace = requests, Pace(given.settings.supervisor_events_per_s)
        self._programs, self._producer, instruments = programs, given.producer, given.instruments
        self._clock, self._emitter, self._tracer = instruments.clock, instruments.emitter, instruments.tracer

    def routes(self) -> list[web.RouteDef]:
        """The one."""
        return [web.post("/v1/agents/events", self._programs.told(self._take))]

    async def _take(self, request: web.Request, granted: Granted) -> web.Response:
        began = self._clock.monotonic()
        asked: EventsAsked = await body_of(request, EventsAsked)
        self._has_room(granted.tenant.tenant_id, len(asked.events))
        connection = connection_of(granted.tenant, asked)
        workspace = connection.partition(":")[2]
        channel = asked.channel or granted.tenant.facts.agents_channel_in(workspace)
        home = TaskHome(connection=connection, team_id=workspace, channel=channel)
        source = From(granted.tenant.tenant_id, granted.token_id, home, self._clock.now())
        taken, refused = _read(asked.events, source)
        if taken:
            with spanning(self._tracer, ABOUT, context_from_outside(request.headers)):
                await accept(self._producer, taken)
        self._emitter.count(metrics.EVENTS, len(taken), result="accepted")
        if refused:
            self._emitter.count(metrics.EVENTS, len(refused), result="refused")
        self._emitter.observe(metrics.INGEST_SECONDS, self._clock.monotonic() - began)
        status = web.HTTPAccepted.status_code if taken else web.HTTPBadRequest.status_code
        answer: dict[str, Any] = {"accepted": len(taken), "refused": [each.shown() for each in refused]}
        if asked_for := self._requests.take(taken):
            answer["approvals"] = asked_for
        return json_answer(status, answer)

    def _has_room(self, tenant_id: str, events: int) -> None:
        wait_s = self._pace.wait_s(tenant_id, events, self._clock.monotonic())
        if wait_s > 0:
            words = (
                f"this tenant's programs report more than {self._pace.per_s:g} events a second "
                "(THREADLINE_SUPERVISOR_EVENTS_PER_S). Nothing of this request is kept: send the same again after "
                "Retry-After, or report less often"
            )
            raise No(429, "too_fast", words, ceil(wait_s))


def _read(events: list[dict[str, Any]], source: From) -> tuple[list[tuple[wire.LogEvent, str]], list[_No]]:
    taken: list[tuple[wire.LogEvent, str]] = []
    refused: list[_No] = []
    for index, raw in enumerate(events):
        try:
            taken.append(wire.to_log(wire.read(raw), source))
        except WrongEvent as why:
            refused.append(_No(index, why))
    return taken, refused
