"""The first look: whether anything is lost, late or offline."""

from typing import Final

from services.ingress import metrics as ingress
from services.responder import metrics as responder
from services.router import metrics as router
from services.supervisor import metrics as supervisor
from threadline.dashboards.expressions import (
    RANGE,
    alerts_firing,
    in_range,
    of_process,
    per_second,
    percentile,
    total,
    worst,
)
from threadline.dashboards.panel import NONE_AT_ALL, Dashboard, Row, lines, number

OVERVIEW: Final = Dashboard(
    uid="threadline-overview",
    title="Threadline: overview",
    help="Is anything lost, late or offline? The other dashboards say where.",
    rows=(
        Row(
            "Now",
            (
                number(
                    "Pages firing",
                    "short",
                    "Alerts that wake somebody.",
                    alerts_firing(severity="page").named("pages"),
                    limits=NONE_AT_ALL,
                ),
                number(
                    "Tickets firing",
                    "short",
                    "Alerts that can wait for working hours.",
                    alerts_firing(severity="ticket").named("tickets"),
                    limits=((1, "orange"),),
                ),
                number(
                    "Processes that do not answer",
                    "short",
                    "Prometheus cannot read their metrics: they have ended, hang, or cannot be reached.",
                    of_process("up", "count({0}) - sum({0})", "down"),
                    limits=NONE_AT_ALL,
                ),
                number(
                    "Sockets connected",
                    "short",
                    "Of each Slack app. Without any it is offline: what people write does not come in.",
                    total(ingress.SOCKET_STATE, "app", state="connected"),
                    limits=((0, "red"), (1, "green")),
                ),
                number(
                    "Oldest undecided",
                    "s",
                    "How long the oldest event waits for a decision. Whoever wrote it gets no answer.",
                    worst(router.OLDEST),
                    limits=((10, "orange"), (60, "red")),
                ),
                number(
                    "Oldest unpublished",
                    "s",
                    "How long the oldest envelope waits that is on no topic yet: the broker does not take it.",
                    worst(ingress.OLDEST_UNPUBLISHED),
                    limits=((10, "orange"), (60, "red")),
                ),
            ),
        ),
        Row(
            "In the time shown",
            (
                number(
                    "Not kept",
                    "short",
                    "Records that neither the broker nor the spool took: each may be lost.",
                    in_range(ingress.NOT_KEPT),
                    limits=NONE_AT_ALL,
                ),
                number(
                    "Acknowledgements failed",
                    "short",
                    "Withheld since nothing kept the envelope, or lost with a socket. Slack sends events again.",
                    in_range(ingress.ACKS, result=("withheld", "lost")),
                    limits=((1, "orange"),),
                ),
                number(
                    "Dead letters",
                    "short",
                    "What could not be understood, by who could not. `threadline dlq list` shows them.",
                    in_range(ingress.RECEIVED, result="dead_letter").named("ingress"),
                    in_range(router.LETTERS).named("router"),
                    in_range(responder.DEAD_LETTERS).named("responder"),
                    in_range(supervisor.DEAD_LETTERS).named("supervisor"),
                    limits=NONE_AT_ALL,
                ),
                number(
                    "Effects unknown",
                    "short",
                    "Calls of which the ledger cannot tell whether Slack did them.",
                    in_range(responder.EFFECTS, result="unknown"),
                    limits=NONE_AT_ALL,
                ),
                number(
                    "Runs errored",
                    "short",
                    "Runs that ended without an answer.",
                    in_range(responder.RUNS, outcome="errored"),
                    limits=((1, "orange"),),
                ),
                number(
                    "Cost",
                    "currencyUSD",
                    "What models cost, where their price is known.",
                    in_range(responder.COST),
                ),
            ),
        ),
        Row(
            "In, and how fast",
            (
                lines(
                    "Events in",
                    "ops",
                    "Envelopes that came in and are durable, by how they came.",
                    per_second(ingress.RECEIVED, "transport"),
                ),
                lines(
                    "Acknowledged after",
                    "s",
                    "Slack waits for three seconds, and then sends it again.",
                    percentile(0.5, ingress.ACK_SECONDS),
                    percentile(0.99, ingress.ACK_SECONDS),
                    limits=((1, "orange"), (2.5, "red")),
                ),
                lines(
                    "Waiting",
                    "short",
                    "What is not done with: in the spool of ingress, before router, responder and supervisor.",
                    total(ingress.SPOOL_RECORDS).named("spool"),
                    total(router.LAG).named("router lag"),
                    total(responder.UNFINISHED).named("commands unfinished"),
                    total(responder.WAITING).named("runs waiting"),
                    total(supervisor.FOLD_LAG).named("agents' events"),
                    total(supervisor.COMMANDS_LAG).named("agents' commands"),
                ),
            ),
        ),
        Row(
            "Answered, and how fast",
            (
                lines(
                    "Decisions",
                    "ops",
                    "Every envelope gets one, by what became of it.",
                    per_second(router.DECISIONS, "kind"),
                ),
                lines("Runs ended", "ops", "By how they ended.", per_second(responder.RUNS, "outcome")),
                lines(
                    "Alerts firing",
                    "short",
                    "By name. The series without a name is 0, and says that Prometheus answers.",
                    alerts_firing("alertname", "severity"),
                ),
                lines(
                    "First word after",
                    "s",
                    "From a model's being asked to its first word.",
                    percentile(0.5, responder.FIRST_TOKEN_SECONDS),
                    percentile(0.95, responder.FIRST_TOKEN_SECONDS),
                    limits=((10, "orange"),),
                ),
                lines(
                    "Answered after",
                    "s",
                    "From Slack's receipt to the last words of a run that was completed.",
                    percentile(0.5, responder.RUN_SECONDS, outcome="completed"),
                    percentile(0.95, responder.RUN_SECONDS, outcome="completed"),
                ),
                lines(
                    "Stopped after",
                    "s",
                    "From the request to end a run until that was acknowledged, over the time shown: stops are rare.",
                    percentile(0.5, responder.CANCEL_SECONDS, over=RANGE),
                    percentile(0.95, responder.CANCEL_SECONDS, over=RANGE),
                ),
            ),
        ),
    ),
)
