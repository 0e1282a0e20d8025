"""What is measured of the responder."""

from typing import get_args

from schemas.effect import EffectPurpose
from schemas.stop import StopSource
from services.kit.telemetry.catalogue import Counter, Gauge, Histogram
from services.responder.decisions.words import Trouble

LONG = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0)
OUTCOMES = ("completed", "cancelled", "errored")
TRIGGERS = ("mention", "dm", "thread", "rule", "shortcut", "command", "gateway", "retry", "task")

RUNS = Counter("threadline_responder_runs", "Runs that ended, by how.", labels={"outcome": OUTCOMES})
RUN_SECONDS = Histogram(
    "threadline_responder_run",
    "From Slack's receipt to the last words of a run.",
    unit="s",
    labels={"event_type": TRIGGERS, "outcome": OUTCOMES},
    buckets=LONG,
)
FIRST_TOKEN_SECONDS = Histogram(
    "threadline_responder_first_token", "From a model's being asked to its first word.", unit="s", buckets=LONG
)
CANCEL_SECONDS = Histogram(
    "threadline_responder_cancel", "From the request to end a run until it was acknowledged.", unit="s", buckets=LONG
)
STOPS = Counter(
    "threadline_responder_stops",
    "Stops that ended a run, by how they were asked for.",
    labels={"source": get_args(StopSource)},
)
GATE_SECONDS = Histogram(
    "threadline_responder_gate",
    "How long calls to Slack waited for their turn.",
    unit="s",
    labels={"urgency": ("last", "first", "edit")},
)
EFFECTS = Counter(
    "threadline_responder_effects",
    "Calls to Slack that the ledger holds, by what they were for and what became of them.",
    labels={"purpose": get_args(EffectPurpose), "result": ("confirmed", "failed", "unknown")},
)
EDITS = Counter("threadline_responder_edits", "Times that a growing text was shown.")
REFUSED = Counter("threadline_responder_too_fast", "Times that Slack wanted us to wait.")
MODEL_TROUBLE = Counter(
    "threadline_responder_model_trouble",
    "Times that a model did not answer, by why.",
    labels={"trouble": get_args(Trouble)},
)
TOKENS = Counter(
    "threadline_responder_tokens", "Tokens that models took in and gave.", labels={"direction": ("input", "output")}
)
COST = Counter("threadline_responder_cost_usd", "What models cost, where their price is known, in US dollars.")
RUNNING = Gauge("threadline_responder_running", "Runs under way.")
WAITING = Gauge("threadline_responder_waiting", "Runs that wait for their thread, or for room.")
PARTITIONS = Gauge("threadline_responder_partitions", "Partitions of runs.commands that this process has.")
UNFINISHED = Gauge("threadline_responder_unfinished", "Commands that were read and are not done with.")
REPEATED = Counter("threadline_responder_repeated", "Commands that were there before, and led to nothing.")
AUDIT_DOWN = Gauge("threadline_responder_audit_down", "1 while audit.runs takes nothing of what became of runs.")
DEAD_LETTERS = Counter("threadline_responder_dead_letters", "Commands that could not be understood, and are kept.")
REQUESTS = Counter(
    "threadline_responder_requests",
    "Requests of programs, by what they were told; `repeated` is a message that was accepted before.",
    labels={"result": ("accepted", "repeated", "shown", "refused", "try_again")},
)

CATALOGUE = (
    RUNS,
    RUN_SECONDS,
    FIRST_TOKEN_SECONDS,
    CANCEL_SECONDS,
    STOPS,
    GATE_SECONDS,
    EFFECTS,
    EDITS,
    REFUSED,
    MODEL_TROUBLE,
    TOKENS,
    COST,
    RUNNING,
    WAITING,
    PARTITIONS,
    UNFINISHED,
    REPEATED,
    DEAD_LETTERS,
    AUDIT_DOWN,
    REQUESTS,
)
