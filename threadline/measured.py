"""Every metric that there is: for the reference, dashboards and alerts."""

from services.directory import metrics as directory_metrics
from services.ingress import metrics as ingress_metrics
from services.kit.kafka import metrics as kafka_metrics
from services.kit.telemetry.catalogue import Metric
from services.responder import metrics as responder_metrics
from services.router import metrics as router_metrics
from services.supervisor import metrics as supervisor_metrics

METRICS: tuple[Metric, ...] = (
    *kafka_metrics.CATALOGUE,
    *directory_metrics.CATALOGUE,
    *ingress_metrics.CATALOGUE,
    *router_metrics.CATALOGUE,
    *responder_metrics.CATALOGUE,
    *supervisor_metrics.CATALOGUE,
)
"""Each room's catalogue of metrics."""
