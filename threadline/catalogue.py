"""Every setting, metric and consumer group that there is: for the reference, backups, and telling a misspelt name."""

from services.directory import metrics as directory_metrics
from services.directory.settings import DirectorySettings
from services.ingress import metrics as ingress_metrics
from services.ingress.settings import IngressSettings
from services.kit.groups import (
    DatabaseSettings,
    HttpSettings,
    KafkaSettings,
    LogSettings,
    ModelSettings,
    SecretSettings,
    SlackSettings,
    StateSettings,
    TelemetrySettings,
)
from services.kit.kafka import metrics as kafka_metrics
from services.kit.secrets.settings import GatewaySettings
from services.kit.settings import Settings
from services.kit.telemetry.catalogue import Metric
from services.local.home import LocalSettings
from services.report.settings import ReportSettings
from services.responder import metrics as responder_metrics
from services.responder.settings import SERVICE as RESPONDER
from services.responder.settings import ResponderSettings
from services.router import metrics as router_metrics
from services.router.settings import SERVICE as ROUTER
from services.router.settings import RouterSettings
from services.slack_sim.settings import SlackSimSettings
from services.supervisor import metrics as supervisor_metrics
from services.supervisor.settings import COMMANDS_GROUP, WORDS_GROUP, SupervisorSettings
from services.supervisor.settings import SERVICE as SUPERVISOR

SETTINGS: tuple[type[Settings], ...] = (
    KafkaSettings,
    DatabaseSettings,
    SlackSettings,
    ModelSettings,
    SecretSettings,
    StateSettings,
    DirectorySettings,
    GatewaySettings,
    IngressSettings,
    RouterSettings,
    ResponderSettings,
    SupervisorSettings,
    ReportSettings,
    HttpSettings,
    LogSettings,
    TelemetrySettings,
    LocalSettings,
    SlackSimSettings,
)

METRICS: tuple[Metric, ...] = (
    *kafka_metrics.CATALOGUE,
    *directory_metrics.CATALOGUE,
    *ingress_metrics.CATALOGUE,
    *router_metrics.CATALOGUE,
    *responder_metrics.CATALOGUE,
    *supervisor_metrics.CATALOGUE,
)
"""Each room's catalogue of metrics."""

GROUPS = (ROUTER, RESPONDER, SUPERVISOR, COMMANDS_GROUP, WORDS_GROUP)
"""Every consumer group, behind the topics' prefix: where they stand belongs to what is kept."""
