"""Histograms at 0 from the start: what is first measured between two scrapes would otherwise count for nothing."""

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample
from typing_extensions import override

from services.kit.telemetry.catalogue import Histogram, prometheus_name


class Expected:
    """The series of histograms that are to be seen before anything is measured."""

    def __init__(self) -> None:
        self._samples: dict[str, dict[frozenset[tuple[str, str]], list[Sample]]] = {}
        self._histograms: dict[str, Histogram] = {}

    def add(self, histogram: Histogram, labels: Mapping[str, str]) -> None:
        """One more."""
        name = prometheus_name(histogram)
        self._histograms[name] = histogram
        self._samples.setdefault(name, {})[frozenset(labels.items())] = list(_zeros(name, histogram, labels))

    def missing(self, name: str, there: Iterable[Sample]) -> Iterator[Sample]:
        """Of a histogram's series, those that nothing was measured for."""
        measured = {frozenset(each.labels.items()) for each in there if each.name == f"{name}_count"}
        for labels, samples in self._samples.get(name, {}).items():
            if labels not in measured:
                yield from samples

    def others(self, shown: set[str]) -> Iterator[Family]:
        """Histograms that nothing was measured for at all."""
        for name, histogram in self._histograms.items():
            if name not in shown:
                family = HistogramMetricFamily(name, histogram.description)
                family.samples.extend(self.missing(name, ()))
                yield family


class FromTheStart(Collector):
    """What is measured, and at 0 what is not yet."""

    def __init__(self, measured: CollectorRegistry, expected: Expected) -> None:
        self._measured, self._expected = measured, expected

    @override
    def collect(self) -> Iterator[Family]:
        shown: set[str] = set()
        for family in self._measured.collect():
            shown.add(family.name)
            family.samples.extend(self._expected.missing(family.name, list(family.samples)))
            yield family
        yield from self._expected.others(shown)


def _zeros(name: str, histogram: Histogram, labels: Mapping[str, str]) -> Iterator[Sample]:
    for bound in (*map(float, histogram.buckets), float("inf")):
        yield Sample(f"{name}_bucket", {**labels, "le": "+Inf" if bound == float("inf") else str(bound)}, 0.0)
    yield Sample(f"{name}_count", dict(labels), 0.0)
    yield Sample(f"{name}_sum", dict(labels), 0.0)
