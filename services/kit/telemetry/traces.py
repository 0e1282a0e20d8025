"""Traces: one from Slack's envelope to the reply, carried through topics in the `traceparent` header."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import NoOpTracerProvider, Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from schemas.attributes import Attributes
from services.kit.groups import TelemetrySettings


@dataclass(frozen=True)
class About:
    """What a span says of itself."""

    name: str
    kind: SpanKind
    facts: Mapping[str, str | int | float | bool]


_PROPAGATOR = TraceContextTextMapPropagator()


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
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield provider.get_tracer("threadline")
    finally:
        provider.shutdown()


def _otlp(settings: TelemetrySettings) -> SpanExporter | None:
    endpoint = settings.otlp_traces_endpoint
    if endpoint is None and settings.otlp_endpoint is not None:
        endpoint = f"{settings.otlp_endpoint.rstrip('/')}/v1/traces"
    if endpoint is None:
        return None
    # Imported where it is wanted: protobuf and requests cost memory that a process without traces can do without.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

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
    return _PROPAGATOR.extract({name.lower(): value for name, value in headers.items()})


def kind_of(error: BaseException) -> str:
    """A failure's name."""
    return type(error).__name__


@contextmanager
def spanning(
    tracer: Tracer, about: About, context: Context | None = None, named: Callable[[Exception], str] = kind_of
) -> Iterator[Span]:
    """A span. Of what fails within it only a name is kept: a message could quote people's words."""
    with tracer.start_as_current_span(
        about.name, context, about.kind, about.facts, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except Exception as error:
            span.set_attribute("error.type", named(error))
            span.set_status(StatusCode.ERROR)
            raise
