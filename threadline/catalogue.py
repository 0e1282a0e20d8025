"""Every setting and consumer group that there is: for the reference, backups, and telling a misspelt name.

Every command reads it: nothing that takes time is imported here.
"""

from services.directory.settings import DirectorySettings
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
from services.kit.secrets.settings import GatewaySettings
from services.kit.settings import Settings
from services.local.home import LocalSettings
from services.report.settings import ReportSettings
from services.responder.settings import SERVICE as RESPONDER
from services.responder.settings import ResponderSettings
from services.router.settings import SERVICE as ROUTER
from services.router.settings import RouterSettings
from services.slack_sim.settings import SlackSimSettings
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

GROUPS = (ROUTER, RESPONDER, SUPERVISOR, COMMANDS_GROUP, WORDS_GROUP)
"""Every consumer group, behind the topics' prefix: where they stand belongs to what is kept."""
