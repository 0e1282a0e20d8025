"""What is measured of the supervisor."""

from typing import get_args

from schemas.agent import AgentStatus, AttemptFault, EndStatus, JudgementKind, Outcome
from services.kit.telemetry.catalogue import Counter, Gauge, Histogram

EVENTS = Counter(
    "threadline_supervisor_events",
    "Events that agents reported, by what became of them; `repeated` ones were there before.",
    labels={"result": ("accepted", "refused", "repeated")},
)
INGEST_SECONDS = Histogram(
    "threadline_supervisor_ingest", "From a report's arrival until it is durable and answered.", unit="s"
)
REQUESTS = Counter(
    "threadline_supervisor_requests",
    "Requests of programs that led to nothing, by what they were told; `not_let_in` ones had no token that is good for "
    "it, `not_found` asked for what is not known, or not yet, and `too_fast` were more than a tenant's programs may "
    "report.",
    labels={"result": ("not_let_in", "not_found", "refused", "too_fast", "try_again")},
)
TASKS = Gauge(
    "threadline_supervisor_tasks",
    "Tasks that are not over, by their status, of the partitions that this process has.",
    labels={"status": get_args(AgentStatus)},
)
ENDED = Counter(
    "threadline_supervisor_ended", "Tasks that ended, by how they said so.", labels={"status": get_args(EndStatus)}
)
APPROVALS_OPEN = Gauge("threadline_supervisor_approvals_open", "Approvals that wait for somebody.")
OLDEST_APPROVAL = Gauge(
    "threadline_supervisor_oldest_approval", "How long the oldest open approval has waited.", unit="s"
)
DECISIONS = Counter(
    "threadline_supervisor_decisions",
    "Approvals that were decided, by how.",
    labels={"outcome": get_args(Outcome)},
)
ATTEMPTS = Counter(
    "threadline_supervisor_attempts",
    "Attempts to decide that led to nothing, by why.",
    labels={"fault": get_args(AttemptFault)},
)
DECIDE_SECONDS = Histogram(
    "threadline_supervisor_decide", "From a decision of somebody's until its task can know.", unit="s"
)
WORDS = Counter(
    "threadline_supervisor_words",
    "Words of people that no rule understood, by what came of them where a model is set; `failed` ones it did not "
    "answer, and `too_old` ones waited too long to be asked about.",
    labels={"result": ("understood", "not_understood", "failed", "too_old")},
)
WORDS_TOKENS = Counter(
    "threadline_supervisor_words_tokens",
    "Tokens that the model that reads people's words took in and gave.",
    labels={"direction": ("input", "output")},
)
WORDS_COST = Counter(
    "threadline_supervisor_words_cost_usd",
    "What reading people's words cost, where the model's price is known, in US dollars.",
)
WORDS_SECONDS = Histogram(
    "threadline_supervisor_words_read",
    "From somebody's words that no rule understood until it is known what they lead to: what waits before them counts.",
    unit="s",
    buckets=(0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0),
)
JUDGEMENTS = Counter(
    "threadline_supervisor_judgements",
    "What was noticed of tasks, by what.",
    labels={"judgement": get_args(JudgementKind)},
)
UNWELL = Gauge("threadline_supervisor_unwell", "Tasks that are not over whose health is below 50 of 100.")
COST = Counter("threadline_supervisor_cost_usd", "What tasks said that they cost, in US dollars.")
TOLD = Counter("threadline_supervisor_told", "Messages that were handed to the responder.")
UNTOLD = Gauge(
    "threadline_supervisor_untold", "Messages that wait: for room in Slack's limits, or since Slack did not take them."
)
UNTOLD_SECONDS = Gauge("threadline_supervisor_untold_age", "How long the oldest of them waits.", unit="s")
FOLD_LAG = Gauge("threadline_supervisor_fold_lag", "Events that are not folded yet.")
COMMANDS_LAG = Gauge(
    "threadline_supervisor_commands_lag", "Clicks, commands and words of people that are not carried out yet."
)
PARTITIONS = Gauge("threadline_supervisor_partitions", "Partitions of agents.events that this process has.")
DATABASE_AWAY = Gauge("threadline_supervisor_projection_halted", "1 while the projections cannot be written.")
DEAD_LETTERS = Counter("threadline_supervisor_dead_letters", "Records that could not be understood, and are kept.")

CATALOGUE = (
    EVENTS,
    INGEST_SECONDS,
    REQUESTS,
    TASKS,
    ENDED,
    APPROVALS_OPEN,
    OLDEST_APPROVAL,
    DECISIONS,
    ATTEMPTS,
    DECIDE_SECONDS,
    WORDS,
    WORDS_TOKENS,
    WORDS_COST,
    WORDS_SECONDS,
    JUDGEMENTS,
    UNWELL,
    COST,
    TOLD,
    UNTOLD,
    UNTOLD_SECONDS,
    FOLD_LAG,
    COMMANDS_LAG,
    PARTITIONS,
    DATABASE_AWAY,
    DEAD_LETTERS,
)
