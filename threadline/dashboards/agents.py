"""The supervisor: how agents' tasks do, whether people answer them, and whether what they report is seen."""

from typing import Final

from services.supervisor import metrics as supervisor
from threadline.dashboards.expressions import RANGE, in_range, per_hour, per_second, percentile, total, worst
from threadline.dashboards.panel import NONE_AT_ALL, Dashboard, Row, lines, number

AGENTS: Final = Dashboard(
    uid="threadline-agents",
    title="Threadline: agents",
    help="How do agents' tasks do, are they answered by people, and is what they report seen?",
    rows=(
        Row(
            "Now",
            (
                number(
                    "Tasks under way",
                    "short",
                    "All that have begun and are not over.",
                    total(supervisor.TASKS),
                ),
                number(
                    "Tasks stalled",
                    "short",
                    "Their programs were not heard of for long.",
                    total(supervisor.TASKS, status="stalled"),
                    limits=((1, "orange"),),
                ),
                number(
                    "Approvals open",
                    "short",
                    "Agents that wait for a person.",
                    total(supervisor.APPROVALS_OPEN),
                ),
                number(
                    "Oldest approval",
                    "s",
                    "How long the oldest of them has waited.",
                    worst(supervisor.OLDEST_APPROVAL),
                    limits=((600, "orange"), (1800, "red")),
                ),
                number(
                    "Projection halted",
                    "short",
                    "1 while Postgres does not take what becomes of tasks. What agents report waits in the topic.",
                    worst(supervisor.DATABASE_AWAY),
                    limits=NONE_AT_ALL,
                ),
                number(
                    "Dead letters of the supervisor",
                    "short",
                    "Records in the time shown that could not be understood.",
                    in_range(supervisor.DEAD_LETTERS),
                    limits=NONE_AT_ALL,
                ),
            ),
        ),
        Row(
            "Tasks",
            (
                lines("Tasks by status", "short", "Those that are not over.", total(supervisor.TASKS, "status")),
                lines(
                    "Tasks that are not well",
                    "short",
                    "Their health is below 50 of 100. Each says what it lacks.",
                    total(supervisor.UNWELL).named("unwell"),
                    limits=((1, "orange"),),
                ),
                lines(
                    "Tasks ended",
                    "short",
                    "In the time shown, by how their programs said so.",
                    in_range(supervisor.ENDED, "status"),
                ),
                lines(
                    "What was noticed",
                    "short",
                    "In the time shown: contexts that fill up, silence, what is unusual, budgets.",
                    in_range(supervisor.JUDGEMENTS, "judgement"),
                ),
                lines(
                    "Cost an hour",
                    "currencyUSD",
                    "As agents say it themselves.",
                    per_hour(supervisor.COST).named("US dollars an hour"),
                ),
            ),
        ),
        Row(
            "People",
            (
                lines(
                    "Decisions",
                    "short",
                    "In the time shown, by how. `expired` is neither yes nor no.",
                    in_range(supervisor.DECISIONS, "outcome"),
                ),
                lines(
                    "Attempts that led to nothing",
                    "short",
                    "In the time shown, by why. `may_not` and `other_arguments` are worth a look.",
                    in_range(supervisor.ATTEMPTS, "fault"),
                ),
                lines(
                    "A decision is known after",
                    "s",
                    "From somebody's decision until its agent can know, over the time shown: decisions are rare.",
                    percentile(0.5, supervisor.DECIDE_SECONDS, over=RANGE),
                    percentile(0.99, supervisor.DECIDE_SECONDS, over=RANGE),
                    limits=((0.3, "orange"),),
                ),
                lines(
                    "Words that no rule understood",
                    "short",
                    "In the time shown, by what came of them where a model is set (THREADLINE_SUPERVISOR_MODEL).",
                    in_range(supervisor.WORDS, "result"),
                ),
                lines(
                    "Such words are read after",
                    "s",
                    "One after the other: what waits before them counts. After ten minutes they are left in silence.",
                    percentile(0.5, supervisor.WORDS_SECONDS, over=RANGE),
                    percentile(0.99, supervisor.WORDS_SECONDS, over=RANGE),
                    limits=((30, "orange"), (600, "red")),
                ),
                lines(
                    "Tokens of reading words",
                    "short",
                    "In the time shown, in and out, of that model.",
                    in_range(supervisor.WORDS_TOKENS, "direction"),
                ),
                lines(
                    "Cost of reading words",
                    "currencyUSD",
                    "In the time shown, where that model's price is known. It is in no task's cost, and in no budget.",
                    in_range(supervisor.WORDS_COST).named("US dollars"),
                ),
                lines(
                    "Told in Slack",
                    "ops",
                    "Messages that were handed to the responder.",
                    per_second(supervisor.TOLD).named("told"),
                ),
                lines(
                    "Waiting to be told",
                    "short",
                    "Messages that wait for room in Slack's limits. What waits is said as it is then.",
                    total(supervisor.UNTOLD).named("waiting"),
                ),
                lines(
                    "Oldest of them",
                    "s",
                    "How late what agents do is shown.",
                    worst(supervisor.UNTOLD_SECONDS).named("oldest"),
                    limits=((60, "orange"), (300, "red")),
                ),
            ),
        ),
        Row(
            "What agents report",
            (
                lines(
                    "Events",
                    "ops",
                    "By what became of them. `repeated` ones were there before, and count once.",
                    per_second(supervisor.EVENTS, "result"),
                ),
                lines(
                    "Taken in after",
                    "s",
                    "From a report's arrival until it is durable and answered, over the time shown.",
                    percentile(0.5, supervisor.INGEST_SECONDS, over=RANGE),
                    percentile(0.99, supervisor.INGEST_SECONDS, over=RANGE),
                    limits=((0.05, "orange"),),
                ),
                lines(
                    "Requests that led to nothing",
                    "ops",
                    "By what programs were told. `not_found` is also what is not known yet.",
                    per_second(supervisor.REQUESTS, "result"),
                ),
                lines(
                    "Fold lag",
                    "short",
                    "Events that are not folded yet, by process.",
                    total(supervisor.FOLD_LAG, "instance"),
                    limits=((1000, "orange"),),
                ),
                lines(
                    "Clicks and words that wait",
                    "short",
                    "What people click and write to agents, and is not carried out yet, by process.",
                    total(supervisor.COMMANDS_LAG, "instance"),
                    limits=((20, "orange"),),
                ),
                lines(
                    "Partitions of events",
                    "short",
                    "All that supervisors have, by process. Together they are the topic's number.",
                    total(supervisor.PARTITIONS, "instance"),
                ),
            ),
        ),
    ),
)
