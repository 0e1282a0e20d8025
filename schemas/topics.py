"""The topics: the one declaration of what each holds, who writes and reads it, and how long it is kept."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from schemas.agent import AgentCommand, AgentEvent
from schemas.base import Event
from schemas.command import Command
from schemas.decision import DecisionMade
from schemas.effect import LedgerEntry
from schemas.envelope import Envelope
from schemas.letter import DeadLetter
from schemas.operation import Operation
from schemas.partitions import PARTITIONS
from schemas.reaction import ReactionAudit
from schemas.run import RunAudit
from schemas.stop import StopRequested

Key = Literal["connection", "team:channel:thread", "task_id", "the source's key", "the source's offset", "partition"]
Service = Literal[
    "ingress", "router", "responder", "supervisor", "report", "replay", "why", "dlq", "offsets", "any service"
]

COPIES = 3

TEXT_IS_KEPT = timedelta(days=14)
"""How long topics with message text keep it."""
AUDIT_IS_KEPT = timedelta(days=90)


@dataclass(frozen=True)
class Topic:
    """One topic, as every cluster must have it."""

    name: str
    key: Key
    events: tuple[type[Event], ...]
    written_by: tuple[Service, ...]
    read_by: tuple[Service, ...]
    retention: timedelta
    holds_text: bool
    """Whether message text stands in it. Where it does not, ids, kinds, counts and times are all there is."""
    purpose: str
    cleanup: Literal["delete", "compact"] = "delete"
    largest_record: int = 1 << 20
    """In bytes, as Kafka's own limit is."""

    @property
    def kept(self) -> str:
        """For how long, in words."""
        hours = int(self.retention / timedelta(hours=1))
        whole = f"{hours // 24} d" if hours % 24 == 0 else f"{hours} h"
        return whole if self.cleanup == "delete" else f"its latest rows; all of them for {whole}"

    @cached_property
    def types(self) -> dict[str, type[Event]]:
        """Its event types by their names on the wire."""
        return {name_of(event): event for event in self.events}


@cache
def name_of(event: type[Event]) -> str:
    """The name of an event type on the wire."""
    name: str = event.model_fields["type"].default
    return name


def _members(union: Any) -> tuple[type[Event], ...]:
    origin = get_origin(union)
    if origin in (Union, UnionType):
        return tuple(get_args(union))
    if origin is not None:  # Annotated[union, Field(discriminator=…)]
        return _members(get_args(union)[0])
    return (union,)


SLACK_INBOUND = Topic(
    name="slack.inbound",
    key="connection",
    events=_members(Envelope),
    written_by=("ingress",),
    read_by=("router", "replay"),
    retention=TEXT_IS_KEPT,
    holds_text=True,
    purpose="Every envelope as it was received. Offsets are contiguous: no transactions, no compaction.",
)
RUNS_COMMANDS = Topic(
    name="runs.commands",
    key="team:channel:thread",
    events=_members(Command),
    written_by=("router", "supervisor", "responder"),
    read_by=("responder",),
    retention=TEXT_IS_KEPT,
    holds_text=True,
    purpose="What the responder is told to do.",
)
RUNS_STOPS = Topic(
    name="runs.stops",
    key="connection",
    events=_members(StopRequested),
    written_by=("router", "supervisor"),
    read_by=("responder", "supervisor"),
    retention=timedelta(days=1),
    holds_text=False,
    purpose="Requests to end runs. Every responder reads all of them, without a group, from one hour back.",
)
AGENTS_COMMANDS = Topic(
    name="agents.commands",
    key="connection",
    events=_members(AgentCommand),
    written_by=("router", "responder", "supervisor"),
    read_by=("supervisor",),
    retention=TEXT_IS_KEPT,
    holds_text=True,
    purpose="Clicks and commands that are meant for the supervisor, and runs that wait for people. The supervisor "
    "writes words that no rule understands there once more, for a model.",
)
AUDIT_DECISIONS = Topic(
    name="audit.decisions",
    key="connection",
    events=_members(DecisionMade),
    written_by=("router",),
    read_by=("replay", "why", "report"),
    retention=AUDIT_IS_KEPT,
    holds_text=False,
    purpose="What was decided for every envelope, and why.",
)
AUDIT_RUNS = Topic(
    name="audit.runs",
    key="team:channel:thread",
    events=_members(RunAudit),
    written_by=("router", "responder"),
    read_by=("report", "why"),
    retention=AUDIT_IS_KEPT,
    holds_text=False,
    purpose="The states of every run, and how stops went.",
)
AUDIT_REACTIONS = Topic(
    name="audit.reactions",
    key="connection",
    events=_members(ReactionAudit),
    written_by=("router",),
    read_by=("report",),
    retention=AUDIT_IS_KEPT,
    holds_text=False,
    purpose="Which rule met a message, or why none did.",
)
AUDIT_OPERATIONS = Topic(
    name="audit.operations",
    key="partition",
    events=_members(Operation),
    written_by=("router", "dlq", "offsets", "responder"),
    read_by=("router", "why"),
    retention=AUDIT_IS_KEPT,
    holds_text=False,
    purpose="Where a router stopped of itself, and what an operator decided about it; and commands that retention "
    "deleted before a responder had done them.",
)
SLACK_EFFECTS = Topic(
    name="slack.effects",
    key="team:channel:thread",
    events=_members(LedgerEntry),
    written_by=("responder",),
    read_by=("responder", "supervisor", "why"),
    retention=TEXT_IS_KEPT,
    holds_text=True,
    purpose="The ledger: each call that changes Slack or uses a tool, intended first, then confirmed, failed or "
    "unknown. Its keys are in the same partitions as those of runs.commands.",
)
AGENTS_EVENTS = Topic(
    name="agents.events",
    key="task_id",
    events=_members(AgentEvent),
    written_by=("supervisor",),
    read_by=("supervisor",),
    retention=AUDIT_IS_KEPT,
    holds_text=True,
    purpose="What supervised agents did, and what people decided.",
)
DEAD_LETTERS = Topic(
    name="dead.letters",
    key="the source's key",
    events=_members(DeadLetter),
    written_by=("any service",),
    read_by=("dlq",),
    retention=TEXT_IS_KEPT,
    holds_text=True,
    purpose="Raw bytes that could not be understood, where they came from, and why.",
    largest_record=3 << 20,  # the largest record of any other topic, as base64 and with its story
)
ROUTER_JOURNAL = Topic(
    name="router.journal",
    key="the source's offset",
    events=(),
    written_by=("router",),
    read_by=("router",),
    retention=timedelta(hours=1),
    holds_text=False,
    purpose="The router's own memory: one row for each record of slack.inbound, in the same partition, with what was "
    "decided and what that changed. No other program reads it, and its format may change with a version.",
    cleanup="compact",
)

TOPICS: tuple[Topic, ...] = (
    SLACK_INBOUND,
    ROUTER_JOURNAL,
    RUNS_COMMANDS,
    RUNS_STOPS,
    AGENTS_COMMANDS,
    AUDIT_DECISIONS,
    AUDIT_RUNS,
    AUDIT_REACTIONS,
    AUDIT_OPERATIONS,
    SLACK_EFFECTS,
    AGENTS_EVENTS,
    DEAD_LETTERS,
)

BY_NAME = {topic.name: topic for topic in TOPICS}


SEGMENT_MS = 86_400_000
"""A broker deletes whole segments, so that records stay for their time and a segment more: a day, and not a week."""


@dataclass(frozen=True)
class Cluster:
    """What a topic's settings depend on beside its declaration."""

    brokers: int
    prefix: str = ""
    partitions: int = PARTITIONS
    copies: int = COPIES

    @property
    def replication(self) -> int:
        """Three copies wherever there are three brokers."""
        return min(self.copies, self.brokers)

    @property
    def min_insync(self) -> int:
        """An acknowledged write stands on two brokers wherever there are three."""
        return 2 if self.replication >= COPIES else 1


@dataclass(frozen=True)
class TopicSettings:
    """One topic as it must be on one cluster."""

    name: str
    partitions: int
    replication: int
    config: tuple[tuple[str, str], ...]


def _keeping(topic: Topic) -> dict[str, str]:
    """How long records are kept. What is compacted is kept whole for that long, and so are its deletions."""
    milliseconds = str(int(topic.retention / timedelta(milliseconds=1)))
    if topic.cleanup == "delete":
        return {"retention.ms": milliseconds, "retention.bytes": "-1", "segment.ms": str(SEGMENT_MS)}
    return {
        "min.compaction.lag.ms": milliseconds,
        "delete.retention.ms": milliseconds,
        "segment.ms": milliseconds,
        "min.cleanable.dirty.ratio": "0.1",
    }


def settings_for(topic: Topic, cluster: Cluster) -> TopicSettings:
    """What a declared topic comes to on a cluster."""
    config = {
        "cleanup.policy": topic.cleanup,
        **_keeping(topic),
        "min.insync.replicas": str(cluster.min_insync),
        "max.message.bytes": str(topic.largest_record),
        "message.timestamp.type": "LogAppendTime",
    }
    return TopicSettings(
        name=f"{cluster.prefix}{topic.name}",
        partitions=cluster.partitions,
        replication=cluster.replication,
        config=tuple(sorted(config.items())),
    )
