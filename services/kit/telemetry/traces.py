"""Traces: one from Slack's envelope to the reply, carried through topics in the `traceparent` header."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import (
    INVALID_SPAN,
    NoOpTracer,
    NoOpTracerProvider,
    Span,
    SpanKind,
    StatusCode,
    Tracer,
    get_current_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import override

from schemas.attributes import Attributes
from services.kit.groups import TelemetrySettings


@dataclass(frozen=True)
class About:
    """What a span says of itself."""

    name: str
    kind: SpanKind
    facts: Mapping[str, str | int | float | bool]


log = logging.getLogger(__name__)

LEAVE_WITHIN_S: Final = 3.0
CARRIED: Final = frozenset({"traceparent", "tracestate"})
_PROPAGATOR = TraceContextTextMapPropagator()


class Telling(SpanExporter):
    """Says once that a collector is away, and once that it is back. Its client would say so again and again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._lost = 0

    @override
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Hands them over."""
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            if self._lost:
                log.warning("traces arrive again; %d spans were lost", self._lost)
            self._lost = 0
            return result
        if not self._lost:
            log.warning(
                "traces do not arrive where OTEL_EXPORTER_OTLP_ENDPOINT says: spans are lost until they do, and "
                "nothing else. Is a collector there, and does it take OTLP over HTTP?"
            )
        self._lost += len(spans)
        return result

    @override
    def shutdown(self) -> None:
        """Nothing more is handed over."""
        self._exporter.shutdown()


@contextmanager
def tracer_for(service: str, settings: TelemetrySettings, exporter: SpanExporter | None = None) -> Iterator[Tracer]:
    """A tracer whose spans go to the OTLP endpoint; one that does nothing where there is no endpoint."""
    exporter = exporter or _otlp(settings)
    if exporter is None:
        yield NoOpTracerProvider().get_tracer("threadline")
        return
    provider = TracerProvider(
        resource=Resource.create({"service.name": settings.otel_service_name or service}), shutdown_on_exit=False
    )
    provider.add_span_processor(BatchSpanProcessor(Telling(exporter)))
    try:
        yield provider.get_tracer("threadline")
    finally:
        leaving = threading.Thread(target=provider.shutdown, daemon=True)
        leaving.start()
        leaving.join(LEAVE_WITHIN_S)  # a collector that hangs keeps nobody from leaving


def _otlp(settings: TelemetrySettings) -> SpanExporter | None:
    endpoint = settings.otlp_traces_endpoint
    if endpoint is None and settings.otlp_endpoint is not None:
        endpoint = f"{settings.otlp_endpoint.rstrip('/')}/v1/traces"
    if endpoint is None:
        return None
    # Imported where it is wanted: protobuf and requests cost memory that a process without traces can do without.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    logging.getLogger("opentelemetry.exporter.otlp").setLevel(logging.CRITICAL)
    return OTLPSpanExporter(endpoint)


def current_trace(context: Context | None = None) -> dict[str, str]:
    """The `traceparent` and `tracestate` of a context, else of what is being done now; empty outside any trace."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, context)
    return carrier


def context_of(attributes: Attributes) -> Context:
    """The trace that a record belongs to."""
    carrier = {"traceparent": attributes.traceparent, "tracestate": attributes.tracestate}
    return _PROPAGATOR.extract({name: value for name, value in carrier.items() if value})


def context_from_outside(headers: Mapping[str, str]) -> Context:
    """The trace that a program's HTTP request belongs to; none where it says nothing of one."""
    carrier = {name.lower(): value for name, value in headers.items() if name.lower() in CARRIED}
    return _PROPAGATOR.extract(carrier) if carrier else Context()


def kind_of(error: BaseException) -> str:
    """A failure's name."""
    return type(error).__name__


def nobody_traces(tracer: Tracer) -> bool:
    """Neither here nor before: then no span is made. A thousand times a second, even one that does nothing costs."""
    return isinstance(tracer, NoOpTracer) and get_current_span() is INVALID_SPAN


@contextmanager
def spanning(
    tracer: Tracer, about: About, context: Context | None = None, named: Callable[[Exception], str] = kind_of
) -> Iterator[Span]:
    """A span. Of what fails within it only a name is kept: a message could quote people's words."""
    if context is not None and not context and nobody_traces(tracer):
        yield INVALID_SPAN
        return
    with tracer.start_as_current_span(
        about.name, context, about.kind, about.facts, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except Exception as error:
            span.set_attribute("error.type", named(error))
            span.set_status(StatusCode.ERROR)
            raise
