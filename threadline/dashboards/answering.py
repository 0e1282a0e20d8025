"""The responder: whether people are answered, what models take and cost, and how Slack takes the answers."""

from typing import Final

from services.responder import metrics as responder
from threadline.dashboards.expressions import RANGE, in_range, per_second, percentile, share, total, worst
from threadline.dashboards.panel import NONE_AT_ALL, Dashboard, Row, lines, number

RESPONDER: Final = Dashboard(
    uid="threadline-responder",
    title="Threadline: responder and models",
    help="Are people answered, what do models take and cost, and how does Slack take the answers?",
    rows=(
        Row(
            "Now",
            (
                number("Runs under way", "short", "Answers being made.", total(responder.RUNNING)),
                number(
                    "Runs waiting",
                    "short",
                    "For their thread, or for room.",
                    total(responder.WAITING),
                    limits=((50, "orange"),),
                ),
                number(
                    "Unfinished commands",
                    "short",
                    "Read, and not done with: it is what a restart would read again.",
                    total(responder.UNFINISHED),
                ),
                number(
                    "Audit down",
                    "short",
                    "1 while audit.runs takes nothing. After 500 runs no other is started.",
                    worst(responder.AUDIT_DOWN),
                    limits=NONE_AT_ALL,
                ),
                number(
                    "Dead letters of the responder",
                    "short",
                    "Commands in the time shown that could not be understood.",
                    in_range(responder.DEAD_LETTERS),
                    limits=NONE_AT_ALL,
                ),
                number(
                    "Partitions of commands",
                    "short",
                    "All that responders have. It is the topic's number.",
                    total(responder.PARTITIONS),
                ),
            ),
        ),
        Row(
            "Runs",
            (
                lines("Runs by outcome", "ops", "How they ended.", per_second(responder.RUNS, "outcome")),
                lines(
                    "Share that errored",
                    "percentunit",
                    "Of those that nobody stopped, over the time shown. 1 % is what may fail in a month.",
                    share(
                        in_range(responder.RUNS, outcome="errored"),
                        in_range(responder.RUNS, outcome=("completed", "errored")),
                    ).named("errored"),
                    limits=((0.06, "orange"), (0.144, "red")),
                ),
                lines(
                    "A run took, by what began it",
                    "s",
                    "From Slack's receipt to its last words; 95 of 100 within this time.",
                    percentile(0.95, responder.RUN_SECONDS, "event_type"),
                ),
                lines(
                    "Running and waiting",
                    "short",
                    "By process.",
                    total(responder.RUNNING, "instance").named("{{instance}} running"),
                    total(responder.WAITING, "instance").named("{{instance}} waiting"),
                ),
                lines(
                    "Stops that ended a run",
                    "ops",
                    "By how they were asked for.",
                    per_second(responder.STOPS, "source"),
                ),
                lines(
                    "A stop took",
                    "s",
                    "Until it was acknowledged, over the time shown.",
                    percentile(0.5, responder.CANCEL_SECONDS, over=RANGE),
                    percentile(0.95, responder.CANCEL_SECONDS, over=RANGE),
                ),
            ),
        ),
        Row(
            "Models",
            (
                lines(
                    "First token after",
                    "s",
                    "People take ten seconds for a failure.",
                    percentile(0.5, responder.FIRST_TOKEN_SECONDS),
                    percentile(0.95, responder.FIRST_TOKEN_SECONDS),
                    limits=((10, "orange"),),
                ),
                lines("Tokens", "short", "A second, in and out.", per_second(responder.TOKENS, "direction")),
                lines(
                    "Cost of the time shown",
                    "currencyUSD",
                    "Where the model's price is known.",
                    in_range(responder.COST).named("US dollars"),
                ),
                lines(
                    "Trouble with models",
                    "ops",
                    "Times that one did not answer, by why. It is tried three times, then the fallback is asked.",
                    per_second(responder.MODEL_TROUBLE, "trouble"),
                ),
                lines(
                    "Programs' requests",
                    "ops",
                    "Over HTTP, by what they were told.",
                    per_second(responder.REQUESTS, "result"),
                ),
                lines(
                    "Repeated commands",
                    "ops",
                    "They were there before, and led to nothing: a router that was restarted says some again.",
                    per_second(responder.REPEATED).named("repeated"),
                ),
            ),
        ),
        Row(
            "Slack",
            (
                lines(
                    "Calls of the ledger",
                    "ops",
                    "By what became of them.",
                    per_second(responder.EFFECTS, "result"),
                ),
                lines("Calls by purpose", "ops", "What they were for.", per_second(responder.EFFECTS, "purpose")),
                lines(
                    "Unknown, by purpose",
                    "short",
                    "In the time shown: nobody can tell whether Slack did it.",
                    in_range(responder.EFFECTS, "purpose", result="unknown"),
                    limits=NONE_AT_ALL,
                ),
                lines(
                    "Waited for their turn",
                    "s",
                    "Slack allows so many calls a minute. Last words go before first ones, and these before edits.",
                    percentile(0.95, responder.GATE_SECONDS, "urgency"),
                ),
                lines(
                    "Too fast for Slack",
                    "ops",
                    "Times that Slack wanted us to wait (429).",
                    per_second(responder.REFUSED).named("429"),
                ),
                lines(
                    "Growing texts shown",
                    "ops",
                    "Edits of answers under way.",
                    per_second(responder.EDITS).named("edits"),
                ),
            ),
        ),
    ),
)
