"""A baseline: what a stretch of the log says, in numbers. Its JSON Schema is exported from these models."""

import json
from typing import Final, Literal, get_args

from schemas.base import Instant, Part

PhaseName = Literal["accepted", "thinking", "first_token", "last_token", "finished", "whole"]
MEASURED: Final[tuple[PhaseName, ...]] = get_args(PhaseName)


class Share(Part):
    """How often something was seen, and of all such how many that is."""

    name: str
    count: int
    share: float
    """From 0 to 1."""


Limits = tuple[float | None, float | None]
"""Two values that were seen, between which the true percentile lies; none on a side for which there are too few."""


class Ranks(Part):
    """Exact percentiles by nearest rank: each is a value that was seen. None where there was none.

    Limits miss the true percentile at most once in 1000 times, whatever the values are like. Baselines of older
    versions have none.
    """

    count: int
    """How many values there are."""
    p50: float | None
    p95: float | None
    p99: float | None
    p50_between: Limits = (None, None)
    p95_between: Limits = (None, None)
    p99_between: Limits = (None, None)


NO_RANKS: Final = Ranks(count=0, p50=None, p95=None, p99=None)


class Outcomes(Part):
    """How runs ended. Rates are of those that ended; None where none did."""

    runs: int
    """All whose start or end is in the log."""
    completed: int
    failed: int
    cancelled: int
    open: int
    """Those whose end is not in the log."""
    completion_rate: float | None
    error_rate: float | None
    cancel_rate: float | None


class Usage(Part):
    """What runs cost."""

    measured: int
    """Runs that say how many tokens they took."""
    input_tokens: int
    output_tokens: int
    priced: int
    """Runs that say what they cost."""
    cost_usd: float
    tokens_each: Ranks = NO_RANKS
    """Of a run, in and out together. Of groups only by origin, agent and model; as is the next."""
    cost_usd_each: Ranks = NO_RANKS


class Phase(Part):
    """One part of answering, in seconds since Slack's receipt, of completed runs."""

    name: PhaseName
    """`whole` is from the receipt to the record of the end, which old logs have too."""
    seconds: Ranks


class Group(Part):
    """The runs that have something in common."""

    name: str
    outcomes: Outcomes
    first_token_s: Ranks
    whole_s: Ranks
    usage: Usage


class Grouping(Part):
    """Runs by one thing, the most frequent first."""

    by: Literal["origin", "trigger", "tenant", "agent", "model", "channel", "session"]
    groups: int
    """How many there are; the largest are listed."""
    runs_without: int
    """Runs of which the log does not say it."""
    largest: tuple[Group, ...]


class Sessions(Part):
    """Threads, as conversations."""

    sessions: int
    runs_each: Ranks
    all_complete: int
    """Sessions all of whose runs that ended were completed."""
    with_error: int
    with_cancel: int


class Window(Part):
    """How long after a request the end of a run still counts as that request's doing."""

    seconds: float
    chosen: Literal["by itself", "given"]
    how: str


class SourceOfStops(Part):
    """Stops that were asked for in one way."""

    name: str
    in_time: int
    late: int
    never: int
    latency_ms: Ranks


class Stops(Part):
    """Requests to end runs, and what came of them."""

    requests: int
    refused: int
    """Asked by somebody who may not."""
    met_nothing: int
    """No run is known that it was meant for: it was over, or never there."""
    cancels: int
    """Runs that a stop was meant for; one stop may end several."""
    in_time: int
    """It took hold within the window."""
    late: int
    never: int
    """The run ended by itself, or its end is not in the log."""
    unasked: int
    """Runs that were cut off though nobody asked."""
    window: Window
    latency_ms: Ranks
    """From the request to its taking hold, of those in time."""
    by_source: tuple[SourceOfStops, ...]
    spread_ms: "Spread"


class Rule(Part):
    """A rule that matched."""

    name: str
    tenant: str
    matches: int
    led_to_runs: int


class Reactions(Part):
    """Messages that rules were tried on."""

    looked_at: int
    matches: int
    skips: int
    match_rate: float | None
    skip_rate: float | None
    skip_reasons: tuple[Share, ...]
    rules: int
    by_rule: tuple[Rule, ...]


class Throttles(Part):
    """Envelopes over a limit."""

    throttled: int
    rate: float | None
    """Of all decisions."""
    by_bucket: tuple[Share, ...]
    told_by: tuple[Share, ...]
    by_tenant: tuple[Share, ...]


class Decisions(Part):
    """What the router made of envelopes."""

    decisions: int
    kinds: tuple[Share, ...]
    ignored_reasons: tuple[Share, ...]


class Feedback(Part):
    """What people thought of answers."""

    good: int
    bad: int


class Spread(Part):
    """How values are spread: `counts[i]` of them are above `bounds[i-1]` and not above `bounds[i]`."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]


class Column(Part):
    """The runs that began in one span of time."""

    begin: Instant
    completed: int
    failed: int
    cancelled: int
    open: int


class Timeline(Part):
    """Runs over time. Spans without runs are left out."""

    span_s: int
    columns: tuple[Column, ...]
    outside: int
    """Runs at times far from all others, such as those of a clock that was wrong."""


class Missing(Part):
    """What a log does not say, so that a figure stands on fewer events than it could."""

    what: str
    without: int
    of: int


class Log(Part):
    """What was read."""

    only: str | None = None
    """Which of its runs are counted, such as `origin channel`; none where all are."""
    first: Instant | None
    last: Instant | None
    events: int
    """Each once."""
    repeats: int
    """Copies of events that were met before."""
    types: tuple[Share, ...]
    left_out: tuple[Share, ...]
    clock_jumps: int
    """Runs that end before they begin, and stops that take hold before they are asked for."""
    missing: tuple[Missing, ...]


class Naming(Part):
    """How tenants, channels, sessions, agents and rules are named here."""

    ids: Literal["hashed", "revealed"]
    key: str | None
    """Names of two reports are the same where this is."""
    key_is: Literal["kept", "made for this report"] | None


class Baseline(Part):
    """A report to compare with."""

    format: Literal["threadline.baseline.v1"] = "threadline.baseline.v1"
    log: Log
    naming: Naming
    outcomes: Outcomes
    errors: tuple[Share, ...]
    usage: Usage
    phases: tuple[Phase, ...]
    whole_spread_s: Spread
    timeline: Timeline
    groupings: tuple[Grouping, ...]
    sessions: Sessions
    stops: Stops
    reactions: Reactions
    throttles: Throttles
    decisions: Decisions
    feedback: Feedback


def json_schema() -> str:
    """The JSON Schema of a baseline, as text that is always the same."""
    schema = Baseline.model_json_schema(mode="serialization")
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Threadline's baseline"}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
