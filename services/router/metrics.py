"""What is measured of the router."""

from typing import get_args

from schemas.decision import DeadReason, IgnoredReason, InteractionKind
from schemas.reaction import SkipReason
from schemas.stop import StopSource
from services.kit.telemetry.catalogue import Counter, Gauge, Histogram

DECISIONS = Counter(
    "threadline_router_decisions",
    "Envelopes that were decided, by what became of them. One that is decided again after a restart counts again.",
    labels={
        "kind": (
            "dispatched",
            "duplicate",
            "throttled",
            "ignored",
            "unknown_workspace",
            "control",
            "interaction",
            "dead_letter",
        )
    },
)
IGNORED = Counter(
    "threadline_router_ignored", "Envelopes that ask for nothing, by why.", labels={"reason": get_args(IgnoredReason)}
)
STOPS = Counter(
    "threadline_router_stops", "Stops that were asked for, by how.", labels={"source": get_args(StopSource)}
)
INTERACTIONS = Counter(
    "threadline_router_interactions",
    "Clicks and commands that are no stop, by what they want.",
    labels={"interaction": get_args(InteractionKind)},
)
DUPLICATES = Counter(
    "threadline_router_duplicates", "Envelopes that were there before, by what was.", labels={"of": ("event", "cause")}
)
THROTTLED = Counter(
    "threadline_router_throttled",
    "Requests over a limit, by which, and how that was told.",
    labels={"bucket": ("connection", "channel", "user"), "told_by": ("notice", "emoji", "nothing")},
)
MATCHED = Counter("threadline_router_reactions_matched", "Rules that matched, and led to a run.")
SKIPPED = Counter(
    "threadline_router_reactions_skipped",
    "Envelopes for which rules were looked at and none led to a run, by why.",
    labels={"reason": get_args(SkipReason)},
)
LETTERS = Counter(
    "threadline_router_dead_letters",
    "Envelopes that could not be understood, and are kept.",
    labels={"reason": get_args(DeadReason)},
)
DECISION_SECONDS = Histogram(
    "threadline_router_decision",
    "From a record in hand until it is decided; not until that is written.",
    unit="s",
    buckets=(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0),
)
DECIDED_AFTER_SECONDS = Histogram(
    "threadline_router_decided_after", "From an envelope's receipt until everything that follows is written.", unit="s"
)
LAG = Gauge("threadline_router_lag", "Records of slack.inbound that this process has yet to be done with.")
OLDEST = Gauge(
    "threadline_router_oldest_undecided", "How long the oldest record waits that is not done with.", unit="s"
)
IN_FLIGHT = Gauge("threadline_router_in_flight", "Records on their way.")
PARKED = Gauge("threadline_router_parked", "Records that wait for Postgres.")
KEYS = Gauge("threadline_router_keys", "What is remembered: deliveries, causes, buckets, threads.")
ROWS = Gauge("threadline_router_rows", "Rows of the journal that are still needed.")
FORGOTTEN = Counter("threadline_router_rows_forgotten", "Rows whose time was over.")
HOLES = Counter("threadline_router_holes", "Times that the client left offsets out, and they were read again.")
PARTITIONS = Gauge("threadline_router_partitions", "Partitions that this process has.")
HALTED = Gauge("threadline_router_halted", "Of these, partitions that are not read until an operator has looked.")
LANE_DOWN = Gauge(
    "threadline_router_lane_down", "1 while nothing can be written there.", labels={"lane": ("main", "audit")}
)

CATALOGUE = (
    DECISIONS,
    IGNORED,
    STOPS,
    INTERACTIONS,
    DUPLICATES,
    THROTTLED,
    MATCHED,
    SKIPPED,
    LETTERS,
    DECISION_SECONDS,
    DECIDED_AFTER_SECONDS,
    LAG,
    OLDEST,
    IN_FLIGHT,
    PARKED,
    KEYS,
    ROWS,
    FORGOTTEN,
    HOLES,
    PARTITIONS,
    HALTED,
    LANE_DOWN,
)
