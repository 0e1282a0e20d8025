"""Where measurements go: to OpenTelemetry, or nowhere."""

from collections.abc import Iterable, Mapping
from threading import Lock
from typing import Protocol, assert_never

from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.metrics import Histogram as OtelHistogram
from opentelemetry.metrics import _Gauge as OtelGauge

from services.kit.telemetry.catalogue import Counter, Gauge, Histogram, Metric
from services.kit.telemetry.zeros import Expected


class Emitter(Protocol):
    """Takes measurements of declared metrics."""

    def count(self, metric: Counter, amount: float = 1, **labels: str) -> None:
        """Something happened."""
        ...

    def set(self, metric: Gauge, value: float, **labels: str) -> None:
        """Something stands at a value."""
        ...

    def observe(self, metric: Histogram, value: float, **labels: str) -> None:
        """Something was measured."""
        ...

    def expect(self, metric: Histogram, **labels: str) -> None:
        """Something will be measured: it stands at 0 until then. Series that can be named beforehand do so anyway."""
        ...


class NoEmitter:
    """Does nothing, where metrics are off."""

    def count(self, metric: Counter, amount: float = 1, **labels: str) -> None:
        """Nothing."""

    def set(self, metric: Gauge, value: float, **labels: str) -> None:
        """Nothing."""

    def observe(self, metric: Histogram, value: float, **labels: str) -> None:
        """Nothing."""

    def expect(self, metric: Histogram, **labels: str) -> None:
        """Nothing."""


class _Counted:
    """What a counter came to, by labels. It is handed over when somebody looks: a thousand times a second, it costs."""

    def __init__(self, metric: Counter) -> None:
        self._metric, self._lock = metric, Lock()
        self._totals: dict[tuple[tuple[str, str], ...], float] = {
            tuple(sorted(labels.items())): 0 for labels in metric.known_series()
        }

    def add(self, amount: float, labels: Mapping[str, str]) -> None:
        """So much more."""
        key = tuple(sorted(labels.items()))
        if key not in self._totals:
            self._metric.refuse_unless_declared(labels)
        with self._lock:
            self._totals[key] = self._totals.get(key, 0) + amount

    def observed(self, _: CallbackOptions) -> list[Observation]:
        """As it stands."""
        with self._lock:
            return [Observation(total, dict(key)) for key, total in self._totals.items()]


class OtelEmitter:
    """Keeps measurements in OpenTelemetry's SDK. Counters and histograms of its catalogue stand at 0 from the start."""

    def __init__(self, meter: Meter, catalogue: Iterable[Metric], expected: Expected) -> None:
        self._expected = expected
        self._counters: dict[Counter, _Counted] = {}
        self._gauges: dict[Gauge, OtelGauge] = {}
        self._histograms: dict[Histogram, OtelHistogram] = {}
        for metric in catalogue:
            self._create(meter, metric)

    def _create(self, meter: Meter, metric: Metric) -> None:
        match metric:
            case Counter():
                counted = self._counters[metric] = _Counted(metric)
                meter.create_observable_counter(metric.name, [counted.observed], metric.unit, metric.description)
            case Gauge():
                self._gauges[metric] = meter.create_gauge(metric.name, metric.unit, metric.description)
            case Histogram():
                self._histograms[metric] = meter.create_histogram(
                    metric.name,
                    metric.unit,
                    metric.description,
                    explicit_bucket_boundaries_advisory=metric.buckets,
                )
                for labels in metric.known_series():
                    self._expected.add(metric, labels)
            case _:
                assert_never(metric)

    def count(self, metric: Counter, amount: float = 1, **labels: str) -> None:
        """Something happened."""
        self._counters[metric].add(amount, labels)

    def set(self, metric: Gauge, value: float, **labels: str) -> None:
        """Something stands at a value."""
        metric.refuse_unless_declared(labels)
        self._gauges[metric].set(value, labels)

    def observe(self, metric: Histogram, value: float, **labels: str) -> None:
        """Something was measured."""
        metric.refuse_unless_declared(labels)
        self._histograms[metric].record(value, labels)

    def expect(self, metric: Histogram, **labels: str) -> None:
        """Something will be measured."""
        metric.refuse_unless_declared(labels)
        self._expected.add(metric, labels)
