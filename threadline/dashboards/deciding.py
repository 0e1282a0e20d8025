"""The router: whether events are decided, how fast, and as what."""

from typing import Final

from services.router import metrics as router
from threadline.dashboards.expressions import in_range, per_second, percentile, total, worst
from threadline.dashboards.panel import NONE_AT_ALL, Dashboard, Row, lines, number

ROUTER: Final = Dashboard(
    uid="threadline-router",
    title="Threadline: router",
    help="Are events decided, how fast, and as what?",
    rows=(
        Row(
            "Now",
            (
                number(
                    "Partitions halted",
                    "short",
                    "They are not read until an operator has looked.",
                    total(router.HALTED),
                    limits=NONE_AT_ALL,
                ),
                number(
                    "Lanes down",
                    "short",
                    "`main` is the answers, `audit` why. 1 while nothing can be written there.",
                    worst(router.LANE_DOWN, "lane"),
                    limits=NONE_AT_ALL,
                ),
                number(
                    "Parked",
                    "short",
                    "Records that wait for Postgres: their workspace is not known yet.",
                    total(router.PARKED),
                    limits=((1, "orange"),),
                ),
                number(
                    "Dead letters of the router",
                    "short",
                    "Envelopes in the time shown that could not be understood.",
                    in_range(router.LETTERS),
                    limits=NONE_AT_ALL,
                ),
                number(
                    "Holes",
                    "short",
                    "Times that the client left offsets out, and they were read again.",
                    in_range(router.HOLES),
                    limits=((1, "orange"),),
                ),
                number(
                    "Partitions", "short", "All that routers have. It is the topic's number.", total(router.PARTITIONS)
                ),
            ),
        ),
        Row(
            "How fast",
            (
                lines(
                    "Lag",
                    "short",
                    "Records of slack.inbound that are not done with, and those on their way.",
                    total(router.LAG, "instance").named("{{instance}} lag"),
                    total(router.IN_FLIGHT, "instance").named("{{instance}} in flight"),
                    limits=((1000, "orange"),),
                ),
                lines(
                    "Oldest undecided, by process",
                    "s",
                    "After THREADLINE_ROUTER_STALL_S a router ends by itself, where a restart would help.",
                    worst(router.OLDEST, "instance"),
                    limits=((60, "red"),),
                ),
                lines(
                    "Decided after",
                    "s",
                    "From an envelope's receipt until all that follows is written.",
                    percentile(0.5, router.DECIDED_AFTER_SECONDS),
                    percentile(0.99, router.DECIDED_AFTER_SECONDS),
                ),
                lines(
                    "A decision alone",
                    "s",
                    "From a record in hand until it is decided: what the router itself takes.",
                    percentile(0.5, router.DECISION_SECONDS),
                    percentile(0.99, router.DECISION_SECONDS),
                ),
                lines(
                    "Remembered",
                    "short",
                    "Deliveries, causes, buckets and threads; and rows of the journal that are still needed.",
                    total(router.KEYS).named("keys"),
                    total(router.ROWS).named("rows"),
                ),
                lines("Rows forgotten", "ops", "Rows whose time was over.", per_second(router.FORGOTTEN)),
            ),
        ),
        Row(
            "As what",
            (
                lines("Decisions by kind", "ops", "What became of envelopes.", per_second(router.DECISIONS, "kind")),
                lines("Ignored", "ops", "What asks for nothing, by why.", per_second(router.IGNORED, "reason")),
                lines(
                    "Duplicates",
                    "ops",
                    "`event` is a delivery that came again, `cause` a second one of what a person did once.",
                    per_second(router.DUPLICATES, "of"),
                ),
                lines(
                    "Over a limit",
                    "ops",
                    "By which bucket, and how people were told.",
                    per_second(router.THROTTLED, "bucket", "told_by"),
                ),
                lines("Stops", "ops", "Stops that were asked for, by how.", per_second(router.STOPS, "source")),
                lines(
                    "Clicks and commands",
                    "ops",
                    "Those that are no stop, by what they want.",
                    per_second(router.INTERACTIONS, "interaction"),
                ),
                lines("Rules matched", "ops", "Each led to a run.", per_second(router.MATCHED).named("matched")),
                lines(
                    "Rules that led to nothing",
                    "ops",
                    "Envelopes for which rules were looked at, by why none led to a run.",
                    per_second(router.SKIPPED, "reason"),
                ),
                lines(
                    "Dead letters by reason",
                    "ops",
                    "`threadline dlq list` shows them.",
                    per_second(router.LETTERS, "reason"),
                ),
            ),
        ),
    ),
)
