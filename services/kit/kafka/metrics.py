"""The metrics of Kafka clients, named after OpenTelemetry's messaging conventions."""

from schemas.topics import TOPICS
from services.kit.telemetry.catalogue import Counter, Histogram

_TOPIC_NAMES = tuple(topic.name for topic in TOPICS)

PUBLISH_SECONDS = Histogram(
    "threadline_publish",
    "From handing a record to the client until the cluster has it on every in-sync replica.",
    unit="s",
    labels={"topic": _TOPIC_NAMES},
)
PUBLISHED = Counter(
    "threadline_published_records",
    "Records that the cluster has acknowledged, and those that it has not.",
    labels={"topic": _TOPIC_NAMES, "result": ("acknowledged", "failed")},
)

CATALOGUE = (PUBLISH_SECONDS, PUBLISHED)
