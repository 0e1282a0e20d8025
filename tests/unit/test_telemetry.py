import threading
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from typing_extensions import override

from schemas.attributes import Attributes
from services.kit.groups import TelemetrySettings
from services.kit.telemetry import traces
from services.kit.telemetry.catalogue import Counter, Gauge, Histogram, Metric, prometheus_name
from services.kit.telemetry.metrics import Metrics, metrics_of
from services.kit.telemetry.traces import Telling, context_of, current_trace, tracer_for
from tests.samples import AT
from threadline.measured import METRICS

RUNS = Counter("threadline_test_runs", "Runs.", labels={"outcome": ("completed", "errored")})
STATE = Gauge("threadline_test_state", "State.", labels={"app": None})
TOOK = Histogram("threadline_test_took", "Time.", unit="s", buckets=(0.1, 1.0))
CATALOGUE: tuple[Metric, ...] = (RUNS, STATE, TOOK)


def test_counters_stand_at_zero_from_the_start() -> None:
    text = metrics_of("t", CATALOGUE).text().decode()
    assert 'threadline_test_runs_total{outcome="completed"} 0.0' in text
    assert 'threadline_test_runs_total{outcome="errored"} 0.0' in text


def samples_of(metrics: Metrics, name: str) -> dict[str, float]:
    """Of a metric without labels, what is shown, each by its suffix and bound."""
    found = [sample for family in text_string_to_metric_families(metrics.text().decode()) for sample in family.samples]
    mine = [sample for sample in found if sample.name.startswith(name)]
    shown = {sample.name.removeprefix(name) + sample.labels.get("le", ""): sample.value for sample in mine}
    assert len(shown) == len(mine), "each of them once"
    return shown


def test_histograms_stand_at_zero_from_the_start_as_they_stand_later() -> None:
    metrics = metrics_of("t", CATALOGUE)
    before = samples_of(metrics, "threadline_test_took_seconds")
    assert before == {"_bucket0.1": 0, "_bucket1.0": 0, "_bucket+Inf": 0, "_count": 0, "_sum": 0}
    metrics.emitter.observe(TOOK, 0.5)
    after = samples_of(metrics, "threadline_test_took_seconds")
    assert after == {"_bucket0.1": 0, "_bucket1.0": 1, "_bucket+Inf": 1, "_count": 1, "_sum": 0.5}


def test_a_histogram_of_names_unknown_beforehand_stands_at_zero_once_it_is_expected() -> None:
    lived = Histogram("threadline_test_lived", "Time.", unit="s", labels={"app": None}, buckets=(1,))
    metrics = metrics_of("t", (lived,))
    assert b"threadline_test_lived" not in metrics.text()
    metrics.emitter.expect(lived, app="A1")
    metrics.emitter.expect(lived, app="A2")
    metrics.emitter.observe(lived, 2, app="A2")
    shown = metrics.text().decode()
    assert shown.count("# TYPE threadline_test_lived_seconds histogram") == 1
    for line in ('bucket{app="A1",le="1.0"} 0.0', 'count{app="A1"} 0.0', 'count{app="A2"} 1.0', 'sum{app="A2"} 2.0'):
        assert shown.count(f"threadline_test_lived_seconds_{line}") == 1, line


def test_measurements_are_shown_under_their_declared_names_without_labels_of_ours() -> None:
    metrics = metrics_of("t", CATALOGUE)
    metrics.emitter.count(RUNS, outcome="completed")
    metrics.emitter.set(STATE, 1, app="A1")
    metrics.emitter.observe(TOOK, 0.5)
    text = metrics.text().decode()
    assert 'threadline_test_runs_total{outcome="completed"} 1.0' in text
    assert 'threadline_test_state{app="A1"} 1.0' in text
    assert 'threadline_test_took_seconds_bucket{le="1.0"} 1.0' in text
    assert "threadline_test_took_seconds_count 1.0" in text
    for metric in CATALOGUE:
        assert f"# TYPE {prometheus_name(metric)}" in text


def test_each_process_has_a_registry_of_its_own() -> None:
    one, other = metrics_of("one", CATALOGUE), metrics_of("other", CATALOGUE)
    one.emitter.count(RUNS, outcome="completed")
    assert 'outcome="completed"} 1.0' not in other.text().decode()


def test_where_metrics_are_off_nothing_is_kept_and_nothing_fails() -> None:
    metrics = metrics_of("t", CATALOGUE, on=False)
    metrics.emitter.count(RUNS, outcome="completed")
    metrics.emitter.set(STATE, 1, app="A1")
    metrics.emitter.observe(TOOK, 0.5)
    assert metrics.text() == b""


@pytest.mark.parametrize("labels", [{}, {"outcome": "exploded"}, {"outcome": "completed", "user": "U1"}])
def test_a_label_that_was_not_declared_is_refused(labels: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="threadline_test_runs"):
        metrics_of("t", CATALOGUE).emitter.count(RUNS, 1, **labels)


def test_every_metric_of_the_product_has_our_prefix_and_can_be_shown() -> None:
    text = metrics_of("t", METRICS).text().decode()
    for metric in METRICS:
        assert metric.name.startswith("threadline_")
        assert not {"user", "thread", "run_id", "message"} & set(metric.labels)
        if isinstance(metric, Counter) and list(metric.known_series()):
            assert prometheus_name(metric) in text


def test_a_trace_is_carried_in_the_headers_from_one_process_to_the_next() -> None:
    exporter = InMemorySpanExporter()
    with tracer_for("t", TelemetrySettings(), exporter) as tracer:
        with tracer.start_as_current_span("first"):
            carried = Attributes("id", "run.state", "/threadline/t", AT, **current_trace())
        with tracer.start_as_current_span("second", context=context_of(carried)):
            pass
    first, second = exporter.get_finished_spans()
    assert carried.traceparent is not None
    assert second.context.trace_id == first.context.trace_id
    assert second.parent is not None
    assert second.parent.span_id == first.context.span_id


def test_a_collector_that_is_away_is_told_of_once_and_that_it_is_back_once(caplog: pytest.LogCaptureFixture) -> None:
    class Away(InMemorySpanExporter):
        is_away = True

        @override
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            return SpanExportResult.FAILURE if self.is_away else super().export(spans)

    exporter = Away()
    telling = Telling(exporter)
    span = ReadableSpan("s")
    assert telling.export([span]) is SpanExportResult.FAILURE
    assert telling.export([span, span]) is SpanExportResult.FAILURE
    exporter.is_away = False
    assert telling.export([span]) is SpanExportResult.SUCCESS
    assert telling.export([span]) is SpanExportResult.SUCCESS
    away, back = [record.getMessage() for record in caplog.records]
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in away
    assert back == "traces arrive again; 3 spans were lost"


def test_a_collector_that_hangs_keeps_nobody_from_leaving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "LEAVE_WITHIN_S", 0.1)
    hangs = threading.Event()

    class Hanging(InMemorySpanExporter):
        @override
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            hangs.wait()
            return SpanExportResult.FAILURE

    with tracer_for("t", TelemetrySettings(), Hanging()) as tracer:
        tracer.start_span("s").end()
    hangs.set()


def test_without_an_endpoint_nothing_is_traced_and_a_trace_from_before_is_passed_on() -> None:
    before = Attributes("id", "run.state", "/t", AT, traceparent=f"00-{'1' * 32}-{'2' * 16}-01")
    with tracer_for("t", TelemetrySettings()) as tracer:
        with tracer.start_as_current_span("s"):
            assert current_trace() == {}
        with tracer.start_as_current_span("s", context=context_of(before)):
            assert current_trace() == {"traceparent": before.traceparent}
