"""Composes a baseline of what was gathered."""

from dataclasses import dataclass

import polars as pl

from services.report.decisions import counting
from services.report.decisions.baseline import (
    MEASURED,
    Baseline,
    Decisions,
    Feedback,
    Log,
    Missing,
    Phase,
    Reactions,
    Rule,
    Share,
    Throttles,
)
from services.report.decisions.baseline import Naming as NamingSaid
from services.report.decisions.columns import PHASES
from services.report.decisions.counting import NOT_SAID
from services.report.decisions.gathering import Gathered
from services.report.decisions.grouping import LISTED, SPENT, groupings, sessions_of
from services.report.decisions.names import Hashed, Naming
from services.report.decisions.restricting import Only, restricted
from services.report.decisions.runs import MICRO, column_of
from services.report.decisions.stopping import stops_of
from services.report.decisions.stops import requests_of
from services.report.decisions.timeline import timeline_of
from services.report.decisions.told import Told, told_by


@dataclass(frozen=True)
class Wanted:
    """How a report is to be made."""

    naming: Naming
    window_s: float | None = None
    """The cancel window; None lets it choose itself."""
    only: Only | None = None
    """Counts these runs alone."""


def baseline_of(gathered: Gathered, wanted: Wanted) -> Baseline:
    """The same events give the same baseline, in whatever order and from wherever they came."""
    return composed(gathered, told_by(gathered), wanted)


def composed(gathered: Gathered, all_told: Told, wanted: Wanted) -> Baseline:
    """Likewise, of what was told once for several baselines."""
    told = all_told if wanted.only is None else restricted(all_told, wanted.only)
    runs, cancels, decisions = told.runs, told.cancels, told.decisions
    sums = runs.select(*counting.outcome_counts(), *counting.usage_sums()).collect().row(0, named=True)
    return Baseline(
        log=_log(gathered, all_told, told, wanted.only),
        naming=_naming(wanted.naming),
        outcomes=counting.outcomes_in(sums),
        errors=counting.shares_of(column_of(runs.filter(pl.col("outcome") == "error"), "reason")),
        usage=counting.usage_in(sums, *(counting.ranks_of(column_of(runs, name), per) for name, per in SPENT.items())),
        phases=tuple(
            Phase(name=name, seconds=counting.ranks_of(column_of(runs, f"{name}_completed"), MICRO))
            for name in MEASURED
        ),
        whole_spread_s=counting.spread_of(column_of(runs, "whole_completed"), counting.BOUNDS_S, MICRO),
        timeline=timeline_of(runs),
        groupings=groupings(runs, wanted.naming),
        sessions=sessions_of(runs),
        stops=stops_of(cancels, requests_of(told.asked, cancels), told.refused, wanted.window_s),
        reactions=_reactions(told.reactions, wanted.naming),
        throttles=_throttles(decisions, wanted.naming),
        decisions=_decisions(decisions),
        feedback=_feedback(told.feedback),
    )


def _types(told: Told) -> tuple[Share, ...]:
    counts = {
        "run.state": told.states,
        "run.cancel": told.recorded.height,
        "run.feedback": told.feedback.height,
        "decision.made": counting.total(told.decisions),
    }
    of_reactions = counting.counts_by(told.reactions, "type")
    return counting.shares([*(each for each in counts.items() if each[1]), *of_reactions])


def _log(gathered: Gathered, all_told: Told, told: Told, only: Only | None) -> Log:
    runs, cancels, types = told.runs, told.cancels, _types(told)
    backwards = cancels.filter(pl.col("latency") < 0).height
    return Log(
        only=None if only is None else only.words,
        first=gathered.first,
        last=gathered.last,
        events=sum(each.count for each in types),
        repeats=gathered.met - sum(each.count for each in _types(all_told)),
        types=types,
        left_out=counting.shares(gathered.troubles.items(), gathered.met + gathered.troubles.total()),
        clock_jumps=int(column_of(runs, "ends_before_it_begins").sum()) + backwards,
        missing=tuple(_missing(runs, cancels.lazy())),
    )


def _missing(runs: pl.LazyFrame, cancels: pl.LazyFrame) -> list[Missing]:
    ended = runs.filter(pl.col("outcome") != "open")
    found = [
        ("runs whose start is not in the log", runs, pl.col("started_at").is_null()),
        ("runs without a tenant", runs, pl.col("tenant_id").is_null()),
        ("runs without an origin, even by their channel", runs, pl.col("origin").is_null()),
        ("runs without a thread", runs, pl.col("session").is_null()),
        ("runs without an agent", runs, pl.col("agent_id").is_null()),
        ("ended runs without phases", ended, pl.all_horizontal(pl.col(name).is_null() for name in PHASES)),
        ("ended runs without tokens", ended, pl.col("input_tokens").is_null()),
        ("ended runs without a cost", ended, pl.col("cost_nano").is_null()),
        ("stops that only the run's states tell of", cancels, ~pl.col("recorded")),
        ("stops that do not say how they were asked for", cancels, pl.col("source").is_null()),
    ]
    counts = pl.collect_all([rows.select(lacking.sum().alias("without"), pl.len()) for _, rows, lacking in found])
    counted = [(what, *counted.row(0)) for (what, _, _), counted in zip(found, counts, strict=True)]
    return [Missing(what=what, without=without, of=of) for what, without, of in counted if without]


def _naming(naming: Naming) -> NamingSaid:
    if isinstance(naming, Hashed):
        return NamingSaid(
            ids="hashed", key=naming.fingerprint, key_is="kept" if naming.kept else "made for this report"
        )
    return NamingSaid(ids="revealed", key=None, key_is=None)


def _reactions(reactions: pl.DataFrame, naming: Naming) -> Reactions:
    matched = reactions.filter(pl.col("type") == "reaction.match")
    skipped = reactions.filter(pl.col("type") == "reaction.skip")
    count, looked_at = pl.col("count"), counting.total(reactions)
    rules = (
        matched.group_by("tenant_id", "rule_name")
        .agg(count.sum(), count.filter("led_to_a_run").sum().alias("led"))
        .with_columns(pl.col("tenant_id", "rule_name").cast(pl.String))
        .sort(["count", "tenant_id", "rule_name"], descending=[True, False, False])
    )
    return Reactions(
        looked_at=looked_at,
        matches=counting.total(matched),
        skips=counting.total(skipped),
        match_rate=counting.rate(counting.total(matched), looked_at),
        skip_rate=counting.rate(counting.total(skipped), looked_at),
        skip_reasons=counting.shares(counting.counts_by(skipped, "reason")),
        rules=rules.height,
        by_rule=tuple(
            Rule(
                name=naming("rule", row["rule_name"]),
                tenant=_tenant(naming, row["tenant_id"]),
                matches=row["count"],
                led_to_runs=row["led"],
            )
            for row in rules.head(LISTED).iter_rows(named=True)
        ),
    )


def _tenant(naming: Naming, name: str | None) -> str:
    return NOT_SAID if name is None else naming("tenant", name)


def _throttles(decisions: pl.DataFrame, naming: Naming) -> Throttles:
    throttled = decisions.filter(pl.col("kind") == "throttled")
    count = counting.total(throttled)
    tenants = (
        throttled.group_by("tenant_id").agg(pl.col("count").sum()).with_columns(pl.col("tenant_id").cast(pl.String))
    )
    tenants = tenants.with_columns(pl.col("tenant_id").fill_null(NOT_SAID).alias("word"))
    tenants = tenants.sort(["count", "word"], descending=[True, False])
    return Throttles(
        throttled=count,
        rate=counting.rate(count, counting.total(decisions)),
        by_bucket=counting.shares(counting.counts_by(throttled, "bucket")),
        told_by=counting.shares(counting.counts_by(throttled, "told_by")),
        by_tenant=tuple(
            Share(name=_tenant(naming, name), count=of_one, share=counting.rate(of_one, count) or 0.0)
            for name, of_one in tenants.select("tenant_id", "count").head(LISTED).iter_rows()
        ),
    )


def _decisions(decisions: pl.DataFrame) -> Decisions:
    ignored = decisions.filter(pl.col("kind") == "ignored")
    return Decisions(
        decisions=counting.total(decisions),
        kinds=counting.shares(counting.counts_by(decisions, "kind")),
        ignored_reasons=counting.shares(counting.counts_by(ignored, "reason")),
    )


def _feedback(feedback: pl.DataFrame) -> Feedback:
    verdicts = dict(feedback["verdict"].cast(pl.String).value_counts().iter_rows())
    return Feedback(good=verdicts.get("good", 0), bad=verdicts.get("bad", 0))
