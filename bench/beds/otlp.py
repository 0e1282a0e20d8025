"""Receives traces as a collector does: OTLP over HTTP, in protobuf, compressed or not."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from services.kit.http import served

LARGEST = 64 << 20


@dataclass(frozen=True)
class Seen:
    """One span."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    kind: str
    failed: bool
    facts: Mapping[str, str]
    """Each as text."""
    whole: str
    """Everything that it says."""


@dataclass
class Collector:
    """What has come in."""

    address: str = ""
    traces: dict[str, list[Seen]] = field(default_factory=lambda: defaultdict(list))

    @property
    def environment(self) -> dict[str, str]:
        """Sends a service's traces here, and soon."""
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.address, "OTEL_BSP_SCHEDULE_DELAY": "200"}

    async def take(self, request: web.Request) -> web.Response:
        """What POST /v1/traces gives."""
        sent = ExportTraceServiceRequest.FromString(await request.read())
        for each in sent.resource_spans:
            service = _facts(each.resource.attributes)["service.name"]
            for scope in each.scope_spans:
                for span in scope.spans:
                    seen = _seen(service, span)
                    self.traces[seen.trace].append(seen)
        answer = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=answer, content_type="application/x-protobuf")

    async def whole(self, trace: str, *names: str) -> list[Seen]:
        """The spans of a trace, once all of these names and the parent of each are there."""
        while True:
            spans = self.traces[trace]
            ids = {each.id for each in spans} | {""}
            if {each.name for each in spans} >= set(names) and all(each.parent in ids for each in spans):
                return spans
            await asyncio.sleep(0.05)


def _seen(service: str, span: Span) -> Seen:
    return Seen(
        service=service,
        name=span.name,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        facts=_facts(span.attributes),
        whole=str(span),
    )


def _facts(attributes: Iterable[KeyValue]) -> dict[str, str]:
    return {each.key: str(getattr(each.value, each.value.WhichOneof("value") or "string_value")) for each in attributes}


@asynccontextmanager
async def collector() -> AsyncIterator[Collector]:
    """Runs one on this machine."""
    found = Collector()
    app = web.Application(client_max_size=LARGEST)
    app.add_routes([web.post("/v1/traces", found.take)])
    async with served(app, "127.0.0.1", 0) as served_at:
        found.address = str(served_at)
        yield found
