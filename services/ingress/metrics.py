"""What is measured of ingress."""

from schemas.topics import DEAD_LETTERS, SLACK_INBOUND
from services.ingress.decisions.event_types import EVENT_TYPES
from services.ingress.decisions.link_state import STATES
from services.kit.telemetry.catalogue import Counter, Gauge, Histogram

TOPICS = (SLACK_INBOUND.name, DEAD_LETTERS.name)

SOCKET_STATE = Gauge(
    "threadline_slack_socket_state",
    "1 for the state that a slot is in, 0 for the six others.",
    labels={"app": None, "slot": None, "state": STATES},
)
RECONNECTS = Counter(
    "threadline_slack_socket_reconnects",
    "Sockets that were opened in place of one that was lost, was deaf, or that Slack wanted refreshed.",
    labels={"app": None, "slot": None},
)
CONNECTION_SECONDS = Histogram(
    "threadline_slack_socket_connection",
    "How long a socket lived, from Slack's hello to its end.",
    unit="s",
    labels={"app": None, "slot": None},
    buckets=(1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14_400, 28_800, 43_200, 86_400),
)
DISPATCH_SECONDS = Histogram(
    "threadline_slack_event_dispatch",
    "From an envelope's receipt until it is durable, or cannot be made so.",
    unit="s",
    labels={"event_type": EVENT_TYPES},
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
ACK_SECONDS = Histogram(
    "threadline_slack_ack",
    "From an envelope's receipt until its acknowledgement is on its way.",
    unit="s",
    labels={"transport": ("socket", "http")},
)
ACKS = Counter(
    "threadline_slack_acks",
    "Envelopes by what became of their acknowledgement: sent, sent by another socket of the app, withheld since "
    "nothing kept the envelope, or lost with the socket.",
    labels={"transport": ("socket", "http"), "result": ("sent", "by_another_socket", "withheld", "lost")},
)
RECEIVED = Counter(
    "threadline_ingress_received",
    "What came in and was made durable, by how it came and where it went.",
    labels={"transport": ("socket", "http", "gateway"), "result": ("published", "spooled", "dead_letter", "refused")},
)
HTTP_REFUSED = Counter(
    "threadline_ingress_http_refused",
    "Requests over HTTP that were not taken in, by why.",
    labels={"reason": ("signature", "replayed", "too_large", "unread", "not_kept", "failed")},
)
NOT_KEPT = Counter(
    "threadline_ingress_not_kept",
    "Records that neither the broker nor the spool took. They were not acknowledged.",
    labels={"topic": TOPICS},
)
SPOOLING = Gauge(
    "threadline_ingress_spooling",
    "1 while the broker does not keep up and the spool is used.",
    labels={"topic": TOPICS},
)
SPOOL_RECORDS = Gauge("threadline_ingress_spool_records", "Records that wait in the spool.", labels={"topic": TOPICS})
SPOOL_BYTES = Gauge("threadline_ingress_spool", "How much waits in the spool.", unit="By", labels={"topic": TOPICS})
SPOOL_AGE = Gauge(
    "threadline_ingress_spool_age",
    "How long the oldest record of the spool waits.",
    unit="s",
    labels={"topic": TOPICS},
)
SPOOLS_LEFT_BEHIND = Gauge(
    "threadline_ingress_spools_left_behind", "Spools on this volume in which something waits and that have no owner."
)
OLDEST_UNPUBLISHED = Gauge(
    "threadline_ingress_oldest_unpublished",
    "How long the oldest record waits that is on no topic yet, wherever it is.",
    unit="s",
    labels={"topic": TOPICS},
)

CATALOGUE = (
    SOCKET_STATE,
    RECONNECTS,
    CONNECTION_SECONDS,
    DISPATCH_SECONDS,
    ACK_SECONDS,
    ACKS,
    RECEIVED,
    HTTP_REFUSED,
    NOT_KEPT,
    SPOOLING,
    SPOOL_RECORDS,
    SPOOL_BYTES,
    SPOOL_AGE,
    SPOOLS_LEFT_BEHIND,
    OLDEST_UNPUBLISHED,
)
