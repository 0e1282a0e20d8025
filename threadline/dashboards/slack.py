"""Ingress: whether Slack reaches us, and whether what it says is kept."""

from typing import Final

from services.ingress import metrics as ingress
from services.ingress.decisions.link_state import STATES, LinkState
from threadline.dashboards.expressions import RANGE, code_of, in_range, observed, per_second, percentile, total, worst
from threadline.dashboards.panel import NONE_AT_ALL, Dashboard, Row, lines, number, states

COLOURS: Final[dict[LinkState, str]] = {
    "connecting": "yellow",
    "authenticated": "blue",
    "connected": "green",
    "reconnecting": "orange",
    "disconnecting": "purple",
    "disconnected": "text",
    "error": "red",
}

INGRESS: Final = Dashboard(
    uid="threadline-ingress",
    title="Threadline: ingress and Slack's sockets",
    help="Does Slack reach us, are its sockets steady, and is what comes in kept?",
    rows=(
        Row(
            "Sockets",
            (
                states(
                    "State of each slot",
                    "An app keeps so many sockets open as it has slots; each is in one of seven states. "
                    "Red needs a person: Slack refuses us, and the log says why.",
                    code_of(ingress.SOCKET_STATE, "state", STATES, "app", "slot", "instance").named(
                        "{{app}} slot {{slot}}"
                    ),
                    {state: COLOURS[state] for state in STATES},
                ),
                lines(
                    "Slots by state",
                    "short",
                    "All slots of the apps chosen.",
                    total(ingress.SOCKET_STATE, "state"),
                ),
                lines(
                    "Sockets replaced",
                    "short",
                    "Over the time shown, by slot. Slack refreshes each some times a day.",
                    in_range(ingress.RECONNECTS, "app", "slot").named("{{app}} slot {{slot}}"),
                ),
                lines(
                    "Sockets lived",
                    "s",
                    "Of those that ended in the time shown: hours are usual. One that still lives is not counted.",
                    percentile(0.5, ingress.CONNECTION_SECONDS, "app", over=RANGE),
                    percentile(0.99, ingress.CONNECTION_SECONDS, "app", over=RANGE),
                ),
            ),
        ),
        Row(
            "Envelopes",
            (
                lines(
                    "Made durable after, by type",
                    "s",
                    "95 of 100 within this time, for each type of event that came.",
                    percentile(0.95, ingress.DISPATCH_SECONDS, "event_type"),
                ),
                lines(
                    "Envelopes by type",
                    "ops",
                    "What came in.",
                    observed(ingress.DISPATCH_SECONDS, "event_type"),
                ),
                lines(
                    "Where it went",
                    "ops",
                    "To the topic, to the spool while the broker is away, to dead.letters, or refused.",
                    per_second(ingress.RECEIVED, "transport", "result"),
                ),
                lines(
                    "Acknowledged after, by transport",
                    "s",
                    "Slack waits for three seconds.",
                    percentile(0.5, ingress.ACK_SECONDS, "transport"),
                    percentile(0.99, ingress.ACK_SECONDS, "transport"),
                    limits=((1, "orange"), (2.5, "red")),
                ),
                lines(
                    "Acknowledgements",
                    "ops",
                    "By another socket is as good as sent. Withheld and lost ones are sent again by Slack.",
                    per_second(ingress.ACKS, "transport", "result"),
                ),
                lines(
                    "Refused over HTTP",
                    "ops",
                    "By why. `signature` and `replayed` are not Slack.",
                    per_second(ingress.HTTP_REFUSED, "reason"),
                ),
            ),
        ),
        Row(
            "The spool",
            (
                number(
                    "Not kept, by topic",
                    "short",
                    "Records in the time shown that neither the broker nor the spool took.",
                    in_range(ingress.NOT_KEPT, "topic"),
                    limits=NONE_AT_ALL,
                ),
                number(
                    "Spools in use",
                    "short",
                    "1 for each process whose broker does not keep up.",
                    total(ingress.SPOOLING, "topic"),
                    limits=((1, "orange"),),
                ),
                number(
                    "Spools left behind",
                    "short",
                    "They hold something, and have no owner: start a process on that volume, or adopt them.",
                    worst(ingress.SPOOLS_LEFT_BEHIND),
                    limits=NONE_AT_ALL,
                ),
                lines(
                    "Records in the spool",
                    "short",
                    "They are acknowledged and wait for the broker.",
                    total(ingress.SPOOL_RECORDS, "topic", "instance"),
                ),
                lines(
                    "Bytes in the spool",
                    "bytes",
                    "THREADLINE_SPOOL_SIZE is the most; when it is full nothing more is acknowledged.",
                    total(ingress.SPOOL_BYTES, "topic", "instance"),
                    limits=((512 * 1024 * 1024, "red"),),
                ),
                lines(
                    "Oldest record",
                    "s",
                    "In the spool, and on no topic wherever it is.",
                    worst(ingress.SPOOL_AGE, "topic").named("{{topic}} in the spool"),
                    worst(ingress.OLDEST_UNPUBLISHED, "topic").named("{{topic}} unpublished"),
                    limits=((60, "orange"), (1800, "red")),
                ),
            ),
        ),
    ),
)
