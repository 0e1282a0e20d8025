"""Metrics of one process: OpenTelemetry's SDK with a Prometheus registry of its own."""

from collections.abc import Iterable
from dataclasses import dataclass

from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, MeterProvider
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

from services.kit.telemetry.catalogue import Metric
from services.kit.telemetry.emitter import Emitter, NoEmitter, OtelEmitter
from services.kit.telemetry.zeros import Expected, FromTheStart

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True)
class Metrics:
    """Takes measurements, and shows them as Prometheus reads them."""

    emitter: Emitter
    registry: CollectorRegistry

    def text(self) -> bytes:
        """The page that Prometheus scrapes."""
        return generate_latest(self.registry)


def metrics_of(service: str, catalogue: Iterable[Metric], *, on: bool = True) -> Metrics:
    """The metrics of one process; where they are off, an empty page and an emitter that does nothing."""
    registry, measured, expected = CollectorRegistry(), CollectorRegistry(), Expected()
    if not on:
        return Metrics(NoEmitter(), registry)
    reader = PrometheusMetricReader(scope_info_enabled=False, registry=measured)
    provider = MeterProvider(
        metric_readers=[reader],
        resource=Resource.create({"service.name": service}),
        shutdown_on_exit=False,
        exemplar_filter=AlwaysOffExemplarFilter(),  # Prometheus' text shows none
    )
    ProcessCollector(registry=registry)
    emitter = OtelEmitter(provider.get_meter("threadline"), catalogue, expected)
    registry.register(FromTheStart(measured, expected))
    return Metrics(emitter, registry)
